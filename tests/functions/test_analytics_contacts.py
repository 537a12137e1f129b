"""What became of the mails to a contact, and how interested it is."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from analytics.app import handler
from penguinmails import clock
from penguinmails.db import transaction
from penguinmails.domain.mail_reports import Report, record_report
from roll_up_analytics.app import handler as roll_up
from tests.support.campaigns import add_contact, draft
from tests.support.http import Answer, call
from tests.support.mail_histories import Happening, Mail, record, store_mails
from tests.support.queues import run_job
from tests.support.tenants import TestKey, TestTenant

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


def ask(key: TestKey, contact_id: Any, **query: Any) -> Answer:
    path = f"/api/v1/analytics/contacts/{contact_id}"
    return call(handler, "GET", path, token=key.plaintext, query={k: str(v) for k, v in query.items()} or None)


def shown(key: TestKey, contact_id: Any, **query: Any) -> Any:
    answer = ask(key, contact_id, **query)
    assert answer.status == 200, answer.body
    return answer.json


def happened(tenant: TestTenant, mail: Mail, *types: str, at: datetime = NOON, **facts: Any) -> None:
    record(tenant, *(Happening(mail, kind, at, **facts) for kind in types))


def stored(tenant: TestTenant, **fields: Any) -> Mail:
    mail = Mail(**fields)
    store_mails(tenant, [mail])
    return mail


# ---- Contacts ---------------------------------------------------------------------------------------------------------------


def test_a_contact_is_shown_with_what_it_did_newest_first(tenant: TestTenant, key: TestKey) -> None:
    address = f"{uuid4().hex}@example.com"
    contact_id = add_contact(key, email=address)
    campaign_id = UUID(draft(key)["id"])
    mail = stored(tenant, to_email=address, campaign_id=campaign_id, step_id=uuid4(), variant="a")
    lost = stored(tenant, to_email=address)
    of_another = stored(tenant, to_email="somebody@example.com")
    for minutes, kind in enumerate(("sent", "delivered", "opened", "opened", "clicked")):
        happened(tenant, mail, kind, at=NOON + timedelta(minutes=minutes))
    happened(tenant, mail, "opened", at=NOON + timedelta(minutes=9), is_machine=True)
    happened(tenant, lost, "sent", "bounced", at=NOON - timedelta(days=1))
    happened(tenant, of_another, "sent", "opened")

    answer = shown(key, contact_id, limit=4)

    wanted = {"emails_sent": 2, "emails_delivered": 1, "emails_bounced": 1, "emails_opened": 1, "emails_clicked": 1}
    assert answer["summary"] | wanted | {"total_opens": 2, "total_clicks": 1} == answer["summary"]
    assert (answer["rates"]["delivery_rate"], answer["rates"]["open_rate"]) == (50.0, 100.0)
    assert answer["last_activity_at"] == "2026-05-20T12:09:00Z"
    activities = answer["activities"]["data"]
    assert [(each["type"], each["is_machine"]) for each in activities] == [
        ("opened", True),
        ("clicked", False),
        ("opened", False),
        ("opened", False),
    ]
    assert (activities[0]["campaign_id"], activities[0]["campaign_name"]) == (str(campaign_id), "Launch")
    rest = shown(key, contact_id, limit=4, cursor=answer["activities"]["pagination"]["next_cursor"])["activities"]
    assert [each["type"] for each in rest["data"][:2]] == ["delivered", "sent"]
    assert {each["email_id"] for each in rest["data"][2:]} == {str(lost.id)}
    assert rest["pagination"]["has_more"] is False
    assert shown(key, contact_id, offset=0)["activities"]["pagination"]["total"] == 8


def test_a_contact_that_is_not_there_or_of_others_is_404_and_no_id_400(key: TestKey, other_tenant: TestTenant) -> None:
    of_others = add_contact(other_tenant.key())

    for contact_id in (uuid4(), of_others):
        answer = ask(key, contact_id)
        assert (answer.status, answer.code) == (404, "RESOURCE_NOT_FOUND")
    assert ask(key, "nobody").status == 400


# ---- Scores -------------------------------------------------------------------------------------------------------------------


def scored(tenant: TestTenant, contact_id: UUID, days_ago: int = 0, **columns: Any) -> int:
    """The score once a contact has done so much, so long ago."""
    values = {"total_opens": 0, "total_clicks": 0, "total_replies": 0, "status": "active", **columns}
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            """
            UPDATE contacts SET total_opens = %(total_opens)s, total_clicks = %(total_clicks)s, status = %(status)s,
                   total_replies = %(total_replies)s, last_engaged_at = %(at)s WHERE id = %(id)s
            """,
            {**values, "at": clock.now() - timedelta(days=days_ago), "id": contact_id},
        )
        return tx.one("SELECT lead_score FROM contacts WHERE id = %(id)s", {"id": contact_id})


@pytest.mark.parametrize(
    ("columns", "days_ago", "score"),
    [
        ({}, 0, 0),
        ({"total_opens": 1}, 0, 5),
        ({"total_opens": 100}, 0, 40),
        ({"total_opens": 2, "total_clicks": 3}, 0, 40),
        ({"total_opens": 8, "total_clicks": 4, "total_replies": 9}, 0, 100),
        ({"total_replies": 1}, 29, 20),
        ({"total_opens": 3}, 31, 7),
        ({"total_opens": 8}, 89, 20),
        ({"total_opens": 8}, 91, 10),
        ({"total_opens": 8}, 181, 0),
        ({"total_opens": 8, "status": "unsubscribed"}, 0, 0),
        ({"total_opens": 8, "status": "bounced"}, 0, 0),
    ],
)
def test_a_score_is_of_what_a_contact_did_and_halves_as_it_gets_old(
    tenant: TestTenant, key: TestKey, columns: dict[str, Any], days_ago: int, score: int
) -> None:
    contact_id = add_contact(key)

    assert scored(tenant, contact_id, days_ago, **columns) == score
    assert shown(key, contact_id)["lead_score"] == score


def test_a_score_falls_by_itself_when_its_time_has_come(tenant: TestTenant, key: TestKey) -> None:
    contact_id = add_contact(key)
    assert scored(tenant, contact_id, 0, total_opens=8) == 40
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection:
        # As if the clock had moved on and nothing had looked at the contact.
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            """
            UPDATE contacts SET last_engaged_at = now() - interval '30 days 1 minute',
                   lead_score_falls_at = now() - interval '1 minute' WHERE id = %s
            """,
            [contact_id],
        )

    run_job(roll_up)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        falls_in, score = tx.one(
            """
            SELECT jsonb_build_array(extract(days FROM lead_score_falls_at - now()), lead_score)
            FROM contacts WHERE id = %(id)s
            """,
            {"id": contact_id},
        )
    assert (score, falls_in) == (20, 59)
    assert run_job(roll_up)["done"] == 0


def test_machines_do_not_score(tenant: TestTenant, key: TestKey) -> None:
    address = f"{uuid4().hex}@example.com"
    contact_id = add_contact(key, email=address)
    campaign_id = uuid4()
    mail = stored(tenant, to_email=address, campaign_id=campaign_id)

    def opened(*, is_machine: bool) -> Any:
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            report = Report(kind="opened", source="link", occurred_at=clock.now(), is_machine=is_machine)
            assert record_report(tx, mail.id, report)
        return shown(key, contact_id)

    by_machine, by_person = opened(is_machine=True), opened(is_machine=False)

    assert (by_machine["lead_score"], by_machine["last_engaged_at"]) == (0, None)
    assert (by_person["lead_score"], by_person["last_campaign_id"]) == (5, str(campaign_id))
