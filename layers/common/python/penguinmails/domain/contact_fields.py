"""Custom fields: what a tenant has declared about the attributes of its contacts, checked and kept searchable.

A contact may carry any attribute. Those whose key is declared have the declared type, and their values are rows of
`contact_field_values` besides, which segments read: jsonb operators cannot use an index under row security.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.errors import FieldError

FieldType = Literal["text", "number", "date", "boolean"]
MAX_TEXT = 255


@dataclass(frozen=True, slots=True)
class DeclaredField:
    """One declared key of `attributes`."""

    id: UUID
    key: str
    type: FieldType


def declared_fields(tx: Tx) -> dict[str, DeclaredField]:
    """The tenant's custom fields by key, those included that are being prepared: what is written must fit them."""
    found = tx.all("SELECT id, key, type FROM contact_fields", {}, DeclaredField)
    return {field.key: field for field in found}


def declared_among(tx: Tx, keys: Sequence[str]) -> dict[str, DeclaredField]:
    """Those of the tenant's custom fields that have these keys and can be searched by."""
    found = tx.all(
        "SELECT id, key, type FROM contact_fields WHERE key = ANY(%(keys)s::text[]) AND is_ready",
        {"keys": list(keys)},
        DeclaredField,
    )
    return {field.key: field for field in found}


def fitting(value: Any, kind: FieldType) -> Any:
    """The value in the form that is stored: dates as `YYYY-MM-DD`, moments in UTC. Raises ValueError with the reason."""
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if kind == "text" and isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise ValueError(f"is longer than {MAX_TEXT} characters")
        return value
    if kind == "date" and isinstance(value, str):
        return _iso_date(value)
    wanted = {
        "boolean": "true or false",
        "number": "a number",
        "text": "a text",
        "date": "a date such as 2026-01-31 or a moment such as 2026-01-31T12:00:00Z",
    }
    raise ValueError(f"must be {wanted[kind]}, as the custom field is declared")


def _iso_date(value: str) -> str:
    reason = "must be a date such as 2026-01-31 or a moment with its offset such as 2026-01-31T12:00:00Z"
    try:
        if len(value) == len("2026-01-31"):
            return date.fromisoformat(value).isoformat()
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(reason)
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        raise ValueError(reason) from None


def check_attributes(
    attributes: Mapping[str, Any], fields: Mapping[str, DeclaredField], path: str = "attributes"
) -> tuple[dict[str, Any], list[FieldError]]:
    """Attributes with the values of declared fields in stored form, and what is wrong with those that do not fit."""
    checked, faults = dict(attributes), list[FieldError]()
    for key, value in attributes.items():
        field = fields.get(key)
        if field is None or value is None:
            continue
        try:
            checked[key] = fitting(value, field.type)
        except ValueError as reason:
            faults.append(FieldError(f"{path}.{key}", str(reason), "wrong_type"))
    return checked, faults


def store_field_values(tx: Tx, contact_ids: Sequence[UUID]) -> None:
    """Bring the searchable values of these contacts in line with their attributes, in two statements for all of them."""
    tx.run("DELETE FROM contact_field_values WHERE contact_id = ANY(%(ids)s::uuid[])", {"ids": list(contact_ids)})
    tx.run(
        """
        INSERT INTO contact_field_values (tenant_id, mode, field_id, contact_id, text_value, number_value, date_value,
                                          boolean_value)
        SELECT c.tenant_id, c.mode, f.id, c.id,
               CASE f.type WHEN 'text' THEN lower(c.attributes ->> f.key) END,
               CASE f.type WHEN 'number' THEN (c.attributes ->> f.key)::numeric END,
               CASE f.type WHEN 'date' THEN (c.attributes ->> f.key)::timestamptz END,
               CASE f.type WHEN 'boolean' THEN (c.attributes ->> f.key)::boolean END
        FROM contacts c JOIN contact_fields f ON f.tenant_id = c.tenant_id AND f.mode = c.mode
        WHERE c.id = ANY(%(ids)s::uuid[]) AND c.attributes ->> f.key IS NOT NULL
        """,
        {"ids": list(contact_ids)},
    )
