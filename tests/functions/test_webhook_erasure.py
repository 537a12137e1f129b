"""Erasing somebody takes out of the delivery log what receivers have answered to posts about them."""

from uuid import UUID

from penguinmails.db import transaction
from penguinmails.domain.contacts import erase_from_events
from penguinmails.events.catalogue import ContactBlock, ContactCreated
from penguinmails.events.emit import emit_many
from penguinmails.ids import new_uuid4
from sweep_deliveries.app import handler as sweep
from tests.support.hooks import attempts, deliveries, hook, make_due, work_off
from tests.support.http import call
from tests.support.queues import run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks


def raise_about(tenant: TestTenant, *contacts: UUID) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        emit_many(
            tx,
            [
                ContactCreated(contact=ContactBlock(id=contact, email=f"{contact.hex}@example.com"), source="api")
                for contact in contacts
            ],
        )


def erase(tenant: TestTenant, contact: UUID) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert erase_from_events(tx, [contact]) == 1


def answers(tenant: TestTenant) -> list[tuple[str | None, bool]]:
    """Per attempt the body of the answer, and whether its headers are there."""
    return [(attempt["response_body"], bool(attempt["response_headers"])) for attempt in attempts(tenant)]


def test_every_attempt_about_them_and_none_about_others_loses_its_answer(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver)
    receiver.answers = [(500, {})]
    ada, bea = new_uuid4(), new_uuid4()
    raise_about(tenant, ada)
    work_off(tenant)
    make_due(tenant)
    run_job(sweep)
    work_off(tenant)
    raise_about(tenant, bea)
    work_off(tenant)

    erase(tenant, ada)

    assert len(answers(tenant)) == 3
    assert answers(tenant)[-1] == ("ok", True)
    assert set(answers(tenant)[:-1]) == {(None, False)}
    assert attempts(tenant)[0]["status_code"] == 500, "what came of a post stays"


def test_an_answer_to_a_post_that_was_shared_goes_from_the_log_of_all_who_shared_it(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hook(key, receiver, batch_size=2)
    ada, bea, cid = new_uuid4(), new_uuid4(), new_uuid4()
    raise_about(tenant, ada, bea)
    work_off(tenant)
    raise_about(tenant, cid)
    work_off(tenant)
    assert (len(receiver.posts), answers(tenant)) == (2, [("ok", True)] * 3)

    erase(tenant, ada)

    assert answers(tenant) == [(None, False), (None, False), ("ok", True)]


def test_the_answer_to_a_test_post_of_their_event_goes_too(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    hooked = hook(key, receiver)
    ada = new_uuid4()
    raise_about(tenant, ada)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        (event_id,) = tx.all("SELECT id FROM events", {})
    path = f"/api/v1/webhooks/{hooked.id}/test"
    for body in ({"event_id": f"evt_{event_id.hex}"}, {"event_type": "contact.created"}):
        assert call(webhooks, "POST", path, token=key.plaintext, json=body).status == 200
    assert all(delivery["is_test"] for delivery in deliveries(tenant))

    erase(tenant, ada)

    assert answers(tenant) == [(None, False), ("ok", True)]
