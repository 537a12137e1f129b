"""Taking up a declared field: the values that contacts carry already are checked and made searchable, a batch at a time."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.contact_fields import FieldType, fitting, store_field_values

BATCH = 5_000
"""So many contacts are looked at in one step, whether they have a value or not."""


@dataclass(frozen=True, slots=True)
class Preparing:
    """A declared field, and the last contact that was looked at."""

    id: UUID
    key: str
    type: FieldType
    prepared_to: UUID | None


@dataclass(frozen=True, slots=True)
class _Stored:
    contact_id: UUID
    value: Any


class Misfit(Exception):
    """A contact has a value that is not of the field's type; says which one and why."""

    def __init__(self, contact_id: UUID, key: str, reason: str) -> None:
        super().__init__(f"The contact {contact_id} has a value of {key} that {reason}.")
        self.contact_id = contact_id


def hold_unprepared(tx: Tx, field_id: UUID) -> Preparing | None:
    """A field that is being prepared, which nobody else prepares meanwhile; None when it is not, or somebody else does."""
    return tx.one(
        """
        SELECT id, key, type, prepared_to FROM contact_fields
        WHERE id = %(id)s AND NOT is_ready AND error_message IS NULL FOR NO KEY UPDATE SKIP LOCKED
        """,
        {"id": field_id},
        Preparing,
    )


def prepare(tx: Tx, field: Preparing) -> bool:
    """Take up the values of the next contacts; whether that was all. Raises Misfit."""
    batch = _next(tx, field)
    carrying = [stored for stored in batch if stored.value is not None]
    for stored in carrying:
        try:
            fitting(stored.value, field.type)
        except ValueError as reason:
            raise Misfit(stored.contact_id, field.key, str(reason)) from None
    if carrying:
        store_field_values(tx, [stored.contact_id for stored in carrying])
    is_ready = len(batch) < BATCH
    tx.run(
        "UPDATE contact_fields SET prepared_to = coalesce(%(last)s, prepared_to), is_ready = %(is_ready)s WHERE id = %(id)s",
        {"id": field.id, "last": batch[-1].contact_id if batch else None, "is_ready": is_ready},
    )
    return is_ready


def give_up(tx: Tx, field_id: UUID, message: str) -> None:
    """The field will not be ready; says why."""
    tx.run(
        "UPDATE contact_fields SET error_message = %(message)s WHERE id = %(id)s", {"id": field_id, "message": message}
    )


def _next(tx: Tx, field: Preparing) -> list[_Stored]:
    """Locked in the order in which whoever changes many contacts locks them."""
    return tx.all(
        """
        SELECT id AS contact_id, attributes -> %(key)s AS value FROM contacts
        WHERE (%(after)s::uuid IS NULL OR id > %(after)s) ORDER BY id LIMIT %(limit)s FOR UPDATE
        """,
        {"key": field.key, "after": field.prepared_to, "limit": BATCH},
        _Stored,
    )
