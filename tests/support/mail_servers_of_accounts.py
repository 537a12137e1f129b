"""Accounts with mail servers of their own, and what they send."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from emails.app import handler as emails
from local.vault import RunningVault
from penguinmails.db import transaction
from provider_accounts.app import handler as provider_accounts
from send_campaign_emails.app import handler as send_campaign_emails
from send_emails.app import handler as send_emails
from sweep_emails.app import handler as sweep_emails
from tests.support.http import Answer, call
from tests.support.mail_servers import OwnServer, new_password
from tests.support.people import signed_in
from tests.support.providers import ESP
from tests.support.queues import consume, messages_for, run_job
from tests.support.staff import staff
from tests.support.tenants import TestKey, TestTenant
from tests.support.vaults import using

Start = Callable[..., OwnServer]


class Chief:
    """A super admin, confirmed once for all of this module; the function has the rights in Vault that it is deployed with."""

    def __init__(self, running_vault: RunningVault) -> None:
        self.person, self._vault = staff("super_admin"), running_vault
        self._proof = self.person.step_up()

    def call(self, method: str, tenant_id: UUID, **request: Any) -> Answer:
        with using(self._vault.environment("staff-service")):
            return self.person.call(method, f"/tenants/{tenant_id}/mail-server", headers=self._proof, **request)


class Login:
    """An account that has a server, and what it signs in with."""

    def __init__(self, tenant: TestTenant, server: OwnServer) -> None:
        self.tenant, self.server = tenant, server
        self.username, self.password = f"sending-{uuid4().hex}@example.com", new_password()
        server.logins[self.username] = self.password

    def body(self, **fields: Any) -> dict[str, Any]:
        """What staff enter for it."""
        server = {"host": "localhost", "port": self.server.port, "security": self.server.kind}
        return {**server, "username": self.username, "password": self.password, **fields}

    def set_by(self, chief: Chief, **fields: Any) -> Answer:
        return chief.call("PUT", self.tenant.id, json=self.body(**fields))


def given(chief: Chief, tenant: TestTenant, server: OwnServer) -> Login:
    login = Login(tenant, server)
    answer = login.set_by(chief)
    assert answer.status == 200, answer.body
    return login


def address() -> str:
    return f"{uuid4().hex}@example.com"


def stored(tenant: TestTenant) -> Any:
    with transaction(tenant_id=tenant.id) as tx:
        return tx.one("SELECT to_jsonb(m) FROM mail_servers m", {})


def queue(key: TestKey) -> tuple[str, str]:
    """The id and the recipient of an email that waits to be sent."""
    to = address()
    body = {"to": to, "subject": "Hello", "text_body": "Hello"}
    answer = call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body)
    assert answer.status == 200, answer.body
    return answer.json["id"], to


def send(tenant: TestTenant, key: TestKey) -> tuple[dict[str, Any], str]:
    """An email after one attempt, and its recipient."""
    email_id, to = queue(key)
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []
    return shown(key, email_id), to


def send_again(tenant: TestTenant) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE emails SET next_sweep_at = now() WHERE next_sweep_at IS NOT NULL", {})
    run_job(sweep_emails)
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []
    assert consume(send_campaign_emails, *messages_for("campaign_emails", tenant.id)) == []


def shown(key: TestKey, email_id: str) -> Any:
    return call(emails, "GET", f"/api/v1/emails/{email_id}", token=key.plaintext).json


def built_in(tenant: TestTenant) -> Any:
    """The built-in server as the account's admins see it."""
    answer = call(provider_accounts, "GET", f"{ESP}/providers", token=signed_in(tenant).access_token)
    assert answer.status == 200, answer.body
    return answer.json["data"][0]


def told(tenant: TestTenant) -> list[Any]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT variables FROM mail_outbox WHERE type = 'mail_server_refused'", {})


def owners(tenant: TestTenant) -> int:
    with transaction(tenant_id=tenant.id) as tx:
        return tx.one(
            "SELECT count(*) FROM users WHERE role IN ('owner', 'admin') AND email_verified_at IS NOT NULL", {}
        )
