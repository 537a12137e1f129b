"""Contacts: a change names the version that it was made from, and simultaneous changes do not lose each other."""

import asyncio
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from contacts.app import handler
from penguinmails.db import transaction
from tests.support.http import Answer, call
from tests.support.tenants import TestKey, TestTenant

CONTACTS = "/api/v1/contacts"


def create(key: TestKey, email: str = "ada@example.com", **fields: Any) -> str:
    answer = call(handler, "POST", CONTACTS, token=key.plaintext, json={"email": email, **fields})
    assert answer.status == 201, answer.body
    return f"{CONTACTS}/{answer.json['id']}"


def test_the_etag_changes_with_the_contact_and_only_then(key: TestKey) -> None:
    path = create(key)
    first = call(handler, "GET", path, token=key.plaintext).headers["etag"]

    assert first.startswith('"')
    assert call(handler, "GET", path, token=key.plaintext).headers["etag"] == first
    changed = call(handler, "PUT", path, token=key.plaintext, json={"tags": ["vip"]})
    assert changed.headers["etag"] != first
    assert call(handler, "GET", path, token=key.plaintext).headers["etag"] == changed.headers["etag"]


def test_what_a_contact_opens_is_no_new_version_of_it(tenant: TestTenant, key: TestKey) -> None:
    path = create(key)
    first = call(handler, "GET", path, token=key.plaintext)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE contacts SET total_opens = 1, last_email_opened_at = now()", {})

    second = call(handler, "GET", path, token=key.plaintext)

    assert second.json["total_opens"] == 1
    assert second.json["lead_score"] > first.json["lead_score"], "which is computed"
    assert second.headers["etag"] == first.headers["etag"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_of_another_version_is_refused_and_changes_nothing(key: TestKey, method: str) -> None:
    path = create(key)
    read = call(handler, "GET", path, token=key.plaintext).headers["etag"]
    present = call(handler, "PUT", path, token=key.plaintext, json={"company": "Engines"}).headers["etag"]
    body = None if method == "DELETE" else {"company": "Looms"}

    def send(if_match: str) -> Answer:
        return call(handler, method, path, token=key.plaintext, json=body, headers={"If-Match": if_match})

    for stale in (read, f"W/{present}", "nonsense", present.strip('"')):
        refused = send(stale)
        assert (refused.status, refused.code) == (412, "PRECONDITION_FAILED")
    assert call(handler, "GET", path, token=key.plaintext).json["company"] == "Engines"
    assert send(f'"other", {present}').status == 200


def test_any_version_matches_a_star(key: TestKey) -> None:
    path = create(key)

    assert call(handler, "DELETE", path, token=key.plaintext, headers={"If-Match": "*"}).status == 200


def test_a_version_of_a_contact_that_is_gone_is_not_found(key: TestKey) -> None:
    answer = call(handler, "PUT", f"{CONTACTS}/{uuid4()}", token=key.plaintext, json={}, headers={"If-Match": "*"})

    assert answer.status == 404


@contextmanager
def other_client(tenant: TestTenant) -> Generator[psycopg.Connection[Any]]:
    """A second connection in the middle of a transaction of the same tenant."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute(
            "SELECT set_config('app.current_tenant_id', %s, true), set_config('app.current_mode', 'live', true)",
            [str(tenant.id)],
        )
        yield connection


def insert(connection: psycopg.Connection[Any], tenant: TestTenant, email: str) -> None:
    connection.execute(
        "INSERT INTO contacts (id, tenant_id, mode, email, source) VALUES (%s, %s, 'live', %s, 'api')",
        [uuid4(), tenant.id, email],
    )


def answer_after_commit(other: psycopg.Connection[Any], request: Callable[[], Answer]) -> Answer:
    """The answer to a request that runs into the other client's uncommitted change and waits for its commit."""
    answers: list[Answer] = []

    def run() -> None:
        # The handler takes the thread's event loop, which only the main thread has by itself.
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            answers.append(request())
        finally:
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    pid = other.info.backend_pid
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"], autocommit=True) as watcher:

        def somebody_waits() -> bool:
            blocked = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
            row = watcher.execute(blocked, [pid]).fetchone()
            return row is not None and row[0] > 0

        for _ in range(1_000):
            if somebody_waits() or not thread.is_alive():
                break
            threading.Event().wait(0.01)
    assert thread.is_alive(), "the request did not meet the other client's change"
    other.commit()
    thread.join()
    return answers[0]


def test_an_upsert_that_loses_the_race_to_create_updates(tenant: TestTenant, key: TestKey) -> None:
    body = {"email": "race@example.com", "company": "Engines"}
    with other_client(tenant) as other:
        insert(other, tenant, "race@example.com")

        answer = answer_after_commit(
            other, lambda: call(handler, "POST", CONTACTS, token=key.plaintext, json=body, query={"upsert": "true"})
        )

    assert (answer.status, answer.json["company"]) == (200, "Engines")


def test_two_clients_cannot_both_take_the_last_place_of_the_plan(tenant: TestTenant, key: TestKey) -> None:
    with transaction(role="jobs") as tx:
        tx.run(
            "INSERT INTO tenant_overrides (tenant_id, limits, reason) VALUES (%(id)s, '{\"max_contacts\": 1}', 'test')",
            {"id": tenant.id},
        )
    with other_client(tenant) as other:
        insert(other, tenant, "first@example.com")

        body = {"email": "second@example.com"}
        answer = answer_after_commit(other, lambda: call(handler, "POST", CONTACTS, token=key.plaintext, json=body))

    assert (answer.status, answer.code) == (403, "QUOTA_EXCEEDED")
