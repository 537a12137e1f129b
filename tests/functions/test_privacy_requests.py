"""A person's copy holds all that is there about them; an erasure leaves nothing that says who they were."""

import base64
import contextlib
import json
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest

from answer_privacy_requests import service
from answer_privacy_requests.app import handler as answer
from contacts.app import handler as contacts_handler
from emails.app import handler as emails_handler
from fan_out_events.app import handler as fan_out
from penguinmails import aws
from penguinmails.db import transaction
from privacy_requests.app import handler
from purge_files.app import handler as purge
from send_emails.app import handler as send
from suppression.app import handler as suppression_handler
from tests.support.http import call
from tests.support.privacy import REQUESTS, ask, copy, copy_link, follow, where_it_stands
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant
from tests.support.uploads import stored_key, uploaded


@pytest.fixture
def address() -> str:
    return f"ada.{uuid4().hex}@example.com"


def add(key: TestKey, email: str, **fields: Any) -> dict[str, Any]:
    made = call(contacts_handler, "POST", "/api/v1/contacts", token=key.plaintext, json={"email": email, **fields})
    assert made.status == 201, made.body
    return made.json


def mail(key: TestKey, to: str, **fields: Any) -> str:
    body = {"to": to, "subject": f"For {to}", "text_body": f"Dear {to}", **fields}
    queued = call(emails_handler, "POST", "/api/v1/emails/send", token=key.plaintext, json=body)
    assert queued.status == 200, queued.body
    return queued.json["id"]


def deliver(tenant: TestTenant) -> None:
    assert consume(send, *messages_for("emails", tenant.id)) == []
    assert consume(fan_out, *messages_for("events", tenant.id)) == []


def test_a_copy_holds_the_person_s_data_and_nobody_else_s(tenant: TestTenant, key: TestKey, address: str) -> None:
    add(key, address, first_name="Ada", tags=["poets"])
    add(key, "bob@example.com", first_name="Bob")
    mail(key, address)
    mail(key, "bob@example.com")
    deliver(tenant)
    request = ask(key, "access", address, reference="case 7")

    run_job(answer)

    done, content = follow(key, request["id"]), copy(key, request["id"])
    assert (done["status"], done["reference"]) == ("completed", "case 7")
    assert done["found"] == {name: len(rows) for name, rows in content.items()}
    assert content["contacts"][0]["first_name"] == "Ada"
    assert content["tags"] == ["poets"]
    assert content["emails"][0]["text"] == f"Dear {address}"
    assert {event["type"] for event in content["events"]} >= {"contact.created", "email.sent"}
    assert "bob@example.com" not in json.dumps(content)


def test_a_copy_names_the_files_that_were_sent_to_the_person(tenant: TestTenant, key: TestKey, address: str) -> None:
    inline, kept, gone = b"a;b", b"%PDF-1.7 kept", b"%PDF-1.7 gone"
    uploads = [uploaded(key, kept, file_name="kept.pdf"), uploaded(key, gone, file_name="gone.pdf")]
    files = [
        {"file_name": "a.csv", "content_type": "text/csv", "content": base64.b64encode(inline).decode()},
        *({"upload_id": upload["id"]} for upload in uploads),
    ]
    email_id = mail(key, address, attachments=files)
    mail(key, "bob@example.com", attachments=[{**files[0], "file_name": "bob.csv"}])
    deliver(tenant)
    aws.delete_objects([stored_key(uploads[1])])
    request = ask(key, "access", address)

    run_job(answer)

    assert copy(key, request["id"])["email_attachments"] == [
        {
            "email_id": email_id,
            "file_name": name,
            "content_type": kind,
            "size": len(content),
            "sha256": sha256(content).hexdigest() if content != gone else None,
        }
        for name, kind, content in (
            ("a.csv", "text/csv", inline),
            ("kept.pdf", "application/pdf", kept),
            ("gone.pdf", "application/pdf", gone),
        )
    ]


def test_an_erasure_takes_the_files_that_went_to_the_person_alone(
    tenant: TestTenant, key: TestKey, address: str
) -> None:
    own, shared = (uploaded(key, file_name=f"{name}.pdf") for name in ("own", "shared"))
    inline = {"file_name": "inline.csv", "content": base64.b64encode(b"a;b").decode()}
    mail(key, address, attachments=[inline, {"upload_id": own["id"]}, {"upload_id": shared["id"]}])
    mail(key, "bob@example.com", attachments=[{"upload_id": shared["id"]}])
    deliver(tenant)
    ask(key, "erasure", address)

    run_job(answer)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE email_uploads SET look_at = look_at - interval '2 hours'", {})
    run_job(purge)

    assert where_it_stands(tenant.id, "inline.csv") == where_it_stands(tenant.id, "own.pdf") == set()
    assert aws.object_size(stored_key(own)) is None
    assert where_it_stands(tenant.id, "shared.pdf") == {"email_attachments", "email_uploads"}
    assert aws.object_size(stored_key(shared)) is not None


def test_an_erasure_leaves_the_address_in_no_table_and_others_untouched(
    tenant: TestTenant, key: TestKey, address: str
) -> None:
    add(key, address, first_name="Ada", tags=["poets"])
    add(key, "bob@example.com")
    for to in (address, "bob@example.com"):
        mail(key, to, tags=["greeting"])
    deliver(tenant)
    assert {"contacts", "emails", "content_objects", "events"} <= where_it_stands(tenant.id, address)
    bobs = where_it_stands(tenant.id, "bob@example.com")
    request = ask(key, "erasure", address, reference="case 8")

    run_job(answer)

    done = follow(key, request["id"])
    assert (done["status"], done["email"], done["reference"]) == ("completed", None, "case 8")
    assert (done["found"]["contacts"], done["found"]["emails"]) == (1, 1)
    assert where_it_stands(tenant.id, address) == set()
    assert where_it_stands(tenant.id, "bob@example.com") == bobs


