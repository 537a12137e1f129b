"""Contacts are found across tenants, then changed or deleted in small transactions of their own tenant."""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from forget_contacts import repository
from forget_contacts.repository import Due
from penguinmails import audit
from penguinmails.db import Tx, transaction
from penguinmails.domain.contact_fields import store_field_values
from penguinmails.domain.contacts import delete_contacts
from penguinmails.domain.suppression import forget_lifts, suppress

BATCH = 2_000
_AT_ONCE = 500


def forget() -> int:
    """One batch of each kind; how many contacts that concerned, 0 once nothing is left."""
    with transaction(role="jobs") as tx:
        opted_out = repository.opted_out(tx, BATCH)
    done = _each(opted_out, _erase_fields)
    with transaction(role="jobs") as tx:
        silent = repository.silent(tx, BATCH)
    return done + _each(silent, _delete)


def _each(found: Iterable[Due], change: Callable[[Tx, Sequence[UUID]], int]) -> int:
    done = 0
    for due in found:
        for start in range(0, len(due.ids), _AT_ONCE):
            with transaction(tenant_id=due.tenant_id, mode=due.mode) as tx:
                done += change(tx, due.ids[start : start + _AT_ONCE])
    return done


def _erase_fields(tx: Tx, ids: Sequence[UUID]) -> int:
    erased = repository.erase_fields(tx, ids)
    if erased:
        store_field_values(tx, erased)
        _record(tx, "contact_fields_expired", len(erased))
    return len(erased)


def _delete(tx: Tx, ids: Sequence[UUID]) -> int:
    people = repository.hold_silent(tx, ids)
    suppress(
        tx, [person.email for person in people if person.status == "unsubscribed"], reason="user_request", source="api"
    )
    forget_lifts(tx, [person.email for person in people])
    delete_contacts(tx, [person.id for person in people])
    if people:
        _record(tx, "contacts_expired", len(people))
    return len(people)


def _record(tx: Tx, event: str, contacts: int) -> None:
    audit.record(
        tx, event=event, actor_type="system", resource_type="contact", details={"mode": tx.mode, "contacts": contacts}
    )
