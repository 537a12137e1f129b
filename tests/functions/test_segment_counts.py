"""Previews and counts of segments end in time: what a request does not count, a job does, part by part."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from contacts.app import handler as contacts_handler
from count_segments import repository as counting
from count_segments import service as job
from count_segments.app import handler as worker
from penguinmails.db import transaction
from penguinmails.domain import segment_pages
from segments import service
from segments.app import handler
from tests.support.http import Answer, call
from tests.support.queues import run_job
from tests.support.tenants import TestKey, TestTenant

SEGMENTS = "/api/v1/segments"
LOOKED_AT = {"field": "company", "operator": "contains", "value": "cm"}
SEARCHED = {"field": "company", "operator": "equals", "value": "acme"}
OVER = timedelta(seconds=-1)


def ask(key: TestKey, method: str, path: str = "", body: Any = None) -> Answer:
    return call(handler, method, SEGMENTS + path, token=key.plaintext, json=body)


@pytest.fixture
def hurry(key: TestKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven contacts of which every second one is of Acme; the time is up whenever two were looked at."""
    for n in range(7):
        body = {"email": f"p{n}@example.com", "company": "Acme" if n % 2 == 0 else "Bolt"}
        assert call(contacts_handler, "POST", "/api/v1/contacts", token=key.plaintext, json=body).status == 201
    monkeypatch.setattr(segment_pages, "WINDOW", 2)
    monkeypatch.setattr(service, "count_in_time", partial(segment_pages.count_in_time, budget=OVER))
    monkeypatch.setattr(service, "page_in_time", partial(segment_pages.page_in_time, budget=OVER))
    monkeypatch.setattr(job, "PART", OVER)


def shown(answer: Answer) -> tuple[Any, ...]:
    return answer.status, answer.json["count"], answer.json["counting"], answer.json["counted_at"] is not None


@pytest.mark.usefixtures("hurry")
def test_a_preview_that_is_stopped_says_at_least_and_goes_on_behind_it(key: TestKey) -> None:
    seen: list[str] = []
    counts: list[tuple[int, str]] = []
    cursor = None
    for _ in range(9):
        answer = ask(key, "POST", "/preview", {"definition": LOOKED_AT, "cursor": cursor})
        assert answer.status == 200, answer.body
        seen += [contact["email"] for contact in answer.json["sample"]]
        counts.append((answer.json["count"], answer.json["count_is"]))
        cursor = answer.json["next_cursor"]
        if cursor is None:
            break

    assert seen == [f"p{n}@example.com" for n in (6, 4, 2, 0)]
    assert counts == [(1, "at_least"), (1, "at_least"), (1, "at_least"), (1, "exact")]


def test_a_preview_counts_up_to_a_bound(key: TestKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_COUNTED", 2)
    answers: list[tuple[Any, ...]] = []
    for n in range(3):
        body = {"email": f"p{n}@example.com", "company": "Acme"}
        call(contacts_handler, "POST", "/api/v1/contacts", token=key.plaintext, json=body)
        for definition in (LOOKED_AT, SEARCHED):
            found = ask(key, "POST", "/preview", {"definition": definition, "sample": 1}).json
            answers.append((found["count"], found["count_is"], len(found["sample"]), found["next_cursor"]))

    assert answers[::2] == answers[1::2] == [(1, "exact", 1, None), (2, "exact", 1, None), (2, "at_least", 1, None)]


def test_a_cursor_that_is_none_is_refused(key: TestKey) -> None:
    answer = ask(key, "POST", "/preview", {"definition": SEARCHED, "cursor": "x"})

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "cursor")


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("definition", [LOOKED_AT, SEARCHED, {"not": SEARCHED}], ids=str)
def test_what_a_request_does_not_count_in_time_is_counted_by_a_job(key: TestKey, definition: Any) -> None:
    made = ask(key, "POST", "", {"name": "Acme", "definition": definition})
    path = f"/{made.json['id']}"
    run_job(worker)

    expected = 3 if "not" in definition else 4
    # The search of so few contacts ends before the time is looked at.
    assert shown(made) in {(201, None, True, False), (201, expected, False, True)}
    assert shown(ask(key, "GET", path)) == (200, expected, False, True)


@pytest.mark.usefixtures("hurry")
def test_a_count_that_is_asked_for_keeps_the_last_number_until_it_is_done(key: TestKey) -> None:
    path = f"/{ask(key, 'POST', '', {'name': 'Acme', 'definition': LOOKED_AT}).json['id']}"
    run_job(worker)
    before = ask(key, "GET", path).json["counted_at"]
    body = {"email": "new@example.com", "company": "Acme"}
    call(contacts_handler, "POST", "/api/v1/contacts", token=key.plaintext, json=body)

    again = [ask(key, "POST", f"{path}/count", {}) for _ in range(2)]
    assert [shown(answer) for answer in again] == [(202, 4, True, True)] * 2
    run_job(worker)

    done = ask(key, "GET", path)
    assert shown(done) == (200, 5, False, True)
    assert done.json["counted_at"] > before


@pytest.mark.usefixtures("hurry")
def test_a_count_goes_on_where_a_crash_has_left_it(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/{ask(key, 'POST', '', {'name': 'Acme', 'definition': LOOKED_AT}).json['id']}"
    job.count()
    with monkeypatch.context() as patched:
        patched.setattr(job, "keep_count", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            job.count()
    assert job.count() == 0, "whoever has taken it is waited for"
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE segments SET count_due_at = now()", {})
    run_job(worker)

    assert shown(ask(key, "GET", path)) == (200, 4, False, True)


@pytest.mark.usefixtures("hurry")
def test_rules_that_change_while_they_are_counted_are_counted_from_the_start(key: TestKey) -> None:
    path = f"/{ask(key, 'POST', '', {'name': 'Acme', 'definition': LOOKED_AT}).json['id']}"
    job.count()
    changed = ask(key, "PUT", path, {"definition": {"not": LOOKED_AT}})
    run_job(worker)

    assert shown(changed) == (200, None, True, False)
    assert shown(ask(key, "GET", path)) == (200, 3, False, True)


@pytest.mark.usefixtures("hurry")
def test_rules_that_cannot_be_read_any_more_end_without_a_count(tenant: TestTenant, key: TestKey) -> None:
    path = f"/{ask(key, 'POST', '', {'name': 'Acme', 'definition': LOOKED_AT}).json['id']}"
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("""UPDATE segments SET definition = '{"field": "attributes.gone", "operator": "is_set"}'""", {})
    run_job(worker)

    assert shown(ask(key, "GET", path)) == (200, None, False, False)
    with transaction(role="jobs") as tx:
        assert counting.take_due(tx) is None
