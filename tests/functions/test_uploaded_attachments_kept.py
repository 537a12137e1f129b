"""Uploaded files are there when their mail leaves, however long it waits, and gone when no mail waits for them."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from answer_privacy_requests.app import handler as answer_privacy_requests
from emails.app import handler as emails
from local.services.mail import MailCatcher
from penguinmails import aws
from penguinmails.db import transaction
from privacy_requests.app import handler as privacy_requests
from purge_files.app import handler as purge
from tests.support.http import call
from tests.support.queues import run_job
from tests.support.tenants import TestKey, TestTenant
from tests.support.uploads import (
    EMAILS,
    OUTAGES,
    deliver,
    in_a_month,
    let_days_pass,
    let_mails_come_due,
    send,
    shown,
    store_out_of_reach,
    stored_key,
    uploaded,
)

# ---- when the mail leaves ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outage", OUTAGES)
def test_a_mail_waits_while_its_file_cannot_be_read_and_leaves_with_it_afterwards(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, outage: str
) -> None:
    to = f"{uuid4().hex}@example.com"
    email_id = send(key, uploaded(key, b"x" * 70_000)["id"], to=to).json["id"]

    with store_out_of_reach(outage):
        deliver(tenant)
    waiting = shown(key, email_id)
    let_mails_come_due(tenant)
    deliver(tenant)

    assert (waiting["status"], waiting["error"]) == ("queued", "the store of uploaded files cannot be reached")
    assert shown(key, email_id)["status"] == "sent"
    assert [content for _, _, content in mail_catcher.mails_to(to)[0].attachments] == [b"x" * 70_000]


@pytest.mark.parametrize("what", ["removed", "another size"])
def test_a_mail_whose_file_is_gone_fails_and_says_which(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, what: str
) -> None:
    upload, to = uploaded(key), f"{uuid4().hex}@example.com"
    email_id = send(key, upload["id"], to=to).json["id"]
    if what == "removed":
        aws.delete_objects([stored_key(upload)])
    else:
        aws.store_object(stored_key(upload), b"x" * 20_000_000, "application/pdf")

    deliver(tenant)

    email = shown(key, email_id)
    assert (email["status"], email["error"]) == ("failed", "the uploaded file report.pdf is not there any more")
    assert mail_catcher.mails_to(to) == []


# ---- how long files stay ----------------------------------------------------------------------------------------------


def test_a_file_is_removed_after_a_week_and_the_mails_still_tell_of_it(tenant: TestTenant, key: TestKey) -> None:
    upload, unused, young = uploaded(key), uploaded(key), None
    email_id = send(key, upload["id"]).json["id"]
    deliver(tenant)
    run_job(purge)
    assert len(aws.list_objects(f"{tenant.id}/", 10)) == 2
    let_days_pass(tenant, 8)
    young = uploaded(key)

    run_job(purge)

    assert aws.list_objects(f"{tenant.id}/", 10) == [stored_key(young)]
    assert shown(key, email_id)["attachments"] == [
        {"file_name": "report.pdf", "content_type": "application/pdf", "size": 8}
    ]
    for gone in (upload, unused):
        assert send(key, gone["id"]).json["errors"][0]["code"] == "not_found"


def test_a_file_stays_for_as_long_as_a_mail_waits_that_names_it(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    upload, to = uploaded(key, b"a month old"), f"{uuid4().hex}@example.com"
    assert send(key, upload["id"]).status == 200
    deliver(tenant)
    email_id = send(key, upload["id"], to=to, scheduled_at=in_a_month()).json["id"]

    for _ in range(5):
        let_days_pass(tenant, 8)
        run_job(purge)
        assert aws.object_size(stored_key(upload)) == 11
    let_mails_come_due(tenant)
    deliver(tenant)
    let_days_pass(tenant, 1)
    run_job(purge)

    assert shown(key, email_id)["status"] == "sent"
    assert [content for _, _, content in mail_catcher.mails_to(to)[0].attachments] == [b"a month old"]
    assert aws.object_size(stored_key(upload)) is None


def test_a_file_that_is_needed_is_renewed_before_the_bucket_itself_would_remove_it(
    tenant: TestTenant, key: TestKey
) -> None:
    upload = uploaded(key)
    send(key, upload["id"], scheduled_at=in_a_month())

    def last_modified() -> datetime:
        return aws.client("s3").head_object(Bucket="files", Key=stored_key(upload))["LastModified"]

    def renewed_at() -> datetime:
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            return tx.one("SELECT renewed_at FROM email_uploads", {})

    let_days_pass(tenant, 8)
    run_job(purge)
    assert datetime.now(UTC) - renewed_at() > timedelta(days=7)
    before = last_modified()
    let_days_pass(tenant, 13)
    run_job(purge)

    assert datetime.now(UTC) - renewed_at() < timedelta(days=1)
    assert last_modified() >= before
    head = aws.client("s3").head_object(Bucket="files", Key=stored_key(upload))
    assert (head["ContentLength"], head["ContentType"]) == (8, "application/pdf")


def test_a_mail_that_was_taken_back_keeps_no_file(tenant: TestTenant, key: TestKey) -> None:
    upload = uploaded(key)
    email_id = send(key, upload["id"], scheduled_at=in_a_month()).json["id"]
    let_days_pass(tenant, 8)
    call(emails, "POST", f"{EMAILS}/{email_id}/cancel", token=key.plaintext)

    run_job(purge)

    assert aws.object_size(stored_key(upload)) is None


def test_the_file_of_a_mail_that_is_erased_goes_with_it_unless_others_got_it_too(
    tenant: TestTenant, key: TestKey
) -> None:
    to = f"{uuid4().hex}@example.com"
    own, shared = uploaded(key), uploaded(key)
    assert send(key, own["id"], shared["id"], to=to).status == 200
    assert send(key, shared["id"]).status == 200
    deliver(tenant)
    body = {"type": "erasure", "email": to}
    assert call(privacy_requests, "POST", "/api/v1/privacy-requests", token=key.plaintext, json=body).status == 202

    run_job(answer_privacy_requests)
    refused, taken = send(key, own["id"]), send(key, shared["id"])
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE email_uploads SET look_at = look_at - interval '2 hours'", {})
    run_job(purge)

    assert (refused.status, refused.json["errors"][0]["code"], taken.status) == (400, "expired", 200)
    assert aws.list_objects(f"{tenant.id}/", 10) == [stored_key(shared)]
