"""The rules of contacts: unique addresses, the plan's limit, and the events of each change."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from contacts import repository
from penguinmails.db import ForeignKeyViolation, Tx, UniqueViolation
from penguinmails.domain.contact_fields import DeclaredField, check_attributes, declared_fields, store_field_values
from penguinmails.domain.contact_links import set_tags, set_workspaces
from penguinmails.domain.contact_room import require_room
from penguinmails.domain.contacts import TEXT_FIELDS, ContactRow, delete_contacts, find_contact
from penguinmails.domain.suppression import suppress
from penguinmails.errors import Conflict, FieldError, NotFound, ValidationFailed
from penguinmails.events.catalogue import ContactBlock, ContactCreated, ContactUnsubscribed, ContactUpdated
from penguinmails.events.emit import emit
from penguinmails.ids import new_uuid7

CHANGEABLE = (*TEXT_FIELDS, "email", "status", "attributes", "tags", "workspace_ids")


def create_contact(tx: Tx, values: dict[str, Any], *, source: str) -> ContactRow:
    """Add a contact. Raises Conflict when the address or external id is taken, QuotaExceeded at the plan's limit."""
    contact_id = new_uuid7()
    fields = declared_fields(tx)
    values = {**values, "attributes": _checked(values["attributes"], fields)}
    try:
        with tx.savepoint():
            repository.insert_contact(tx, contact_id, {**values, "source": source})
    except UniqueViolation as violation:
        raise _taken(violation, values) from None
    require_room(tx)
    _link(tx, contact_id, values["tags"], values["workspace_ids"])
    if fields:
        store_field_values(tx, [contact_id])
    contact = _existing(tx, contact_id)
    emit(tx, ContactCreated(contact=block(contact), source=source))
    if contact.status == "unsubscribed":
        suppress(tx, [contact.email], reason="user_request", source="api")
    return contact


def upsert_contact(tx: Tx, values: dict[str, Any], given: set[str], *, source: str) -> tuple[ContactRow, bool]:
    """Update the contact with this address in the fields that were given, or add it; True when it was added."""
    changes = {name: values[name] for name in given}
    present = repository.lock_by_email(tx, values["email"])
    if present is not None:
        return change_contact(tx, present, changes), False
    try:
        return create_contact(tx, values, source=source), True
    except Conflict:
        # Somebody else may have added the address since we looked; then it is there now.
        present = repository.lock_by_email(tx, values["email"])
        if present is None:
            raise
        return change_contact(tx, present, changes), False


def hold_contact(tx: Tx, contact_id: UUID) -> ContactRow:
    """A contact that nobody else changes until the transaction ends. Raises NotFound."""
    present = repository.lock_contact(tx, contact_id)
    if present is None:
        raise NotFound.of("contact", contact_id)
    return present


def change_contact(tx: Tx, present: ContactRow, changes: dict[str, Any]) -> ContactRow:
    """Change the given fields of a contact that is held; nothing is announced when nothing differs.

    Raises Conflict when the new address or external id is taken.
    """
    before = {name: getattr(present, name) for name in CHANGEABLE}
    after = {**before, **changes}
    fields = declared_fields(tx) if "attributes" in changes else {}
    after["attributes"] = _checked(after["attributes"], fields)
    changed = sorted(name for name in CHANGEABLE if differs(before[name], after[name]))
    if not changed:
        return present
    try:
        with tx.savepoint():
            repository.update_contact(tx, present.id, after)
    except UniqueViolation as violation:
        raise _taken(violation, after) from None
    _link(tx, present.id, after["tags"], after["workspace_ids"])
    if fields:
        store_field_values(tx, [present.id])
    contact = _existing(tx, present.id)
    emit(tx, ContactUpdated(contact=block(contact), changed_fields=changed))
    if contact.status == "unsubscribed" and {"status", "email"}.intersection(changed):
        suppress(tx, [contact.email], reason="user_request", source="api")
    if contact.status == "unsubscribed" and "status" in changed:
        emit(tx, ContactUnsubscribed(contact=block(contact), reason="user_request", method="api"))
    return contact


def delete_contact(tx: Tx, present: ContactRow) -> None:
    """Remove a contact that is held, with its personal data; who has opted out stays opted out."""
    if present.status == "unsubscribed":
        suppress(tx, [present.email], reason="user_request", source="api")
    delete_contacts(tx, [present.id])


def _checked(attributes: dict[str, Any], fields: Mapping[str, DeclaredField]) -> dict[str, Any]:
    checked, faults = check_attributes(attributes, fields)
    if faults:
        raise ValidationFailed(f"{faults[0].field}: {faults[0].message}", errors=faults)
    return checked


def differs(before: Any, after: Any) -> bool:
    """Whether a field has changed; the order of tags and workspaces means nothing."""
    if isinstance(before, list) and isinstance(after, list):
        return set(before) != set(after)
    return before != after


def _link(tx: Tx, contact_id: UUID, tags: list[str], workspace_ids: list[UUID]) -> None:
    set_tags(tx, {contact_id: tags})
    try:
        with tx.savepoint():
            set_workspaces(tx, {contact_id: workspace_ids})
    except ForeignKeyViolation:
        raise ValidationFailed.of("workspace_ids", "names a workspace that does not exist", "not_found") from None


def _existing(tx: Tx, contact_id: UUID) -> ContactRow:
    contact = find_contact(tx, contact_id)
    if contact is None:
        raise LookupError("the contact that was just written is not there")
    return contact


def _taken(violation: UniqueViolation, values: dict[str, Any]) -> Conflict:
    field = "external_id" if "external_id" in violation.constraint else "email"
    return Conflict(
        f"There is a contact with the {field} {values[field]} already. Update that one, or send ?upsert=true.",
        errors=[FieldError(field, "is taken by another contact", "taken")],
    )


def block(contact: ContactRow) -> ContactBlock:
    """A contact as events carry it."""
    return ContactBlock(id=contact.id, email=contact.email, first_name=contact.first_name, last_name=contact.last_name)
