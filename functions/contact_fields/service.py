"""The rules of contact fields: a type holds for the values that are there already, or it is not declared."""

from uuid import UUID

from contact_fields import repository
from contact_fields.repository import ContactFieldRow
from penguinmails.db import Tx, UniqueViolation
from penguinmails.domain.contact_fields import FieldType
from penguinmails.domain.field_preparation import Misfit, hold_unprepared, prepare
from penguinmails.domain.segment_uses import segments_reading
from penguinmails.errors import Conflict, FieldError, NotFound, QuotaExceeded
from penguinmails.ids import new_uuid7

MAX_FIELDS = 100
_BATCHES_AT_ONCE = 4
"""Whose contacts are looked at within the request; what a large account has besides is left to a job."""


def declare_field(tx: Tx, *, key: str, kind: FieldType, label: str | None) -> ContactFieldRow:
    """Declare a field and make the values that contacts carry already searchable, those of the first contacts at once.

    Raises Conflict when the key is declared, or when a contact's value is not of the type.
    """
    if repository.count_fields(tx) >= MAX_FIELDS:
        raise QuotaExceeded(f"An account declares up to {MAX_FIELDS} custom fields. Delete those that are not used.")
    field_id = new_uuid7()
    try:
        with tx.savepoint():
            repository.insert_field(tx, field_id, key=key, kind=kind, label=label)
    except UniqueViolation:
        raise Conflict(
            f"The field {key} is declared already. Delete its declaration first to give it another type.",
            errors=[FieldError("key", "is declared already", "taken")],
        ) from None
    _prepare(tx, field_id)
    return existing(tx, field_id)


def _prepare(tx: Tx, field_id: UUID) -> None:
    for _ in range(_BATCHES_AT_ONCE):
        field = hold_unprepared(tx, field_id)
        if field is None:
            return
        try:
            prepare(tx, field)
        except Misfit as misfit:
            raise Conflict(
                f"{misfit} Correct it, or declare another type.",
                errors=[FieldError("type", f"does not fit what the contact {misfit.contact_id} has", "wrong_type")],
            ) from None


def existing(tx: Tx, field_id: UUID) -> ContactFieldRow:
    """A declared field. Raises NotFound."""
    found = repository.find_field(tx, field_id)
    if found is None:
        raise NotFound.of("contact field", field_id)
    return found


def hold_field(tx: Tx, field_id: UUID) -> ContactFieldRow:
    """A declared field that nobody else changes until the transaction ends. Raises NotFound."""
    found = repository.lock_field(tx, field_id)
    if found is None:
        raise NotFound.of("contact field", field_id)
    return found


def delete_field(tx: Tx, present: ContactFieldRow) -> None:
    """Forget the declaration of a field that is held. Raises Conflict while a segment reads it."""
    using = segments_reading(tx, f"attributes.{present.key}")
    if using:
        raise Conflict(
            f"The field {present.key} is used by the segments {', '.join(using)}. Change or delete these first."
        )
    repository.delete_field(tx, present.id)
