"""The rules of contacts: unique addresses, the plan's limit, and the events of each change."""

from typing import Any
from uuid import UUID

from contacts import repository
from contacts.repository import TEXT_FIELDS, ContactRow
from penguinmails.db import ForeignKeyViolation, Tx, UniqueViolation
from penguinmails.errors import Conflict, FieldError, NotFound, QuotaExceeded, ValidationFailed
from penguinmails.events.catalogue import ContactBlock, ContactCreated, ContactUpdated
from penguinmails.events.emit import emit
from penguinmails.ids import new_uuid7

_CHANGEABLE = (*TEXT_FIELDS, "email", "status", "attributes", "tags", "workspace_ids")


def create_contact(tx: Tx, values: dict[str, Any], *, source: str) -> ContactRow:
    """Add a contact. Raises Conflict when the address or external id is taken, QuotaExceeded at the plan's limit."""
    room = repository.room(tx)
    if room.allowed is not None and room.present >= room.allowed:
        raise QuotaExceeded(
            f"The plan holds {room.allowed} contacts and all are used. Delete some, or choose a larger plan."
        )
    contact_id = new_uuid7()
    try:
        with tx.savepoint():
            repository.insert_contact(tx, contact_id, {**values, "source": source})
    except UniqueViolation as violation:
        raise _taken(violation, values) from None
    _link(tx, contact_id, values["tags"], values["workspace_ids"])
    contact = _existing(tx, contact_id)
    emit(tx, ContactCreated(contact=_block(contact), source=source))
    return contact


def upsert_contact(tx: Tx, values: dict[str, Any], given: set[str], *, source: str) -> tuple[ContactRow, bool]:
    """Update the contact with this address in the fields that were given, or add it; True when it was added."""
    present = repository.find_by_email(tx, values["email"])
    if present is not None:
        return _change(tx, present, {name: values[name] for name in given}), False
    return create_contact(tx, values, source=source), True


def update_contact(tx: Tx, contact_id: UUID, changes: dict[str, Any]) -> ContactRow:
    """Change the given fields of a contact; nothing is raised or announced when nothing differs."""
    present = repository.find_contact(tx, contact_id, lock=True)
    if present is None:
        raise NotFound.of("contact", contact_id)
    return _change(tx, present, changes)


def delete_contact(tx: Tx, contact_id: UUID) -> None:
    """Remove a contact with its personal data."""
    if not repository.delete_contact(tx, contact_id):
        raise NotFound.of("contact", contact_id)


def _change(tx: Tx, present: ContactRow, changes: dict[str, Any]) -> ContactRow:
    before = {name: getattr(present, name) for name in _CHANGEABLE}
    after = {**before, **changes}
    changed = sorted(name for name in _CHANGEABLE if _differs(before[name], after[name]))
    if not changed:
        return present
    try:
        with tx.savepoint():
            repository.update_contact(tx, present.id, after)
    except UniqueViolation as violation:
        raise _taken(violation, after) from None
    _link(tx, present.id, after["tags"], after["workspace_ids"])
    contact = _existing(tx, present.id)
    emit(tx, ContactUpdated(contact=_block(contact), changed_fields=changed))
    return contact


def _differs(before: Any, after: Any) -> bool:
    if isinstance(before, list) and isinstance(after, list):
        return set(before) != set(after)
    return before != after


def _link(tx: Tx, contact_id: UUID, tags: list[str], workspace_ids: list[UUID]) -> None:
    repository.set_tags(tx, contact_id, tags)
    try:
        with tx.savepoint():
            repository.set_workspaces(tx, contact_id, workspace_ids)
    except ForeignKeyViolation:
        raise ValidationFailed.of("workspace_ids", "names a workspace that does not exist", "not_found") from None


def _existing(tx: Tx, contact_id: UUID) -> ContactRow:
    contact = repository.find_contact(tx, contact_id)
    if contact is None:
        raise LookupError("the contact that was just written is not there")
    return contact


def _taken(violation: UniqueViolation, values: dict[str, Any]) -> Conflict:
    field = "external_id" if "external_id" in violation.constraint else "email"
    return Conflict(
        f"There is a contact with the {field} {values[field]} already. Update that one, or send ?upsert=true.",
        errors=[FieldError(field, "is taken by another contact", "taken")],
    )


def _block(contact: ContactRow) -> ContactBlock:
    return ContactBlock(id=contact.id, email=contact.email, first_name=contact.first_name, last_name=contact.last_name)
