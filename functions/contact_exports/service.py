"""The rules of exports: what is asked for becomes a definition that the worker reads contacts by."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from contact_exports import repository
from contact_exports.repository import ExportRow
from penguinmails import clock
from penguinmails.aws import download_link
from penguinmails.db import Tx
from penguinmails.domain.contact_exports import ATTRIBUTE, FIELDS, MOST_IN_XLSX, all_fields
from penguinmails.domain.contact_fields import declared_fields
from penguinmails.domain.contact_room import room
from penguinmails.domain.files import require_own
from penguinmails.domain.segment_pages import list_definition, segment_definition
from penguinmails.errors import FieldError, InvalidStateTransition, NotFound, ValidationFailed
from penguinmails.events.outbox import enqueue
from penguinmails.ids import new_uuid7

LINK_SECONDS = 300
_RULES = {
    "status": ("status", "equals"),
    "tag": ("tag", "has"),
    "workspace_id": ("workspace", "has"),
    "created_after": ("created_at", "after"),
    "created_before": ("created_at", "before"),
}


def create_export(
    tx: Tx,
    *,
    file_format: str,
    fields: Sequence[str] | None,
    filters: dict[str, Any],
    segment_id: UUID | None,
    created_by: UUID,
) -> ExportRow:
    """Add a job and hand it to the worker. Raises ValidationFailed for unknown fields, lists, workspaces or segments."""
    given = {name: value for name, value in filters.items() if value is not None}
    _require_existing(tx, given, segment_id)
    if file_format == "xlsx" and not given and segment_id is None:
        _require_sheet(tx)
    custom = declared_fields(tx)
    if fields is not None:
        _require_known(fields)
    rules = [
        {"field": _RULES[name][0], "operator": _RULES[name][1], "value": value}
        for name, value in given.items()
        if name in _RULES
    ]
    if "list_id" in given:
        rules.append(list_definition(tx, UUID(given["list_id"])))
    if segment_id is not None:
        rules.append(segment_definition(tx, segment_id))
    job_id = new_uuid7()
    values = {
        "export_type": "segment" if segment_id else "filtered" if given else "full",
        "filters": {**given, **({"segment_id": str(segment_id)} if segment_id else {}), "definition": rules},
        "selected_fields": list(fields) if fields is not None else all_fields(custom),
        "file_format": file_format,
        "created_by": created_by,
    }
    repository.insert_job(tx, job_id, values)
    enqueue(tx, "exports", {"job_id": job_id})
    return existing(tx, job_id)


def _require_sheet(tx: Tx) -> None:
    """Of all contacts the number is known; where a filter turns out to find too many, the job says the same."""
    contacts = room(tx).present
    if contacts > MOST_IN_XLSX:
        raise ValidationFailed.of(
            "format",
            f"holds {MOST_IN_XLSX:,} contacts at most, and there are {contacts:,}; "
            "choose csv or json, or narrow the export by a filter",
            "too_many_rows",
        )


def _require_known(fields: Sequence[str]) -> None:
    faults = [
        FieldError(f"fields.{place}", f"must be one of {', '.join(FIELDS)}, or attributes.<key>", "unknown_field")
        for place, name in enumerate(fields)
        if name not in FIELDS and not (name.startswith(ATTRIBUTE) and len(name) > len(ATTRIBUTE))
    ]
    if len(set(fields)) < len(fields):
        faults.append(FieldError("fields", "names a field more than once", "repeated"))
    if faults:
        raise ValidationFailed(f"{faults[0].field}: {faults[0].message}", errors=faults)


def _require_existing(tx: Tx, given: dict[str, Any], segment_id: UUID | None) -> None:
    wanted = {
        "list_id": given.get("list_id"),
        "workspace_id": given.get("workspace_id"),
        "segment_id": segment_id and str(segment_id),
    }
    ids = {field: UUID(value) for field, value in wanted.items() if value}
    present = repository.existing_ids(
        tx,
        list_id=ids.get("list_id"),
        workspace_id=ids.get("workspace_id"),
        segment_id=ids.get("segment_id"),
    )
    missing = next((field for field, id_ in ids.items() if id_ not in present), None)
    if missing is not None:
        raise ValidationFailed.of(missing, "names nothing that exists", "not_found")


def existing(tx: Tx, job_id: UUID) -> ExportRow:
    """A job. Raises NotFound."""
    found = repository.find_job(tx, job_id)
    if found is None:
        raise NotFound.of("export", job_id)
    return found


def file_link(tx: Tx, job_id: UUID) -> tuple[str, Any]:
    """A link to the file and when it ends. Raises NotFound, InvalidStateTransition when there is no file."""
    job = existing(tx, job_id)
    expired = job.expires_at is not None and job.expires_at < clock.now()
    if job.status != "completed" or expired or job.file_key is None or tx.tenant_id is None:
        state = "expired" if expired else job.status
        raise InvalidStateTransition(
            f"The export is {state}; only a completed one is downloaded. Make a new export if need be."
        )
    key = require_own(job.file_key, tx.tenant_id)
    url = download_link(key, file_name=f"contacts.{job.file_format}", seconds=LINK_SECONDS)
    return url, clock.now() + timedelta(seconds=LINK_SECONDS)
