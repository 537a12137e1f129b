"""An answer that comes while somebody is erased is not kept, whoever is first to store what."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from penguinmails.db import transaction
from penguinmails.domain.contacts import erase_from_events
from penguinmails.events.catalogue import ContactBlock, ContactCreated
from penguinmails.events.emit import emit_many
from penguinmails.ids import new_uuid4
from tests.support.connections import connected, wait_for_a_waiter
from tests.support.hooks import attempts, deliveries, hook, work_off
from tests.support.http import call
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks

PATIENCE_SECONDS = 20


def raise_about(tenant: TestTenant, *contacts: UUID) -> None:
    blocks = [ContactBlock(id=contact, email=f"{contact.hex}@example.com") for contact in contacts]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        emit_many(tx, [ContactCreated(contact=block, source="api") for block in blocks])


def erase(tenant: TestTenant, contact: UUID, *, erased: threading.Event, while_others_wait: bool) -> None:
    with connected("DATABASE_URL", tenant) as tx:
        assert erase_from_events(tx, [contact]) == 1
        if while_others_wait:
            erased.set()
            wait_for_a_waiter("advisory")
        tx.connection.commit()
    erased.set()


def answers(tenant: TestTenant) -> list[tuple[str | None, bool]]:
    return [(attempt["response_body"], bool(attempt["response_headers"])) for attempt in attempts(tenant)]


@pytest.mark.parametrize("is_open", [False, True], ids=["erasure committed", "erasure under way"])
@pytest.mark.parametrize("batch_size", [1, 2])
def test_an_answer_that_is_stored_after_the_erasure_began_is_blank(
    tenant: TestTenant, key: TestKey, receiver: Receiver, *, is_open: bool, batch_size: int
) -> None:
    hook(key, receiver, batch_size=batch_size)
    ada, bea = new_uuid4(), new_uuid4()
    raise_about(tenant, ada, *([bea] if batch_size == 2 else []))
    erased = threading.Event()
    with ThreadPoolExecutor(1) as pool:

        def erase_meanwhile(change: int) -> None:
            if change == 1:
                running.append(pool.submit(erase, tenant, ada, erased=erased, while_others_wait=is_open))
                assert erased.wait(PATIENCE_SECONDS)

        running = []
        receiver.while_waiting = erase_meanwhile
        work_off(tenant)
        running[0].result()

    assert len(receiver.posts) == 1
    assert ada.hex.encode() in receiver.posts[0].body, "it was on its way before"
    assert answers(tenant) == [(None, False)] * batch_size
    assert {(row["status"], row["attempts"]) for row in deliveries(tenant)} == {("success", 1)}


def test_an_erasure_waits_for_answers_that_are_being_stored(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    ada = new_uuid4()
    raise_about(tenant, ada)
    work_off(tenant)

    with ThreadPoolExecutor(1) as pool:
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            tx.run(
                """
                INSERT INTO webhook_attempts (tenant_id, mode, delivery_id, event_created_at, attempt_number, attempted_at,
                                              duration_ms, request_headers, response_headers, response_body)
                SELECT tenant_id, mode, id, event_created_at, 1, now(), 1, '{}', '{"Echo": "Ada"}', 'Ada'
                FROM webhook_deliveries
                """,
                {},
            )
            running = pool.submit(erase, tenant, ada, erased=threading.Event(), while_others_wait=False)
            wait_for_a_waiter("advisory")
        running.result()

    assert answers(tenant) == [(None, False)] * 2


def test_answers_about_others_are_kept_while_somebody_is_erased(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    ada, bea = new_uuid4(), new_uuid4()
    raise_about(tenant, ada)
    erase(tenant, ada, erased=threading.Event(), while_others_wait=False)
    raise_about(tenant, bea)

    work_off(tenant)

    kept = {row["event_id"]: answer for row, answer in zip(deliveries(tenant), answers(tenant), strict=True)}
    assert sorted(map(str, kept.values())) == sorted(map(str, [(None, False), ("ok", True)]))


def test_the_answer_to_a_test_post_of_an_event_that_is_erased_meanwhile_is_blank(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hooked = hook(key, receiver)
    ada = new_uuid4()
    raise_about(tenant, ada)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        (event_id,) = tx.all("SELECT id FROM events", {})
    erased = threading.Event()
    with ThreadPoolExecutor(1) as pool:

        def erase_meanwhile(change: int) -> None:
            if change == 1:
                pool.submit(erase, tenant, ada, erased=erased, while_others_wait=False)
                assert erased.wait(PATIENCE_SECONDS)

        receiver.while_waiting = erase_meanwhile
        body = {"event_id": f"evt_{event_id.hex}"}
        answer = call(webhooks, "POST", f"/api/v1/webhooks/{hooked.id}/test", token=key.plaintext, json=body)

    assert answer.status == 200, answer.body
    assert answers(tenant) == [(None, False)]
