"""Mail servers with their passwords, for those who send by them."""

from datetime import datetime
from uuid import UUID

from penguinmails.domain.mail_servers import StoredServer
from penguinmails.domain.provider_secrets import provider_secret
from penguinmails.errors import ServiceUnavailable
from penguinmails.logging import logger
from penguinmails.settings import get_settings
from penguinmails.smtp import MailRefused
from penguinmails.smtp_connections import MailServer
from penguinmails.vault import VaultRefused, secret_path

PLATFORM_SECRET = secret_path("platform", "smtp")
"""`username` and `password` of the platform's own server; absent where it asks for none."""


def opened_server(tenant_id: UUID, stored: StoredServer | None) -> MailServer:
    """The tenant's own server, or the platform's when it has none. Raises MailRefused, for now, while it cannot be had."""
    if stored is None:
        return platform_server()
    secret = _read(stored.secret_ref, stored.secret_version, stored.created_at)
    if secret is None:
        raise MailRefused(
            "the mail server's password is gone; it has to be set again", is_permanent=False, scope="account"
        )
    return MailServer(
        tenant_id=tenant_id,
        host=stored.host,
        port=stored.port,
        security=stored.security,
        username=stored.username,
        password=secret["password"],
    )


def platform_server() -> MailServer:
    """The platform's own server. Raises MailRefused, for now, while its password cannot be read."""
    settings = get_settings()
    # In the clear nobody signs in.
    secret = _read(PLATFORM_SECRET) if settings.smtp_security != "none" else None
    return MailServer(
        tenant_id=None,
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=secret["username"] if secret is not None else None,
        password=secret["password"] if secret is not None else None,
    )


def _read(path: str, version: int | None = None, since: datetime | None = None) -> dict[str, str] | None:
    try:
        return provider_secret(path, version, since)
    except ServiceUnavailable:
        reason = "the mail server's password cannot be read just now"
    except VaultRefused as refusal:
        logger.error("vault keeps a mail server's password from us", extra={"reason": refusal.reason})
        reason = "the mail server's password cannot be read"
    raise MailRefused(reason, is_permanent=False, scope="moment")
