"""A file that a request has no room for, as a customer has it: announced, uploaded by a link, and received."""

import urllib.request
from uuid import uuid4

import pytest

from local.services.process import LOOPBACK
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.end_to_end


def test_an_uploaded_file_arrives_with_the_mail(running: RunningStack, key: str) -> None:
    content, to = bytes(range(256)) * 24_000, f"{uuid4().hex}@example.com"
    body = {"file_name": "report.pdf", "size": len(content)}
    announced = running.ask("POST", "/emails/attachments", key=key, body=body).json
    upload = announced["upload"]
    mail = {
        "to": to,
        "subject": "Your report",
        "text_body": "It is attached.",
        "attachments": [{"upload_id": announced["id"]}],
    }
    assert upload["url"].startswith(f"http://{LOOPBACK}:{running.stack.ports.aws}/")
    assert running.ask("POST", "/emails/send", key=key, body=mail).status == 409

    request = urllib.request.Request(upload["url"], content, upload["headers"], method=upload["method"])  # noqa: S310 - on loopback
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
        assert answer.status == 200
    assert running.ask("POST", "/emails/send", key=key, body=mail).status == 200

    (received,) = running.until("the mail arrives", lambda: running.mail.mails_to(to))
    assert received.attachments == [("report.pdf", "application/pdf", content)]
