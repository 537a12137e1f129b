"""Campaigns by an account's own Postmark or Mailgun."""

from typing import Any
from uuid import uuid4

from local.sandboxes.mails import SentMail
from local.sandboxes.server import SandboxServer
from penguinmails.db import transaction
from send_campaign_emails.app import handler as send_campaign_emails
from sweep_emails.app import handler as sweep_emails
from tests.support.campaigns import add_contact, ask, started
from tests.support.people import signed_in
from tests.support.providers import ProviderName, configure
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant

BOTH: list[ProviderName] = ["postmark", "mailgun"]


class CampaignAccount:
    """A tenant with contacts and an account at a provider."""

    def __init__(self, tenant: TestTenant, key: TestKey, provider: ProviderName, sandbox: SandboxServer) -> None:
        self.tenant, self.key, self.provider, self.sandbox = tenant, key, provider, sandbox
        self.api_key = f"sandbox-{uuid4().hex}"
        self.set_up()

    def set_up(self) -> None:
        answer = configure(signed_in(self.tenant), self.provider, api_key=self.api_key)
        assert answer.status == 200, answer.body

    def people(self, *names: str) -> list[str]:
        addresses = [f"{name}-{uuid4().hex}@example.com" for name in names]
        for address in addresses:
            add_contact(self.key, email=address)
        return addresses

    def started(self, **fields: Any) -> str:
        return started(self.key, provider=self.provider, **fields)

    def taken(self, address: str) -> list[SentMail]:
        return self.sandbox.memory.to(address)

    def shown(self, campaign_id: str) -> Any:
        return ask(self.key, "GET", f"/{campaign_id}").json

    def send_again(self) -> None:
        """What rests becomes due, and workers take it up."""
        with transaction(tenant_id=self.tenant.id, mode="live") as tx:
            tx.run("UPDATE emails SET next_sweep_at = now() WHERE next_sweep_at IS NOT NULL", {})
        run_job(sweep_emails)
        assert consume(send_campaign_emails, *messages_for("campaign_emails", self.tenant.id)) == []

    def raised(self, kind: str) -> list[Any]:
        """The data of events of a type."""
        with transaction(tenant_id=self.tenant.id, mode="live") as tx:
            return tx.all("SELECT data FROM events WHERE type = %(kind)s", {"kind": kind})
