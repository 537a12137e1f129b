"""The process's configuration, read once from the environment and never changed afterwards."""

import os
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

Environment = Literal["local", "test", "dev", "staging", "production"]
MINIMUM_BCRYPT_ROUNDS = 12
POSTMARK_URL = "https://api.postmarkapp.com"


class ConfigurationError(Exception):
    """A setting is missing or unsafe; the message names it and says what to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a function may be told from outside. Secrets are never among it, only where to find them.

    The one exception is `origin_secret`: CloudFront has to send it in the clear, and it opens nothing by itself.
    """

    environment: Environment
    release: str
    public_url: str
    """Origin under which customers reach API and docs, without a trailing slash."""
    tracking_url: str
    console_origins: tuple[str, ...]
    """Origins whose pages may send a session cookie."""
    origin_secret: str = field(repr=False)
    """What CloudFront sends in X-Origin-Secret; without it any caller is served, which is for one machine only."""
    database_auth: Literal["iam", "none"]
    """Whether database passwords are tokens of the function's AWS role."""
    database_url: str
    """PostgreSQL as the application role: sees one tenant at a time."""
    jobs_database_url: str
    """PostgreSQL as the jobs role: sees what its policies let cross-tenant jobs see."""
    migrations_database_url: str
    """PostgreSQL as the owner of the schema; only the migration function has it."""
    imports_database_url: str
    """PostgreSQL as the import role: what the application role is, and owner of the staging tables."""
    redis_url: str
    redis_cluster: bool
    vault_addr: str
    vault_namespace: str
    vault_kv_mount: str
    vault_auth_method: Literal["approle", "aws"]
    vault_auth_mount: str
    vault_role: str
    vault_role_id: str
    vault_secret_id_file: str
    platform_secrets_wrapped: str
    """KMS ciphertext (base64) of the platform secrets document; see `platform_secrets`."""
    platform_secrets_file: str
    """The same document in the clear, for one machine only; refused inside Lambda."""
    aws_endpoint_url: str
    events_queue_url: str
    deliveries_queue_url: str
    emails_queue_url: str
    campaign_emails_queue_url: str
    platform_mail_queue_url: str
    imports_queue_url: str
    exports_queue_url: str
    files_bucket: str
    """S3 bucket of customers' files; every key begins with its tenant's id."""
    smtp_host: str
    smtp_port: int
    smtp_security: Literal["starttls", "tls", "none"]
    """How the platform's mail server is spoken to: `none` is for one machine only; refused inside Lambda."""
    mail_from: str
    reply_domain: str
    """Domain whose mail our mail server hands back to us; without it answers and bounces go to the sender's address."""
    postmark_url: str
    mailgun_url: str
    """Mailgun's API for all regions; empty for its own."""
    dns_resolvers: tuple[str, ...]
    """Name servers to ask, as address:port; those of the machine when empty."""
    bcrypt_rounds: int
    allow_localhost_webhooks: bool
    security_contact: str
    """Where vulnerabilities are reported: a mailto:, https: or tel: address, as RFC 9116 has it."""
    webhook_source_ips: tuple[str, ...]
    """Where posts leave from, as customers may have to name it to their firewalls."""


def _in_lambda() -> bool:
    """True in AWS itself, where each environment has a function's name; `sam local` and the one-machine stack are not it."""
    named = {"AWS_LAMBDA_FUNCTION_NAME", "AWS_EXECUTION_ENV"} & os.environ.keys()
    return bool(named) and os.environ.get("AWS_SAM_LOCAL") != "true"


