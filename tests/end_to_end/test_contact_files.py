"""Contacts in files, as a customer has it: uploaded by a link, imported, killed on the way, exported and downloaded by a link."""

import urllib.request
from typing import Any

import pytest

from local.services.process import LOOPBACK
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.end_to_end
ROWS = 60_000


def fetch(request: Any) -> bytes:
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - a loopback address of ours
        return answer.read()


def test_a_file_goes_in_and_out_although_its_worker_is_killed(running: RunningStack, key: str) -> None:
    content = b"email,company\n" + b"".join(b"p%d@files.example.com,C%d\n" % (n, n % 9) for n in range(ROWS))
    body = {"file_name": "people.csv", "file_type": "csv", "size": len(content)}
    job = running.ask("POST", "/contacts/import", key=key, body=body).json
    upload = job["upload"]
    assert upload["url"].startswith(f"http://{LOOPBACK}:{running.stack.ports.aws}/")
    fetch(urllib.request.Request(upload["url"], content, upload["headers"], method="PUT"))  # noqa: S310 - loopback
    path = f"/contacts/import/{job['id']}"
    assert running.ask("GET", f"{path}/preview", key=key).json["mapping"] == {"email": "email", "company": "company"}
    assert running.ask("POST", f"{path}/start", key=key, body={}).status == 202

    running.until("a part is read", lambda: running.ask("GET", path, key=key).json["total_rows"])
    assert running.kill("ImportContactsFunction") >= 1
    # SQS would deliver the message again once its visibility is over; half an hour is not waited for here.
    running.sql(
        "INSERT INTO outbox (id, tenant_id, mode, queue, payload, created_at)"
        " SELECT gen_random_uuid(), tenant_id, mode, 'imports', jsonb_build_object('job_id', id), now() - interval '1 hour'"
        " FROM import_jobs WHERE id = %s",
        job["id"],
    )
    running.on_loop(running.stack.invoke("SweepOutboxFunction", {}))
    done = running.until("the import ends", lambda: _ended(running.ask("GET", path, key=key).json))
    assert (done["status"], done["created_count"], done["error_count"]) == ("completed", ROWS, 0)
    assert running.sql("SELECT count(*) FROM contacts WHERE email LIKE '%%files.example.com'") == [(ROWS,)]

    asked = running.ask("POST", "/contacts/export", key=key, body={"fields": ["email"]}).json
    path = f"/contacts/export/{asked['id']}"
    made = running.until("the export ends", lambda: _ended(running.ask("GET", path, key=key).json))
    written = fetch(running.ask("GET", f"{path}/download", key=key).json["url"])
    assert (made["status"], written.count(b"@files.example.com\r\n")) == ("completed", ROWS)


def _ended(job: dict[str, Any]) -> dict[str, Any] | None:
    return job if job["status"] not in {"pending", "processing"} else None
