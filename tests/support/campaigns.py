"""Campaigns for tests: an account with contacts, a draft, and calls of the endpoints."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from campaigns.app import handler
from contacts.app import handler as contacts_handler
from lists.app import handler as lists_handler
from penguinmails.cache import command
from penguinmails.db import Mode, transaction
from plan_campaigns.app import handler as plan_campaigns
from send_campaign_emails.app import handler as send_campaign_emails
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant

CAMPAIGNS = "/api/v1/campaigns"
EMAIL = {"type": "email", "subject": 'Hello {{ first_name | default("there") }}', "html_body": "<p>Hi {{ email }}</p>"}
WAIT = {"type": "wait", "wait": {"value": 2, "unit": "days"}}
NO_LIMIT = {"daily_limit": 500}


def ask(key: TestKey, method: str, path: str = "", **request: Any) -> Answer:
    """Call an endpoint below /campaigns."""
    return call(handler, method, CAMPAIGNS + path, token=key.plaintext, **request)


def add_contact(key: TestKey, **fields: Any) -> UUID:
    """A contact of the account."""
    body = {"email": f"{uuid4().hex}@example.com", **fields}
    answer = call(contacts_handler, "POST", "/api/v1/contacts", token=key.plaintext, json=body)
    assert answer.status == 201, answer.body
    return UUID(answer.json["id"])


def add_list(key: TestKey, *contact_ids: UUID) -> str:
    """A static list with contacts on it."""
    body = {"name": uuid4().hex}
    list_id = call(lists_handler, "POST", "/api/v1/lists", token=key.plaintext, json=body).json["id"]
    ids = {"contact_ids": [str(contact_id) for contact_id in contact_ids]}
    answer = call(lists_handler, "POST", f"/api/v1/lists/{list_id}/contacts", token=key.plaintext, json=ids)
    assert answer.status == 200, answer.body
    return list_id


def draft(key: TestKey, **fields: Any) -> Any:
    """A drafted campaign of one email, unless other steps are given."""
    body = {"name": "Launch", "steps": [EMAIL], "settings": NO_LIMIT, **fields}
    answer = ask(key, "POST", json=body)
    assert answer.status == 201, answer.body
    return answer.json


def started(key: TestKey, **fields: Any) -> str:
    """The id of a campaign that was started."""
    campaign_id = draft(key, **fields)["id"]
    answer = ask(key, "POST", f"/{campaign_id}/start")
    assert answer.status == 200, answer.body
    return campaign_id


def status_of(key: TestKey, campaign_id: str) -> str:
    """The state that a campaign is in."""
    return ask(key, "GET", f"/{campaign_id}").json["status"]


def make_due(tenant: TestTenant, mode: Mode = "live") -> None:
    """Let the planner look at all campaigns of a tenant now."""
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        tx.run("UPDATE campaigns SET next_plan_at = now() WHERE next_plan_at IS NOT NULL", {})


def sql(tenant: TestTenant, statement: Any, **params: Any) -> None:
    """Change what is stored of an account's live data."""
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(statement, params)


def pass_time(tenant: TestTenant, **interval: int) -> None:
    """Move what recipients wait for, and what they were sent, into the past."""
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        params = {"ago": timedelta(**interval)}
        tx.run(
            """
            UPDATE campaign_contacts
            SET next_email_at = next_email_at - %(ago)s, last_email_sent_at = last_email_sent_at - %(ago)s
            """,
            params,
        )
        tx.run("UPDATE campaign_steps SET test_started_at = test_started_at - %(ago)s", params)
        tx.run("UPDATE mailbox_days SET day = (day - %(ago)s)::date", params)
        tx.run("UPDATE send_paces SET free_from = free_from - %(ago)s", params)
    # Its slots are of a clock that cannot be moved.
    command("DEL", f"pace:{{{tenant.id}}}")
    make_due(tenant)


def plan(tenant: TestTenant, mode: Mode = "live") -> list[dict[str, Any]]:
    """Run the planner until nothing of a tenant is due; the queue messages that it sent."""
    make_due(tenant, mode)
    run_job(plan_campaigns)
    return messages_for("campaign_emails", tenant.id)


def carry_out(tenant: TestTenant, mode: Mode = "live", rounds: int = 1) -> None:
    """Plan and send, several times over."""
    for _ in range(rounds):
        assert consume(send_campaign_emails, *plan(tenant, mode)) == []


def ledger(tenant: TestTenant, mode: Mode = "live") -> dict[str, Any]:
    """The rows of all recipients by their address."""
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        rows = tx.all(
            """
            SELECT to_jsonb(r) || jsonb_build_object('email', c.email) FROM campaign_contacts r
            JOIN contacts c ON c.tenant_id = r.tenant_id AND c.mode = r.mode AND c.id = r.contact_id
            """,
            {},
        )
    return {row["email"]: row for row in rows}


def mails(tenant: TestTenant, mode: Mode = "live") -> list[Any]:
    """The stored mails of campaigns, oldest first."""
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        return tx.all("SELECT to_jsonb(e) FROM emails e WHERE step_id IS NOT NULL ORDER BY created_at, id", {})
