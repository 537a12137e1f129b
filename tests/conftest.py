"""Starts what the tests need: a PostgreSQL and a Valkey per worker process, Vault, and SQS in process."""

import base64
import json
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import hypothesis
import psycopg
import pytest
from moto import mock_aws

from database.migrate import migrate
from local.sandboxes.server import SandboxServer
from local.services.dns import DnsSandbox
from local.services.mail import MailCatcher
from local.services.postgres import Postgres
from local.services.process import free_port, stop
from local.services.valkey import Valkey
from local.vault import RunningVault
from penguinmails import smtp_connections
from penguinmails.db import close_connection
from penguinmails.platform_secrets import PURPOSES
from penguinmails.settings import get_settings
from penguinmails.webhook_posts.client import close as close_webhook_connections
from tests.support import schedule, secret_watch, which_vault
from tests.support.emitted import watch_emitted_events
from tests.support.incoming import REPLY_DOMAIN
from tests.support.mail import WatchedMailCatcher
from tests.support.receiver import Receiver
from tests.support.secret_watch import remember
from tests.support.statuses import (  # noqa: F401 - hooks
    pytest_addoption,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)
from tests.support.tenants import TestKey, TestTenant, make_tenant
from tests.support.vaults import AsSender, using

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("untimed", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("untimed")
QUEUES = ("events", "deliveries", "emails", "campaign_emails", "platform_mail", "imports", "exports")
BUCKET = "files"


def pytest_configure(config: pytest.Config) -> None:
    """Have the summary say which Vault the tests had, no test write a secret, and no worker end long before another."""
    config.pluginmanager.register(which_vault)
    config.pluginmanager.register(secret_watch)
    config.pluginmanager.register(schedule)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server of this worker's own."""
    server = Postgres(tmp_path_factory.mktemp("postgres") / "data", durable=False)
    server.start()
    yield server
    # Nobody reads its data again, so it need not write to files what it has in memory.
    assert server.process is not None
    stop(server.process, with_signal=signal.SIGQUIT)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A server of this worker's own."""
    server = Valkey(tmp_path_factory.mktemp("valkey") / "data", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def running_vault() -> Iterator[RunningVault]:
    """The real server where `make vault` has built it, else the stand-in."""
    from local.vault import start

    with tempfile.TemporaryDirectory(prefix="penguinmails-vault-", dir=_folder_in_memory()) as folder:
        running = start(Path(folder), free_port())
        yield running
        running.stop()


def _folder_in_memory() -> Path | None:
    """Where a file costs no write to a disk, for which Vault waits at each change; None where there is little room."""
    folder = Path("/dev/shm")  # noqa: S108 - what is made in it is made by tempfile
    return folder if folder.is_dir() and shutil.disk_usage(folder).free > 2**30 else None


@pytest.fixture
def as_sender(running_vault: RunningVault) -> AsSender:
    """What sends mail may read signing keys; the account of the API, which tests have otherwise, may not."""
    return lambda: using(running_vault.environment("sending-service"))


@pytest.fixture
def reply_domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Answers to our own mails come in."""
    monkeypatch.setenv("REPLY_DOMAIN", REPLY_DOMAIN)
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def vault_environment(running_vault: RunningVault) -> dict[str, str]:
    """The settings that reach Vault as the API does."""
    return running_vault.environment("api-service")


@pytest.fixture(scope="session")
def mail_catcher() -> Iterator[MailCatcher]:
    """The SMTP server that functions send to."""
    catcher = WatchedMailCatcher()
    catcher.start()
    yield catcher
    catcher.stop()


@pytest.fixture(scope="session")
def provider_sandbox() -> Iterator[SandboxServer]:
    """The HTTP interfaces of Postmark and Mailgun."""
    server = SandboxServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def dns_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DnsSandbox]:
    """The name server that functions ask."""
    sandbox = DnsSandbox(tmp_path_factory.mktemp("dns") / "zone.json")
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="session", autouse=True)
def platform(
    *,
    postgres: Postgres,
    valkey: Valkey,
    mail_catcher: MailCatcher,
    provider_sandbox: SandboxServer,
    dns_sandbox: DnsSandbox,
    vault_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """A migrated database, and the environment that functions read their settings from."""
    postgres.create_database("penguinmails")
    migrate(postgres.url("penguinmails"))
    secrets_file = tmp_path_factory.mktemp("secrets") / "platform.json"
    _write_platform_secrets(secrets_file)
    os.environ.update(
        {
            "ENVIRONMENT": "test",
            "PUBLIC_URL": "https://api.example.test",
            "TRACKING_URL": "https://links.example.test",
            "CONSOLE_ORIGINS": "https://console.example.test",
            "DATABASE_URL": postgres.url("penguinmails", "penguinmails_app"),
            "JOBS_DATABASE_URL": postgres.url("penguinmails", "penguinmails_jobs"),
            "IMPORTS_DATABASE_URL": postgres.url("penguinmails", "penguinmails_import"),
            "FILES_BUCKET": BUCKET,
            "MIGRATIONS_DATABASE_URL": postgres.url("penguinmails"),
            "REDIS_URL": valkey.url,
            "REDIS_CLUSTER": "true",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mail_catcher.port),
            "SMTP_SECURITY": "none",
            "POSTMARK_URL": provider_sandbox.url,
            "MAILGUN_URL": provider_sandbox.url,
            "DNS_RESOLVERS": dns_sandbox.resolver,
            "PLATFORM_SECRETS_FILE": str(secrets_file),
            # The cost is production's minimum; one test shows that, the others need not pay it.
            "BCRYPT_ROUNDS": "4",
            "ALLOW_LOCALHOST_WEBHOOKS": "true",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            **vault_environment,
        }
    )
    for name in ("DATABASE_URL", "JOBS_DATABASE_URL", "MIGRATIONS_DATABASE_URL"):
        remember(name, os.environ[name])
    remember("Vault secret id", Path(vault_environment["VAULT_SECRET_ID_FILE"]).read_text().strip())
    with mock_aws():
        import boto3

        sqs = boto3.client("sqs")
        for name in QUEUES:
            url = sqs.create_queue(QueueName=name)["QueueUrl"]
            os.environ[f"{name.upper()}_QUEUE_URL"] = url
        boto3.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": os.environ["AWS_DEFAULT_REGION"]}
        )
        get_settings.cache_clear()
        yield
        close_webhook_connections()
        smtp_connections.close_all()
        close_connection("app")
        close_connection("jobs")
        close_connection("imports")


def _write_platform_secrets(file: Path) -> None:
    document = {purpose: {"1": base64.b64encode(secrets.token_bytes(32)).decode()} for purpose in PURPOSES}
    for versions in document.values():
        for value in versions.values():
            remember("platform secret", value)
    file.write_text(json.dumps(document))


@pytest.fixture(scope="module", autouse=True)
def empty_queues(postgres: Postgres, platform: None) -> None:
    """A file's tests begin without the messages that others left behind, of which there are soon thousands."""
    import boto3

    with psycopg.connect(postgres.url("penguinmails")) as connection:
        connection.execute("DELETE FROM outbox")
    sqs = boto3.client("sqs")
    for name in QUEUES:
        # Once a minute and queue, as in AWS; by then there are few again.
        with suppress(sqs.exceptions.PurgeQueueInProgress):
            sqs.purge_queue(QueueUrl=os.environ[f"{name.upper()}_QUEUE_URL"])


@pytest.fixture(autouse=True)
def validated_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test has the code raise is what the catalogue says of its type."""
    watch_emitted_events(monkeypatch)


@pytest.fixture
def tenant() -> TestTenant:
    """A tenant on the enterprise plan."""
    return make_tenant()


@pytest.fixture
def other_tenant() -> TestTenant:
    """Somebody else."""
    return make_tenant()


@pytest.fixture
def key(tenant: TestTenant) -> TestKey:
    """A live key of `tenant` with all scopes."""
    return tenant.key()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A customer's endpoint."""
    server = Receiver()
    yield server
    server.stop()
