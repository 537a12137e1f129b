"""The suppression list: what is on it is not written to, and comes off it only with consent that is written down."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from contacts.app import handler as contacts_handler
from emails.app import handler as emails_handler
from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from send_campaign_emails.app import handler as send_campaign_emails
from suppression.app import handler
from tests.support.campaigns import add_contact, ask, carry_out, plan, started
from tests.support.http import Answer, call
from tests.support.people import signed_in
from tests.support.queues import consume
from tests.support.tenants import TestKey, TestTenant
from workspaces.app import handler as workspaces

PATH = "/api/v1/suppression-list"
NOTE = {"consent_note": "Asked in writing on 2026-01-31 to be written to again"}


def send(key: TestKey, method: str, below: str = "", **request: Any) -> Answer:
    return call(handler, method, PATH + below, token=key.plaintext, **request)


def check(key: TestKey, email: str) -> Any:
    answer = send(key, "GET", "/check", query={"email": email})
    assert answer.status == 200, answer.body
    return answer.json


def test_a_suppressed_address_is_not_sent_to_from_the_next_request_on(key: TestKey) -> None:
    added = send(key, "POST", json={"email": "Ada@Example.com", "reason": "user_request", "source": "external_crm"})
    mail = {"to": "ada@example.com", "subject": "Hi", "text_body": "Hello"}
    sent = call(emails_handler, "POST", "/api/v1/emails/send", token=key.plaintext, json=mail)

    assert (added.status, added.json["email"], added.json["source"]) == (201, "ada@example.com", "external_crm")
    assert (sent.status, sent.code) == (409, "RECIPIENT_SUPPRESSED")


def test_an_entry_that_is_there_stays_as_it_is(key: TestKey) -> None:
    first = send(key, "POST", json={"email": "ada@example.com", "reason": "spam_complaint"})
    second = send(key, "POST", json={"email": "ADA@example.com"})

    assert (second.status, second.json) == (200, first.json)


def test_many_are_added_at_once_and_counted(key: TestKey) -> None:
    send(key, "POST", json={"email": "a0@example.com"})
    emails = [f"A{n}@example.com" for n in range(1000)]

    answer = send(key, "POST", "/bulk", json={"emails": emails, "reason": "hard_bounce"})
    too_many = send(key, "POST", "/bulk", json={"emails": [*emails, "b@example.com"]})
    wrong = send(key, "POST", "/bulk", json={"emails": ["a@example.com", "nobody"]})

    assert (answer.status, answer.json) == (200, {"added": 999, "already_suppressed": 1})
    assert (too_many.status, wrong.status) == (400, 400)
    assert wrong.json["errors"][0]["field"] == "emails.1"


def test_asking_goes_by_the_rules_that_sending_goes_by(key: TestKey, postgres: Any) -> None:
    contact = {"email": "out@example.com", "status": "unsubscribed"}
    call(contacts_handler, "POST", "/api/v1/contacts", token=key.plaintext, json=contact)
    send(key, "POST", json={"email": "own@example.com"})
    abuser = f"{uuid4().hex}@example.com"
    with psycopg.connect(postgres.url("penguinmails"), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO suppression_list (id, email, reason, source, scope)"
            " VALUES (gen_random_uuid(), %s, 'manual', 'abuse_report', 'global')",
            [abuser],
        )

    assert check(key, "free@example.com") == {"email": "free@example.com", "suppressed": False, "entry": None}
    assert check(key, "OWN@example.com")["entry"]["reason"] == "manual"
    assert check(key, "out@example.com")["suppressed"] is True
    assert check(key, abuser) == {"email": abuser, "suppressed": True, "entry": None}
    assert abuser not in send(key, "GET").body


def test_the_list_is_paged_and_narrowed_and_is_the_account_s_own(key: TestKey, other_tenant: TestTenant) -> None:
    for email, reason in (("a", "manual"), ("b", "hard_bounce"), ("c", "manual")):
        send(key, "POST", json={"email": f"{email}@example.com", "reason": reason})
    first = send(key, "GET", query={"limit": "2"}).json
    rest = send(key, "GET", query={"limit": "2", "cursor": first["pagination"]["next_cursor"]}).json

    assert [entry["email"][0] for entry in first["data"] + rest["data"]] == ["c", "b", "a"]
    assert [e["email"][0] for e in send(key, "GET", query={"reason": "hard_bounce"}).json["data"]] == ["b"]
    assert [e["email"][0] for e in send(key, "GET", query={"email": "A@example.com"}).json["data"]] == ["a"]
    assert send(other_tenant.key(), "GET").json["data"] == []
    assert check(other_tenant.key(), "a@example.com")["suppressed"] is False


@pytest.mark.parametrize("by", ["workspace_id", "campaign_type"])
def test_a_narrower_entry_holds_campaigns_of_that_workspace_or_type_alone(
    tenant: TestTenant, key: TestKey, by: str
) -> None:
    other = call(workspaces, "POST", "/api/v1/workspaces", token=signed_in(tenant).access_token, json={"name": "North"})
    scopes: dict[str, tuple[str, str]] = {
        "workspace_id": (other.json["id"], str(tenant.workspace_id)),
        "campaign_type": ("drip", "broadcast"),
    }
    barred, free = scopes[by]
    email = f"{uuid4().hex}@example.com"
    add_contact(key, email=email, workspace_ids=[other.json["id"], str(tenant.workspace_id)])
    entry = send(key, "POST", json={"email": email, by: barred})

    assert (entry.status, entry.json["scope"], entry.json[by]) == (201, by.removesuffix("_id"), barred)
    assert send(key, "POST", json={"email": email, by: barred}).json == entry.json
    assert send(key, "POST", "/bulk", json={"emails": [email], by: barred}).json == {
        "added": 0,
        "already_suppressed": 1,
    }
    asked = {one: send(key, "GET", "/check", query={"email": email, by: one}).json for one in (barred, free)}
    assert (asked[barred]["suppressed"], asked[barred]["entry"]) == (True, entry.json)
    assert (asked[free]["suppressed"], check(key, email)["suppressed"]) == (False, False)

    name = {"workspace_id": "workspace", "campaign_type": "campaign_type"}[by]
    for scope in (barred, free):
        campaign_id = started(key, **{"workspace": str(tenant.workspace_id), name: scope})
        carry_out(tenant)
        recipients = ask(key, "GET", f"/{campaign_id}/recipients").json["data"]
        expected = [] if scope == barred else ["completed"]
        assert [r["status"] for r in recipients if r["reason"] != "suppressed"] == expected

    assert send(key, "POST", json={"email": email}).status == 201
    assert check(key, email)["entry"]["scope"] == "tenant"


def test_an_entry_that_comes_after_the_plan_holds_at_the_hand_over(tenant: TestTenant, key: TestKey) -> None:
    email = f"{uuid4().hex}@example.com"
    add_contact(key, email=email)
    campaign_id = started(key, campaign_type="drip")
    planned = plan(tenant)
    send(key, "POST", json={"email": email, "campaign_type": "drip"})

    assert consume(send_campaign_emails, *planned) == []

    (recipient,) = ask(key, "GET", f"/{campaign_id}/recipients").json["data"]
    assert (recipient["status"], recipient["reason"]) == ("exited", "suppressed")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"workspace_id": str(uuid4())}, "workspace_id"),
        ({"campaign_type": "letter"}, "campaign_type"),
        ({"workspace_id": str(uuid4()), "campaign_type": "drip"}, "body"),
    ],
)
def test_a_scope_that_is_none_is_refused(key: TestKey, fields: dict[str, str], field: str) -> None:
    for below, body in (("", {"email": "ada@example.com"}), ("/bulk", {"emails": ["ada@example.com"]})):
        answer = send(key, "POST", below, json={**body, **fields})
        assert (answer.status, answer.json["errors"][0]["field"]) == (400, field)
    asked = send(key, "GET", "/check", query={"email": "ada@example.com", "workspace_id": str(uuid4())})
    assert (asked.status, asked.json["errors"][0]["field"]) == (400, "workspace_id")


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_an_owner_or_admin_lifts_it_and_the_consent_is_kept(tenant: TestTenant, key: TestKey, role: Any) -> None:
    entry = send(key, "POST", json={"email": "ada@example.com"}).json
    person = signed_in(tenant, role)

    lifted = person.call(handler, "DELETE", f"{PATH}/{entry['id']}", query=NOTE)
    again = person.call(handler, "DELETE", f"{PATH}/{entry['id']}", query=NOTE)

    assert (lifted.status, lifted.json) == (200, {"id": entry["id"], "deleted": True, "still_suppressed": False})
    assert again.status == 404
    assert check(key, "ada@example.com")["suppressed"] is False
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        kept = tx.one("SELECT to_jsonb(l) - 'lifted_at' FROM suppression_lifts l", {})
        told = tx.one(
            "SELECT jsonb_build_array(actor_id, resource_id, details) FROM audit_log WHERE event = 'suppression_lifted'",
            {},
        )
    assert kept == {
        "id": entry["id"], "tenant_id": str(tenant.id), "mode": "live", "email": "ada@example.com", "reason": "manual",
        "lifted_by": str(person.id), **NOTE,
    }  # fmt: skip
    assert told == [str(person.id), entry["id"], {"reason": "manual"}], "an erasure does not reach the audit log"


def test_lifting_does_not_opt_a_contact_in_again(tenant: TestTenant, key: TestKey) -> None:
    contact = {"email": "ada@example.com", "status": "unsubscribed"}
    call(contacts_handler, "POST", "/api/v1/contacts", token=key.plaintext, json=contact)
    entry = check(key, "ada@example.com")["entry"]

    lifted = signed_in(tenant).call(handler, "DELETE", f"{PATH}/{entry['id']}", query=NOTE)

    assert lifted.json["still_suppressed"] is True
    assert check(key, "ada@example.com")["suppressed"] is True


def test_nobody_else_lifts_it_and_nobody_without_saying_why(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey
) -> None:
    path = f"{PATH}/{send(key, 'POST', json={'email': 'ada@example.com'}).json['id']}"

    by_key = send(key, "DELETE", path.removeprefix(PATH), query=NOTE)
    by_developer = signed_in(tenant, "developer").call(handler, "DELETE", path, query=NOTE)
    by_stranger = signed_in(other_tenant).call(handler, "DELETE", path, query=NOTE)
    silent = signed_in(tenant).call(handler, "DELETE", path)
    curt = signed_in(tenant).call(handler, "DELETE", path, query={"consent_note": "   yes    "})

    assert [a.status for a in (by_key, by_developer, by_stranger, silent, curt)] == [403, 403, 404, 400, 400]
    assert check(key, "ada@example.com")["suppressed"] is True


def test_the_list_needs_the_scope_of_contacts(tenant: TestTenant) -> None:
    stranger = tenant.key(*[scope for scope in Scope if scope is not Scope.MANAGE_CONTACTS])

    assert [send(stranger, "GET").status, send(stranger, "POST", json={"email": "a@example.com"}).status] == [403, 403]
