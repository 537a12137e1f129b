"""The platform's own mail server: within TLS, signed in to with what Vault has."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from local.vault import RunningVault
from penguinmails import smtp_connections
from penguinmails.db import transaction
from penguinmails.domain import provider_secrets
from penguinmails.settings import ConfigurationError, get_settings
from penguinmails.vault import read_secret
from send_emails.app import handler as send_emails
from send_platform_mail.app import handler as send_platform_mail
from tests.support.campaigns import add_contact, ask, carry_out, mails, started
from tests.support.mail_servers import OwnServer, new_password
from tests.support.mail_servers_of_accounts import Start, built_in, queue, send, shown, told
from tests.support.people import signed_in
from tests.support.queues import consume, messages_for
from tests.support.tenants import TestKey, TestTenant
from tests.support.vaults import AsSender, using

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture
def platforms(start: Start, running_vault: RunningVault) -> Iterator[OwnServer]:
    """The platform's server with STARTTLS and a login that stands in Vault."""
    server = start()
    server.logins["platform"] = new_password()
    running_vault.operator.secrets.kv.v2.create_or_update_secret(
        "platform/smtp", {"username": "platform", "password": server.logins["platform"]}, cas=0, mount_point="secret"
    )
    with using({"SMTP_HOST": "localhost", "SMTP_PORT": str(server.port), "SMTP_SECURITY": "starttls"}):
        yield server
    running_vault.operator.secrets.kv.v2.delete_metadata_and_all_versions("platform/smtp", mount_point="secret")
    provider_secrets.forget()


def test_the_platforms_server_is_signed_in_to_with_what_vault_has(
    tenant: TestTenant, key: TestKey, platforms: OwnServer, running_vault: RunningVault, as_sender: AsSender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from penguinmails.domain.platform_mail import queue_mail

    person = signed_in(tenant)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        queue_mail(tx, user_id=person.id, mail_type="account_exists", dedupe_key=uuid4().hex)
    monkeypatch.setattr(provider_secrets, "read_secret", read_secret)
    email_id, to = queue(key)
    with using(running_vault.environment("platform-mail-service")):
        assert consume(send_platform_mail, *messages_for("platform_mail", tenant.id)) == []
    smtp_connections.close_all()
    provider_secrets.forget()
    with as_sender():
        assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    assert shown(key, email_id)["status"] == "sent"
    assert {(platforms.to(name).login, platforms.to(name).is_encrypted) for name in (person.email, to)} == {
        ("platform", True)
    }


def test_a_wrong_password_of_the_platform_blames_no_account(
    tenant: TestTenant, key: TestKey, platforms: OwnServer
) -> None:
    platforms.logins["platform"] = new_password()
    add_contact(key)
    campaign_id = started(key)
    carry_out(tenant)
    email, _ = send(tenant, key)

    assert ask(key, "GET", f"/{campaign_id}").json["status"] == "active"
    assert {mail["status"] for mail in mails(tenant)} == {"queued"}
    assert email["status"] == "queued"
    assert (built_in(tenant)["status"], told(tenant)) == ("active", [])


def test_without_starttls_the_platforms_server_gets_nothing(tenant: TestTenant, key: TestKey, start: Start) -> None:
    server = start(kind="none", asks_for_login=False)
    with using({"SMTP_HOST": "localhost", "SMTP_PORT": str(server.port), "SMTP_SECURITY": "starttls"}):
        email, _ = send(tenant, key)

    assert (email["status"], server.mails) == ("queued", [])
    assert "offers no STARTTLS" in email["error"]


def test_a_server_that_wants_a_login_that_nobody_has_given_us_loses_no_mail(
    tenant: TestTenant, key: TestKey, start: Start
) -> None:
    server = start()
    with using({"SMTP_HOST": "localhost", "SMTP_PORT": str(server.port), "SMTP_SECURITY": "starttls"}):
        email, _ = send(tenant, key)

    assert (email["status"], email["error"][:3]) == ("queued", "530")


def test_deployed_the_platforms_mail_never_travels_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = {
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "ALLOW_LOCALHOST_WEBHOOKS": "false",
        "PLATFORM_SECRETS_FILE": "",
        "VAULT_ADDR": "https://vault.example",
        "SMTP_SECURITY": "none",
    }
    for name, value in deployed.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    try:
        with pytest.raises(
            ConfigurationError, match="SMTP_SECURITY none is for one machine; set it to starttls or tls"
        ):
            get_settings()
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()
