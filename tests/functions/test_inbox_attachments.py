"""Files that come with answers: kept as they came, listed with their message, and downloaded as nothing but a file."""

from base64 import b64encode
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest

from answer_privacy_requests.app import handler as answer_privacy_requests
from inbox.app import handler
from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from privacy_requests.app import handler as privacy_requests
from provider_events import raw_mail
from provider_events.incoming import MOST_FILES, file_of
from tests.support.http import Answer, call
from tests.support.incoming import File, MailgunInbound, PostmarkInbound, address_of, relay
from tests.support.providers import send_by
from tests.support.queues import run_job
from tests.support.tenants import TestKey, TestTenant, make_tenant

pytestmark = pytest.mark.usefixtures("reply_domain")

THREADS = "/api/v1/inbox/threads"
PDF = b"%PDF-1.7\n\x00\x80\xff" + bytes(range(256))
NAME = "Rechnung für März.pdf"
TakeIn = Callable[[TestTenant, TestKey, list[File]], None]


def by_postmark(tenant: TestTenant, key: TestKey, files: list[File]) -> None:
    entries = [{"Name": n, "ContentType": t, "Content": b64encode(c).decode()} for n, t, c in files]
    assert PostmarkInbound(tenant, key).answer("ada@example.com", Attachments=entries).json == {"outcome": "taken"}


def by_mailgun(tenant: TestTenant, key: TestKey, files: list[File]) -> None:
    mailgun = MailgunInbound(tenant, key)
    assert mailgun.post(mailgun.mail("ada@example.com"), files).json == {"outcome": "taken"}


def by_our_server(tenant: TestTenant, key: TestKey, files: list[File]) -> None:
    email_id = send_by(tenant, key, "smtp", f"{uuid4().hex}@example.com")
    assert relay(written(files).as_bytes(), address_of(email_id)).json == {"outcome": "taken"}


def written(files: list[File]) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Message-ID"] = "ada@example.com", "Re: Hello", f"<{uuid4()}@example.com>"
    mail.set_content("Here it is.")
    for name, kind, content in files:
        maintype, _, subtype = kind.partition("/")
        mail.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    return mail


def threads(key: TestKey) -> list[Any]:
    return call(handler, "GET", THREADS, token=key.plaintext).json["data"]


def messages(key: TestKey) -> list[Any]:
    (thread,) = threads(key)
    return call(handler, "GET", f"{THREADS}/{thread['id']}", token=key.plaintext).json["messages"]


def download(key: TestKey, attachment_id: str, thread_id: str | None = None) -> Answer:
    thread_id = thread_id or threads(key)[0]["id"]
    return call(handler, "GET", f"{THREADS}/{thread_id}/attachments/{attachment_id}", token=key.plaintext)


@pytest.mark.parametrize("take_in", [by_postmark, by_mailgun, by_our_server])
def test_a_file_comes_out_as_it_came_in(tenant: TestTenant, key: TestKey, take_in: TakeIn) -> None:
    take_in(tenant, key, [(NAME, "application/pdf", PDF), ("note.txt", "text/plain", b"Hello")])

    (message,) = messages(key)
    first, second = message["attachments"]
    assert (first["file_name"], first["content_type"], first["size"]) == (NAME, "application/pdf", len(PDF))
    assert second["file_name"] == "note.txt"
    answer = download(key, first["id"])
    assert (answer.status, answer.content) == (200, PDF)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''Rechnung%20f%C3%BCr%20M%C3%A4rz.pdf"
    assert answer.headers["content-security-policy"] == "sandbox"


def test_a_message_without_files_has_none(tenant: TestTenant, key: TestKey) -> None:
    by_postmark(tenant, key, [])

    assert messages(key)[0]["attachments"] == []


def test_a_file_is_found_in_its_own_conversation_alone(tenant: TestTenant, key: TestKey) -> None:
    by_postmark(tenant, key, [(NAME, "application/pdf", PDF)])
    attachment_id = messages(key)[0]["attachments"][0]["id"]
    others = make_tenant().key()

    assert download(key, attachment_id, str(uuid4())).status == 404
    assert download(key, str(uuid4())).status == 404
    assert download(others, attachment_id, threads(key)[0]["id"]).status == 404


def test_downloading_needs_the_inbox_scope(tenant: TestTenant, key: TestKey) -> None:
    by_postmark(tenant, key, [(NAME, "application/pdf", PDF)])
    attachment_id, thread_id = messages(key)[0]["attachments"][0]["id"], threads(key)[0]["id"]

    assert download(tenant.key(Scope.SEND_EMAIL), attachment_id, thread_id).status == 403


def test_erasing_a_person_erases_the_files_that_they_sent(tenant: TestTenant, key: TestKey) -> None:
    by_postmark(tenant, key, [(NAME, "application/pdf", PDF)])
    body = {"type": "erasure", "email": "ada@example.com"}
    answer = call(privacy_requests, "POST", "/api/v1/privacy-requests", token=key.plaintext, json=body)
    assert answer.status == 202, answer.body

    run_job(answer_privacy_requests)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT count(*) FROM inbox_attachments", {}) == 0


# ---- What counts as a file, and what it is called --------------------------------------------------------------------


def files_of(mail: EmailMessage) -> list[File]:
    from penguinmails import clock

    message = raw_mail.read_mail(mail.as_bytes())
    assert message is not None
    answer = raw_mail.answer_of(message, envelope_sender="ada@example.com", plus=UUID(int=1), now=clock.now())
    assert answer is not None
    return [(file.file_name, file.content_type, file.content) for file in answer.files]


def test_the_text_of_a_mail_is_no_file_and_a_picture_in_it_is_one() -> None:
    mail = written([])
    mail.add_alternative("<img src='cid:x'>", subtype="html")
    mail.get_payload()[1].add_related(b"GIF89a", maintype="image", subtype="gif", cid="<x>")  # pyright: ignore[reportAttributeAccessIssue, reportIndexIssue, reportUnknownMemberType]

    assert files_of(mail) == [("attachment.gif", "image/gif", b"GIF89a")]


def test_a_mail_that_is_attached_is_one_file_whatever_it_holds() -> None:
    mail = written([])
    mail.add_attachment(written([("inner.pdf", "application/pdf", PDF)]))

    ((name, kind, content),) = files_of(mail)
    assert (name, kind) == ("mail.eml", "message/rfc822")
    assert b"inner.pdf" in content


def test_so_many_files_are_kept_and_no_more() -> None:
    assert len(files_of(written([(f"{n}.txt", "text/plain", b"x") for n in range(MOST_FILES + 5)]))) == MOST_FILES


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\plan.docx", "plan.docx"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ("", "attachment.pdf"),
        ("...", "attachment.pdf"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
    ],
)
def test_a_name_is_no_path_and_no_header(given: str, kept: str) -> None:
    assert file_of(given, "application/pdf", b"").file_name == kept


@pytest.mark.parametrize("kind", ["", "pdf", "text/html\r\nX: y", "a/b/c", "application/" + "x" * 300])
def test_a_type_that_is_none_is_unknown(kind: str) -> None:
    assert file_of("a", kind, b"").content_type == "application/octet-stream"
