"""Files of mails, announced and uploaded as a customer would, and what time does to them."""

import urllib.parse
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError

from emails.app import handler
from penguinmails import aws
from penguinmails.db import Mode, transaction
from send_emails.app import handler as send_emails
from sweep_emails.app import handler as sweep_emails
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant

EMAILS = "/api/v1/emails"


def announce(key: TestKey, size: int = 1_000, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    """Ask for a link to upload a file to."""
    body = {"file_name": "report.pdf", "size": size, **fields}
    return call(handler, "POST", f"{EMAILS}/attachments", token=key.plaintext, json=body, headers=headers or {})


def stored_key(announced: dict[str, Any]) -> str:
    """Where an announced file is kept, as its link says."""
    return "/".join(urllib.parse.urlsplit(announced["upload"]["url"]).path.split("/")[-2:])


def uploaded(key: TestKey, content: bytes = b"%PDF-1.7", **fields: Any) -> dict[str, Any]:
    """A file that mails can name; the answer to its announcement."""
    announced = announce(key, len(content), **fields)
    assert announced.status == 201, announced.body
    aws.store_object(stored_key(announced.json), content, announced.json["content_type"])
    return announced.json


def send(key: TestKey, *upload_ids: str, to: Any = None, **fields: Any) -> Answer:
    """Send a mail that names these uploads."""
    files = [{"upload_id": upload_id} for upload_id in upload_ids]
    address = to or f"{uuid4().hex}@example.com"
    body = {"to": address, "subject": "Hello", "text_body": "Hello", "attachments": files, **fields}
    return call(handler, "POST", f"{EMAILS}/send", token=key.plaintext, json=body)


def shown(key: TestKey, email_id: str) -> dict[str, Any]:
    """An email as its sender sees it."""
    return call(handler, "GET", f"{EMAILS}/{email_id}", token=key.plaintext).json


def deliver(tenant: TestTenant) -> None:
    """Let the worker have the queued mails."""
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []


def let_mails_come_due(tenant: TestTenant) -> None:
    """Put off mails are due now."""
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE emails SET next_sweep_at = now() WHERE next_sweep_at IS NOT NULL", {})
    messages_for("emails", tenant.id)
    run_job(sweep_emails)


def let_days_pass(tenant: TestTenant, days: int, mode: Mode = "live") -> None:
    """Make the account's uploads older."""
    with transaction(tenant_id=tenant.id, mode=mode) as tx:
        tx.run(
            """
            UPDATE email_uploads
            SET created_at = created_at - make_interval(days => %(days)s),
                expires_at = expires_at - make_interval(days => %(days)s),
                look_at = look_at - make_interval(days => %(days)s),
                renewed_at = renewed_at - make_interval(days => %(days)s)
            """,
            {"days": days},
        )


def in_a_month() -> str:
    """A moment to send at."""
    return (datetime.now(UTC) + timedelta(days=30)).isoformat()


def _unreachable(**_request: Any) -> None:
    raise EndpointConnectionError(endpoint_url="https://files.s3.example")


def _overloaded(**_request: Any) -> AWSResponse:
    class Body:
        def stream(self, **_: Any) -> Iterator[bytes]:
            yield b"<Error><Code>SlowDown</Code></Error>"

    return AWSResponse("https://files.s3.example", 503, {}, Body())


OUTAGES = {"nobody answers": _unreachable, "it is overloaded": _overloaded}


@contextmanager
def store_out_of_reach(outage: str) -> Generator[None]:
    """S3 is away, in one of several ways."""
    events = aws.client("s3").meta.events
    events.register_first("before-send.s3", OUTAGES[outage])
    try:
        yield
    finally:
        events.unregister("before-send.s3", OUTAGES[outage])