def test_somebody_who_is_no_contact_is_erased_too(tenant: TestTenant, key: TestKey, address: str) -> None:
    mail(key, address)
    deliver(tenant)
    ask(key, "erasure", address)

    run_job(answer)

    assert where_it_stands(tenant.id, address) == set()


def test_who_opted_out_stays_suppressed_and_nothing_else_is_kept(
    tenant: TestTenant, key: TestKey, address: str
) -> None:
    add(key, address, status="unsubscribed")
    ask(key, "erasure", address)

    run_job(answer)

    assert where_it_stands(tenant.id, address) == {"suppression_list"}
    check = call(
        suppression_handler, "GET", "/api/v1/suppression-list/check", token=key.plaintext, query={"email": address}
    )
    assert check.json["suppressed"]


def test_a_mail_that_waits_is_not_sent_any_more(tenant: TestTenant, key: TestKey, address: str) -> None:
    email_id = mail(key, address)
    ask(key, "erasure", address)

    run_job(answer)
    deliver(tenant)

    found = call(emails_handler, "GET", f"/api/v1/emails/{email_id}", token=key.plaintext).json
    assert (found["status"], found["to"], found["subject"]) == ("cancelled", "erased@erased.invalid", "")


def test_a_mail_that_is_being_sent_is_waited_for(tenant: TestTenant, key: TestKey, address: str) -> None:
    email_id = mail(key, address)

    def set_status(status: str) -> None:
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            tx.run("UPDATE emails SET status = %(s)s WHERE id = %(id)s::uuid", {"s": status, "id": email_id})

    set_status("sending")
    request = ask(key, "erasure", address)
    run_job(answer)
    between = follow(key, request["id"])["status"]
    set_status("sent")
    run_job(answer)

    assert (between, follow(key, request["id"])["status"]) == ("processing", "completed")
    assert where_it_stands(tenant.id, address) == set()


def test_many_mails_are_erased_in_batches(
    tenant: TestTenant, key: TestKey, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        mail(key, address)
    monkeypatch.setattr(service, "BATCH", 2)
    request = ask(key, "erasure", address)

    run_job(answer)

    assert follow(key, request["id"])["found"]["emails"] == 5
    assert where_it_stands(tenant.id, address) == set()


def test_live_and_test_data_are_two(tenant: TestTenant, key: TestKey, address: str) -> None:
    in_test = tenant.key(mode="test")
    add(key, address)
    add(in_test, address)
    ask(in_test, "erasure", address)

    run_job(answer)

    assert where_it_stands(tenant.id, address) >= {"contacts"}
    with transaction(tenant_id=tenant.id, mode="test") as tx:
        assert tx.one("SELECT count(*) FROM contacts", {}) == 0


def test_there_is_a_copy_of_a_completed_access_only_and_for_seven_days(
    tenant: TestTenant, key: TestKey, address: str
) -> None:
    access, erasure = ask(key, "access", address), ask(key, "erasure", f"x{address}")
    early = copy_link(key, access["id"])
    run_job(answer)
    assert copy_link(key, access["id"]).status == 200
    wrong = copy_link(key, erasure["id"])
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE privacy_requests SET expires_at = expires_at - %(d)s", {"d": timedelta(days=7, seconds=1)})
    run_job(purge)
    late = copy_link(key, access["id"])

    assert [(a.status, a.code) for a in (early, wrong, late)] == [(409, "INVALID_STATE_TRANSITION")] * 3
    assert follow(key, access["id"])["status"] == "expired"
    assert aws.list_objects(f"{tenant.id}/", 10) == []


def test_requests_are_found_by_address(key: TestKey, address: str) -> None:
    ask(key, "access", address)
    ask(key, "access", "someone@example.com")

    found = call(handler, "GET", REQUESTS, token=key.plaintext, query={"email": address.upper()})

    assert [row["email"] for row in found.json["data"]] == [address]


def test_a_request_that_always_fails_ends_and_says_so(
    key: TestKey, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ConnectionError("no S3 today")

    request = ask(key, "access", address)
    monkeypatch.setattr(service, "store_object", refuse)
    # Those of other tests may be open too.
    for _ in range(100):
        with contextlib.suppress(ConnectionError):
            service.answer()
        if follow(key, request["id"])["status"] == "failed":
            break

    assert "Make the request again" in follow(key, request["id"])["error"]


def test_what_became_of_earlier_requests_stays_when_the_address_goes(
    tenant: TestTenant, key: TestKey, address: str
) -> None:
    access, failed, expired = (ask(key, "access", address) for _ in range(3))
    run_job(answer)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        for status, request in (("failed", failed), ("expired", expired)):
            tx.run(
                "UPDATE privacy_requests SET status = %(s)s, file_key = NULL WHERE id = %(id)s::uuid",
                {"s": status, "id": request["id"]},
            )
    before = [follow(key, request["id"]) for request in (access, failed, expired)]
    ask(key, "erasure", address)

    run_job(answer)

    after = [follow(key, request["id"]) for request in (access, failed, expired)]
    assert after == [{**request, "email": None} for request in before]
    assert copy_link(key, access["id"]).status == 200, "it was asked for, and is there for its seven days"


def test_what_is_no_address_is_refused(key: TestKey) -> None:
    refused = call(handler, "POST", REQUESTS, token=key.plaintext, json={"type": "erase", "email": "ada"})

    assert refused.status == 400
    assert {error["field"] for error in refused.json["errors"]} == {"type", "email"}
