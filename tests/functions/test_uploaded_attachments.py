"""Files of mails that are uploaded first: what may be announced, and which of them a mail may name."""

import urllib.parse
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from local.services.mail import MailCatcher
from penguinmails import aws
from penguinmails.db import transaction
from tests.support.tenants import TestKey, TestTenant
from tests.support.uploads import (
    OUTAGES,
    announce,
    deliver,
    let_days_pass,
    send,
    shown,
    store_out_of_reach,
    stored_key,
    uploaded,
)


def number_of_emails(tenant: TestTenant) -> int:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.one("SELECT count(*) FROM emails", {})


# ---- announcing a file ------------------------------------------------------------------------------------------------


def test_a_file_is_uploaded_to_a_link_that_fixes_size_and_type(tenant: TestTenant, key: TestKey) -> None:
    answer = announce(key, 4_200_000, file_name="Bericht für März.pdf")

    found = answer.json
    link = urllib.parse.urlsplit(found["upload"]["url"])
    query = urllib.parse.parse_qs(link.query)
    assert answer.status == 201
    assert (found["file_name"], found["content_type"], found["size"]) == (
        "Bericht für März.pdf",
        "application/pdf",
        4_200_000,
    )
    assert (found["upload"]["method"], found["upload"]["headers"]) == ("PUT", {"Content-Type": "application/pdf"})
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert query["X-Amz-Expires"] == ["3600"]
    assert stored_key(found).startswith(f"{tenant.id}/")
    assert "Bericht" not in link.path
    week = datetime.fromisoformat(found["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < week <= timedelta(days=7)


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"size": 10_000_001}, "size", "10,000,000 are possible"),
        ({"size": 0}, "size", "greater than or equal to 1"),
        ({"size": "many"}, "size", "integer"),
        ({"file_name": "../../etc/passwd"}, "file_name", "plain file name"),
        ({"file_name": "invoice.pdf.EXE"}, "file_name", "mail servers refuse"),
        ({"content_type": "message/rfc822"}, "content_type", "type of a file"),
        ({"content_type": "text/html; charset=utf-8"}, "content_type", "media type"),
        ({"content": "JVBERi0="}, "content", "not"),
    ],
)
def test_a_file_that_no_mail_could_carry_is_refused_before_it_is_uploaded(
    key: TestKey, fields: dict[str, Any], field: str, says: str
) -> None:
    answer = announce(key, **fields)

    assert answer.status == 400
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert says in answer.body


def test_an_idempotency_key_announces_a_file_once(tenant: TestTenant, key: TestKey) -> None:
    first, again = (announce(key, headers={"Idempotency-Key": "1"}) for _ in "12")

    assert again.json == first.json
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT count(*) FROM email_uploads", {}) == 1


# ---- naming it --------------------------------------------------------------------------------------------------------