def _boolean(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value == "":
        return default
    if value in {"1", "true", "yes"}:
        return True
    if value in {"0", "false", "no"}:
        return False
    raise ConfigurationError(f"{name} is {value!r}; set it to true or false.")


def _choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = os.environ.get(name, "").strip() or default
    if value not in allowed:
        raise ConfigurationError(f"{name} is {value!r}; set it to {' or '.join(allowed)}.")
    return value


def _integer(name: str, default: int) -> int:
    value = os.environ.get(name, "").strip()
    try:
        return int(value) if value else default
    except ValueError:
        raise ConfigurationError(f"{name} is {value!r}; set it to a whole number.") from None


def _refuse_unsafe(settings: Settings) -> None:
    if not _in_lambda():
        return
    if settings.allow_localhost_webhooks:
        raise ConfigurationError("ALLOW_LOCALHOST_WEBHOOKS is for one machine; remove it from the function.")
    if settings.platform_secrets_file:
        raise ConfigurationError("PLATFORM_SECRETS_FILE is for one machine; set PLATFORM_SECRETS_WRAPPED instead.")
    if settings.vault_addr and not settings.vault_addr.startswith("https://"):
        raise ConfigurationError("VAULT_ADDR is not an https:// address; secrets and tokens would travel in the clear.")
    if settings.smtp_security == "none":
        raise ConfigurationError("SMTP_SECURITY none is for one machine; set it to starttls or tls.")
    if settings.postmark_url != POSTMARK_URL or settings.mailgun_url:
        raise ConfigurationError("POSTMARK_URL and MAILGUN_URL are for one machine; remove them from the function.")
    if settings.bcrypt_rounds < MINIMUM_BCRYPT_ROUNDS:
        raise ConfigurationError(f"BCRYPT_ROUNDS is below {MINIMUM_BCRYPT_ROUNDS}; remove it from the function.")


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Read the environment; raises ConfigurationError with the name of a bad or unsafe setting."""
    env = os.environ.get
    settings = Settings(
        environment=env("ENVIRONMENT", "local"),  # pyright: ignore[reportArgumentType]
        release=env("RELEASE", "1.0.0"),
        public_url=env("PUBLIC_URL", "https://api.penguinmails.com").rstrip("/"),
        tracking_url=env("TRACKING_URL", env("PUBLIC_URL", "https://api.penguinmails.com")).rstrip("/"),
        console_origins=tuple(origin for origin in env("CONSOLE_ORIGINS", "").split(",") if origin),
        origin_secret=env("ORIGIN_SECRET", ""),
        database_auth=_choice("DATABASE_AUTH", "none", ("iam", "none")),  # pyright: ignore[reportArgumentType]
        database_url=env("DATABASE_URL", ""),
        jobs_database_url=env("JOBS_DATABASE_URL", ""),
        migrations_database_url=env("MIGRATIONS_DATABASE_URL", ""),
        imports_database_url=env("IMPORTS_DATABASE_URL", ""),
        redis_url=env("REDIS_URL", ""),
        redis_cluster=_boolean("REDIS_CLUSTER", default=False),
        vault_addr=env("VAULT_ADDR", ""),
        vault_namespace=env("VAULT_NAMESPACE", ""),
        vault_kv_mount=env("VAULT_KV_MOUNT", "secret"),
        vault_auth_method=env("VAULT_AUTH_METHOD", "aws"),  # pyright: ignore[reportArgumentType]
        vault_auth_mount=env("VAULT_AUTH_MOUNT", ""),
        vault_role=env("VAULT_ROLE", ""),
        vault_role_id=env("VAULT_ROLE_ID", ""),
        vault_secret_id_file=env("VAULT_SECRET_ID_FILE", ""),
        platform_secrets_wrapped=env("PLATFORM_SECRETS_WRAPPED", ""),
        platform_secrets_file=env("PLATFORM_SECRETS_FILE", ""),
        aws_endpoint_url=env("AWS_ENDPOINT_URL", ""),
        events_queue_url=env("EVENTS_QUEUE_URL", ""),
        deliveries_queue_url=env("DELIVERIES_QUEUE_URL", ""),
        emails_queue_url=env("EMAILS_QUEUE_URL", ""),
        campaign_emails_queue_url=env("CAMPAIGN_EMAILS_QUEUE_URL", ""),
        platform_mail_queue_url=env("PLATFORM_MAIL_QUEUE_URL", ""),
        imports_queue_url=env("IMPORTS_QUEUE_URL", ""),
        exports_queue_url=env("EXPORTS_QUEUE_URL", ""),
        files_bucket=env("FILES_BUCKET", ""),
        smtp_host=env("SMTP_HOST", ""),
        smtp_port=_integer("SMTP_PORT", 587),
        smtp_security=_choice("SMTP_SECURITY", "starttls", ("starttls", "tls", "none")),  # pyright: ignore[reportArgumentType]
        mail_from=env("MAIL_FROM", "PenguinMails <no-reply@penguinmails.com>"),
        reply_domain=env("REPLY_DOMAIN", "").strip().lower(),
        postmark_url=env("POSTMARK_URL", POSTMARK_URL).rstrip("/"),
        mailgun_url=env("MAILGUN_URL", "").rstrip("/"),
        dns_resolvers=tuple(entry for entry in env("DNS_RESOLVERS", "").split(",") if entry),
        bcrypt_rounds=_integer("BCRYPT_ROUNDS", MINIMUM_BCRYPT_ROUNDS),
        allow_localhost_webhooks=_boolean("ALLOW_LOCALHOST_WEBHOOKS", default=False),
        security_contact=env("SECURITY_CONTACT", "mailto:security@penguinmails.com"),
        webhook_source_ips=tuple(found.strip() for found in env("WEBHOOK_SOURCE_IPS", "").split(",") if found.strip()),
    )
    _refuse_unsafe(settings)
    return settings


def refuse_unsafe_start() -> None:
    """For the import of a handler: inside Lambda an unsafe setting ends it there, before the first event."""
    if _in_lambda():
        get_settings()
