"""What somebody wrote is theirs in whatever conversation it stands: it is in their copy, and goes when they are erased."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from answer_privacy_requests import repository
from answer_privacy_requests.app import handler as answer
from inbox.app import handler
from penguinmails.db import transaction
from penguinmails.mime import Attachment
from provider_events.replies import Answer, take_answer
from tests.support.connections import connected, wait_for_a_waiter
from tests.support.http import call
from tests.support.privacy import ask, copy, follow, where_it_stands
from tests.support.queues import run_job
from tests.support.tenants import TestKey, TestTenant

THREADS = "/api/v1/inbox/threads"
BEGAN = datetime(2026, 1, 31, 12, tzinfo=UTC)
ALICE = "alice@example.com"
PATIENCE_SECONDS = 20


@pytest.fixture
def bob() -> str:
    return f"bob.{uuid4().hex}@example.com"


def written(sender: str, text: str, minute: int, subject: str = "Re: Hello", answers: Sequence[str] = ()) -> Answer:
    """A mail that came in `minute` minutes after the first; it is named after its text, and brings a file of that name."""
    return Answer(
        message_id=f"<{text}@example.com>", from_email=sender, from_name=sender, subject=subject, text=text,
        references=[f"<{text}@example.com>" for text in answers], plus="", is_automatic=False,
        received_at=BEGAN + timedelta(minutes=minute), files=[Attachment(f"{text}.txt", "text/plain", b"Hello")],
    )  # fmt: skip


def take_in(tenant: TestTenant, *mails: Answer) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert all(take_answer(tx, mail) for mail in mails)


def threads(key: TestKey) -> list[Any]:
    return call(handler, "GET", THREADS, token=key.plaintext).json["data"]


def texts(key: TestKey, thread_id: str) -> list[str]:
    shown = call(handler, "GET", f"{THREADS}/{thread_id}", token=key.plaintext).json
    return [message["text"] for message in shown["messages"]]


def erase(key: TestKey, address: str) -> dict[str, Any]:
    request = ask(key, "erasure", address)
    run_job(answer)
    done = follow(key, request["id"])
    assert done["status"] == "completed"
    return done["found"]


def test_a_conversation_with_somebody_else_is_shown_by_what_is_left_of_it(
    tenant: TestTenant, key: TestKey, bob: str
) -> None:
    take_in(
        tenant,
        written(ALICE, "for  Bob\n first", 0, "About us"),
        written(ALICE, "for Bob again", 1, answers=["for  Bob\n first"]),
        written(bob, "diagnosis", 2, f"Of {bob}", answers=["for Bob again"]),
    )
    (before,) = threads(key)

    assert erase(key, bob)["inbox_messages"] == 1

    (after,) = threads(key)
    assert before["snippet"] == "diagnosis"
    assert after == {**before, "snippet": "for Bob again", "last_message_at": "2026-01-31T12:01:00Z"}
    assert texts(key, after["id"]) == ["for  Bob\n first", "for Bob again"]
    assert where_it_stands(tenant.id, "diagnosis") == where_it_stands(tenant.id, bob) == set()


def test_a_subject_that_the_erased_person_began_with_is_replaced_by_the_next(
    tenant: TestTenant, key: TestKey, bob: str
) -> None:
    """As where the conversation's correspondent has another address by now."""
    take_in(tenant, written(bob, "mine", 0, "My illness"), written(ALICE, "hers\n\n now", 1, "Hers", answers=["mine"]))
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE inbox_threads SET correspondent = %(alice)s", {"alice": ALICE})

    erase(key, bob)

    (thread,) = threads(key)
    assert (thread["subject"], thread["snippet"]) == ("Hers", "hers now")


def test_a_conversation_of_which_nothing_is_left_goes_and_others_stay(
    tenant: TestTenant, key: TestKey, bob: str
) -> None:
    take_in(
        tenant,
        written(bob, "with him", 0),
        written(ALICE, "in his", 1, answers=["with him"]),
        written(ALICE, "hers alone", 2),
    )

    assert erase(key, bob)["inbox_messages"] == 2

    assert [thread["snippet"] for thread in threads(key)] == ["hers alone"]


def erase_conversations(tenant: TestTenant, address: str) -> None:
    with connected("DATABASE_URL", tenant) as tx:
        repository.erase_conversations(tx, address)
        tx.connection.commit()


def test_an_answer_that_comes_meanwhile_is_what_the_conversation_is_shown_by(
    tenant: TestTenant, key: TestKey, bob: str
) -> None:
    take_in(tenant, written(ALICE, "first", 0), written(bob, "second", 1, answers=["first"]))
    with ThreadPoolExecutor(1) as pool, connected("DATABASE_URL", tenant) as tx:
        assert take_answer(tx, written(ALICE, "third", 2, answers=["second"]))
        erasure = pool.submit(erase_conversations, tenant, bob)
        wait_for_a_waiter("transactionid")
        tx.connection.commit()
        erasure.result()

    (thread,) = threads(key)
    assert (thread["snippet"], texts(key, thread["id"])) == ("third", ["first", "third"])


def test_a_copy_has_what_the_person_wrote_anywhere_and_the_conversations_with_them(
    tenant: TestTenant, key: TestKey, bob: str
) -> None:
    take_in(
        tenant,
        written(ALICE, "about Bob", 0),
        written(bob, "in hers", 1, answers=["about Bob"]),
        written(bob, "with him", 2),
        written(ALICE, "in his", 3, answers=["with him"]),
    )
    request = ask(key, "access", bob)

    run_job(answer)

    content = copy(key, request["id"])
    assert [message["body_text"] for message in content["inbox_messages"]] == ["in hers", "with him", "in his"]
    assert [file["file_name"] for file in content["inbox_attachments"]] == ["in hers.txt", "with him.txt", "in his.txt"]
    assert [thread["snippet"] for thread in content["inbox_threads"]] == ["in his"]