def test_an_uploaded_file_goes_with_every_mail_that_names_it_beside_those_of_the_request(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    content = bytes(range(256)) * 16_000
    upload_id = uploaded(key, content)["id"]
    addresses = [f"{uuid4().hex}@example.com" for _ in range(3)]
    inline = {"file_name": "a.csv", "content_type": "text/csv", "content": "YTtiDQo="}

    many = send(key, to=addresses[:2], attachments=[inline, {"upload_id": upload_id}])
    one = send(key, upload_id, to=addresses[2])
    assert (many.status, one.status) == (200, 200), many.body + one.body
    deliver(tenant)

    expected = [("a.csv", "text/csv", b"a;b\r\n"), ("report.pdf", "application/pdf", content)]
    received = [mail_catcher.mails_to(address)[0].attachments for address in addresses]
    assert received == [expected, expected, expected[1:]]
    assert shown(key, many.json["items"][1]["id"])["attachments"] == [
        {"file_name": "a.csv", "content_type": "text/csv", "size": 5},
        {"file_name": "report.pdf", "content_type": "application/pdf", "size": 4_096_000},
    ]


def test_a_file_of_test_mode_goes_with_mails_of_test_mode(tenant: TestTenant) -> None:
    key = tenant.key(mode="test")

    answer = send(key, uploaded(key)["id"], to="delivered@simulator.penguinmails.com")
    deliver(tenant)

    assert shown(key, answer.json["id"])["status"] == "delivered"


@pytest.mark.parametrize("whose", ["nobody", "another account", "another mode", "expired"])
def test_a_file_that_is_not_there_for_the_caller_is_refused_by_its_place_and_reason(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey, whose: str
) -> None:
    own = uploaded(key)["id"]
    stranger = {"another account": other_tenant.key(), "another mode": tenant.key(mode="test")}.get(whose, key)
    upload_id = str(uuid4()) if whose == "nobody" else uploaded(stranger)["id"]
    if whose == "expired":
        let_days_pass(tenant, 8)
        own = uploaded(key)["id"]

    answer = send(key, own, upload_id)

    assert answer.status == 400
    assert [(error["field"], error["code"]) for error in answer.json["errors"]] == [
        ("attachments.1.upload_id", "expired" if whose == "expired" else "not_found")
    ]
    assert "upload the file again" in answer.json["detail"]
    assert number_of_emails(tenant) == 0


def test_a_file_must_be_uploaded_as_announced_before_a_mail_names_it(tenant: TestTenant, key: TestKey) -> None:
    announced = announce(key, 9).json
    early = send(key, announced["id"])
    aws.store_object(stored_key(announced), b"too long by far", "application/pdf")
    wrong = send(key, announced["id"])
    aws.store_object(stored_key(announced), b"just fine", "application/pdf")
    fine = send(key, announced["id"])

    assert [answer.status for answer in (early, wrong, fine)] == [409, 409, 200]
    assert early.json["errors"][0]["field"] == wrong.json["errors"][0]["field"] == "attachments.0.upload_id"
    assert "not there yet" in early.json["detail"]
    assert "15 bytes where 9 were announced" in wrong.json["detail"]
    assert number_of_emails(tenant) == 1


@pytest.mark.parametrize(
    ("attachment", "says"),
    [
        ({}, "send content with file_name, or upload_id"),
        ({"content": "JVBERi0="}, "send file_name with content"),
        ({"upload_id": str(uuid4()), "content": "JVBERi0=", "file_name": "a.pdf"}, "or upload_id"),
        ({"upload_id": str(uuid4()), "file_name": "other.exe.pdf"}, "leave both out"),
        ({"upload_id": "x"}, "UUID"),
    ],
)
def test_a_file_is_in_the_request_or_named_and_never_both(key: TestKey, attachment: dict[str, Any], says: str) -> None:
    answer = send(key, attachments=[attachment])

    assert answer.status == 400
    assert answer.json["errors"][0]["field"].startswith("attachments.0")
    assert says in answer.body


def test_the_files_of_a_mail_are_no_larger_together_than_mail_servers_take(tenant: TestTenant, key: TestKey) -> None:
    large, small = uploaded(key, bytes(9_000_000))["id"], uploaded(key, bytes(1_000_001))["id"]
    inline = {"file_name": "a.txt", "content": "QQ=="}

    together = send(key, large, small)
    beside = send(key, attachments=[{"upload_id": small}, {"upload_id": large}, inline])

    for answer in (together, beside):
        assert answer.status == 400
        assert answer.json["errors"][0] | {"message": ""} == {
            "field": "attachments",
            "message": "",
            "code": "too_large",
        }
        assert "10,000,000 are possible" in answer.json["detail"]
    assert send(key, large).status == 200
    assert number_of_emails(tenant) == 1


@pytest.mark.parametrize("outage", OUTAGES)
def test_a_mail_is_refused_for_now_while_nobody_can_tell_whether_its_file_is_there(
    tenant: TestTenant, key: TestKey, outage: str
) -> None:
    upload_id = uploaded(key)["id"]

    with store_out_of_reach(outage):
        answer = send(key, upload_id)

    assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")
    assert "Retry-After" in answer.headers or "retry-after" in answer.headers
    assert number_of_emails(tenant) == 0
    assert send(key, upload_id).status == 200
