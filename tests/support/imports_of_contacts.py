"""Imports of contacts from the file to the outcome, as a customer and the queue would have it."""

from typing import Any

from contact_imports.app import handler
from import_contacts.app import handler as worker
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for
from tests.support.tenants import TestKey, TestTenant

IMPORTS = "/api/v1/contacts/import"


def hand_in(key: TestKey, content: str, file_type: str = "csv", name: str = "people") -> dict[str, Any]:
    """A pending import of a file that comes with the request."""
    body = {"file_name": f"{name}.{file_type}", "file_type": file_type, "content": content}
    answer = call(handler, "POST", IMPORTS, token=key.plaintext, json=body)
    assert answer.status == 202, answer.body
    return answer.json


def start(key: TestKey, import_id: str, **settings: Any) -> Answer:
    """Start a pending import."""
    return call(handler, "POST", f"{IMPORTS}/{import_id}/start", token=key.plaintext, json=settings)


def show(key: TestKey, import_id: str) -> dict[str, Any]:
    """An import as it is now."""
    return call(handler, "GET", f"{IMPORTS}/{import_id}", token=key.plaintext).json


def work(tenant: TestTenant) -> None:
    """Let the worker have the messages of a tenant until there are none."""
    while messages := messages_for("imports", tenant.id):
        for message in messages:
            assert consume(worker, message) == []


def run_import(
    tenant: TestTenant, key: TestKey, content: str, file_type: str = "csv", **settings: Any
) -> dict[str, Any]:
    """Import a file; the job at its end."""
    job = hand_in(key, content, file_type)
    started = start(key, job["id"], **settings)
    assert started.status == 202, started.body
    work(tenant)
    return show(key, job["id"])
