"""One request after the other; an erasure batch by batch, so that it can be broken off and gone on with anywhere."""

import json
import tempfile
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from answer_privacy_requests import repository
from answer_privacy_requests.repository import Job
from answer_privacy_requests.sections import SECTIONS, section
from penguinmails.aws import read_object, store_object
from penguinmails.db import transaction
from penguinmails.domain.contacts import delete_contacts, erase_from_events
from penguinmails.domain.files import new_key, require_own
from penguinmails.domain.suppression import suppress
from penguinmails.logging import logger

BATCH = 500
_TRIES = 5


def answer() -> int:
    """Work on one request; 0 when there is none, or the last one has to wait for mails that are being sent."""
    with transaction(role="jobs") as tx:
        job = repository.take(tx)
    if job is None:
        return 0
    try:
        return _copy(job) if job.type == "access" else _erase(job)
    except Exception:
        if job.attempts < _TRIES:
            raise
        logger.exception("privacy request given up", extra={"privacy_request_id": str(job.id)})
        with transaction(role="jobs") as tx:
            repository.fail(
                tx,
                job,
                "Something went wrong on our side. Make the request again; if it fails too, tell support its id.",
            )
    return 1


def _erase(job: Job) -> int:
    with transaction(tenant_id=job.tenant_id, mode=job.mode) as tx:
        if not repository.hold(tx, job):
            return 0
        people = repository.people(tx, job.email)
        if any(person.status == "unsubscribed" for person in people):
            suppress(tx, [job.email], reason="user_request", source="api")
        ids = [person.id for person in people]
        events = delete_contacts(tx, ids) if ids else 0
        emails = repository.erase_emails(tx, job.email, BATCH)
        events += erase_from_events(tx, emails) if emails else 0
        messages = repository.erase_conversations(tx, job.email)
        repository.erase_what_is_known_of(tx, job.email)
        if emails or people or messages:
            repository.count_found(
                tx, job, {"contacts": len(people), "emails": len(emails), "events": events, "inbox_messages": messages}
            )
        if len(emails) == BATCH:
            return 1
        if repository.emails_are_left(tx, job.email):
            return 0
        repository.finish_erasure(tx, job)
    return 1


def _copy(job: Job) -> int:
    found: dict[str, int] = {}
    key = new_key(job.tenant_id)
    with tempfile.TemporaryFile() as file, transaction(tenant_id=job.tenant_id, mode=job.mode) as tx:
        if not repository.hold(tx, job):
            return 0
        file.write(b"{")
        for place, name in enumerate(SECTIONS):
            rows = section(tx, name, job.email)
            if name == "email_attachments":
                _digest_uploads(job.tenant_id, rows)
            found[name] = len(rows)
            file.write(b"," * bool(place) + json.dumps(name).encode() + b":")
            file.write(json.dumps(rows, ensure_ascii=False, indent=1, default=str).encode())
        file.write(b"}")
        size = file.tell()
        file.seek(0)
        store_object(key, file, "application/json")
        repository.finish_access(tx, job, key=key, size=size, found=found)
    return 1


def _digest_uploads(tenant_id: UUID, files: list[dict[str, Any]]) -> None:
    """Say what uploaded files hold, of those that are still kept; where they are kept stays with us."""

    @lru_cache(maxsize=1_000)
    def digest(key: str, size: int) -> str | None:
        content = read_object(require_own(key, tenant_id), size)
        return sha256(content).hexdigest() if content is not None else None

    for file in files:
        key = file.pop("file_key")
        if key is not None:
            file["sha256"] = digest(key, file["size"])
