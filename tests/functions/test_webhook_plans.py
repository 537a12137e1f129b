"""Webhooks read the rows that they name and no others of the tenant, whatever the planner believes about the tables."""

import os
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
import pytest

from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from penguinmails.db import transaction
from penguinmails.events.catalogue import ContactBlock, ContactCreated
from penguinmails.events.emit import emit_many
from penguinmails.events.outbox import end_announcement
from penguinmails.ids import new_uuid4
from sweep_deliveries.app import handler as sweep_deliveries
from tests.support.hooks import hook, make_due
from tests.support.http import call
from tests.support.plans import analyze, counted_reads
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant, make_tenant
from webhooks.app import handler as webhooks

TABLES = ("events", "webhook_deliveries", "webhook_attempts")
Belief = Callable[[TestTenant, str], None]
EVENTS = 800
PER_MESSAGE = 100


def raise_of(tenant: TestTenant, contact: UUID, events: int) -> None:
    """All in one change, so all of one moment."""
    block = ContactBlock(id=contact, email="a@example.com")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        emit_many(tx, [ContactCreated(contact=block, source="api")] * events)


def as_owner(*statements: str) -> None:
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"], autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def nothing_is_known(tenant: TestTenant, webhook_id: str) -> None:
    """As in the first minutes of a month."""
    as_owner(
        "TRUNCATE events, webhook_deliveries, webhook_attempts CASCADE",
        "DELETE FROM pg_statistic WHERE starelid IN (SELECT inhrelid FROM pg_inherits)",
    )


@cache
def delivered_to_another_tenant() -> dict[str, bytes]:
    """What the tables hold once that was done, which takes a while and is the same each time."""
    other = make_tenant()
    other_receiver = Receiver()
    hook(other.key(), other_receiver)
    raise_of(other, new_uuid4(), EVENTS)
    assert consume(fan_out, *messages_for("events", other.id)) == []
    assert consume(dispatch, *messages_for("deliveries", other.id)) == []
    other_receiver.stop()
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection, connection.cursor() as cursor:
        found: dict[str, bytes] = {}
        for table in TABLES:
            with cursor.copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as copy:  # noqa: S608 - one of TABLES
                found[table] = b"".join(bytes(part) for part in copy)
    assert [rows.count(b"\n") for rows in found.values()] == [EVENTS] * len(TABLES)
    return found


def all_was_of_another_tenant(tenant: TestTenant, webhook_id: str) -> None:
    nothing_is_known(tenant, webhook_id)
    of_another = delivered_to_another_tenant()
    nothing_is_known(tenant, webhook_id)
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table, rows in of_another.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(rows)
    analyze(*TABLES)


def the_webhook_had_more_than_others(tenant: TestTenant, webhook_id: str) -> None:
    """Few deliveries are of one webhook, and so the planner expects few of any."""
    nothing_is_known(tenant, webhook_id)
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"], autocommit=True) as connection:
        # Most webhooks do not exist.
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            """
            INSERT INTO webhook_deliveries (id, tenant_id, mode, webhook_id, event_id, event_type, event_created_at, status,
                                            finished_at)
            SELECT gen_random_uuid(), s.tenant_id, 'live', s.webhook_id, gen_random_uuid(), 'contact.created',
                   now() - n * interval '1 second', 'success', now()
            FROM (SELECT %s::uuid AS tenant_id, %s::uuid AS webhook_id, 3000 AS times
                  UNION ALL SELECT gen_random_uuid(), gen_random_uuid(), 3 FROM generate_series(1, 1000)) s
            CROSS JOIN generate_series(1, s.times) n
            """,
            [tenant.id, webhook_id],
        )
    raise_of(tenant, new_uuid4(), 50)
    # Lost, also where they wait in the outbox for their turn.
    messages_for("events", tenant.id)
    as_owner("DELETE FROM outbox")
    end_announcement(tenant.id, "live")
    analyze(*TABLES)


BELIEFS = [nothing_is_known, all_was_of_another_tenant, the_webhook_had_more_than_others]
believing = pytest.mark.parametrize("believe", BELIEFS, ids=lambda believe: believe.__name__)


def messages(tenant: TestTenant) -> list[dict[str, Any]]:
    return messages_for("deliveries", tenant.id)


@believing
@pytest.mark.parametrize("ordering", ["none", "contact"])
def test_fan_out_and_dispatcher_read_what_their_message_names(
    tenant: TestTenant,
    key: TestKey,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    ordering: str,
    believe: Belief,
) -> None:
    believe(tenant, hook(key, receiver, ordering=ordering).id)
    contact = new_uuid4()
    raise_of(tenant, contact, 1)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    receiver.answers = [(500, {})]
    assert consume(dispatch, *messages(tenant)) == []
    raise_of(tenant, contact, EVENTS)
    *events, last_events = messages_for("events", tenant.id)
    assert consume(fan_out, *events) == []

    with counted_reads(monkeypatch, *TABLES) as counted:
        assert consume(fan_out, last_events) == []
        assert consume(dispatch, messages(tenant)[-2]) == []

    assert len(receiver.posts) == (1 if ordering == "contact" else 1 + PER_MESSAGE)
    assert max(counted)[0] <= 6 * PER_MESSAGE, max(counted)


@believing
def test_a_pause_a_resumption_and_a_sweep_read_each_row_a_few_times(
    tenant: TestTenant, key: TestKey, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, believe: Belief
) -> None:
    hooked = hook(key, receiver)
    believe(tenant, hooked.id)
    raise_of(tenant, new_uuid4(), EVENTS)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    found = messages(tenant)
    path = f"/api/v1/webhooks/{hooked.id}"

    with counted_reads(monkeypatch, *TABLES) as counted:
        assert call(webhooks, "POST", f"{path}/pause", token=key.plaintext, json={}).status == 200
        assert consume(dispatch, *found) == []
        assert call(webhooks, "POST", f"{path}/resume", token=key.plaintext, json={}).status == 200
        # Lost, as is what the queue holds back: all is for the sweep.
        messages(tenant)
        make_due(tenant)
        run_job(sweep_deliveries)
    assert sum(len(message["deliveries"]) for message in messages(tenant)) == EVENTS

    assert max(counted)[0] <= 10 * EVENTS, max(counted)
