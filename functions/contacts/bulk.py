"""The rules of bulk changes: every item succeeds or fails by itself, and all of them cost the same few statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from contacts import bulk_repository
from contacts.service import CHANGEABLE, block, differs
from penguinmails.db import Tx, UniqueViolation
from penguinmails.domain.contact_fields import DeclaredField, check_attributes, declared_fields, store_field_values
from penguinmails.domain.contact_links import set_tags, set_workspaces
from penguinmails.domain.contact_room import require_room
from penguinmails.domain.contacts import ContactRow, delete_contacts
from penguinmails.domain.suppression import suppress
from penguinmails.errors import Conflict, FieldError
from penguinmails.events.catalogue import ContactCreated, ContactUnsubscribed, ContactUpdated, Event
from penguinmails.events.emit import emit_many
from penguinmails.ids import new_uuid7

Action = Literal["create", "update", "upsert", "delete"]


@dataclass(frozen=True, slots=True)
class Item:
    """One contact of a request: whom it is about, and the fields that were given; `faults` when they are not valid."""

    index: int
    id: UUID | None
    email: str | None
    values: dict[str, Any]
    given: frozenset[str]
    faults: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item; `status` as the single request would have answered."""

    index: int
    status: int
    id: UUID | None = None
    email: str | None = None
    code: str | None = None
    faults: tuple[FieldError, ...] = ()


@dataclass(slots=True)
class _Plan:
    """What is going to be done, and what is known of the contacts that are there."""

    fields: Mapping[str, DeclaredField]
    by_id: dict[UUID, ContactRow]
    by_email: dict[str, ContactRow]
    owners: dict[str, UUID]
    workspaces: set[UUID]
    seen: set[UUID | str] = field(default_factory=set["UUID | str"])
    creates: dict[UUID, tuple[Item, dict[str, Any]]] = field(default_factory=dict[UUID, tuple["Item", dict[str, Any]]])
    updates: dict[UUID, tuple[Item, dict[str, Any], list[str]]] = field(
        default_factory=dict[UUID, tuple["Item", dict[str, Any], list[str]]]
    )
    deletes: dict[UUID, Item] = field(default_factory=dict[UUID, "Item"])
    results: list[Result] = field(default_factory=list["Result"])

    def refuse(self, item: Item, status: int, code: str, *faults: FieldError) -> None:
        self.results.append(Result(item.index, status, item.id, item.email, code, faults))


def apply(tx: Tx, action: Action, items: Sequence[Item], *, source: str) -> list[Result]:
    """Do what is asked to every contact; the results in the order of the items.

    Raises QuotaExceeded, and Conflict when another request took an address or id at the same moment: nothing is done then.
    """
    valid = [item for item in items if not item.faults]
    plan = _prepare(tx, valid)
    for item in items:
        if item.faults:
            plan.refuse(item, 400, "VALIDATION_ERROR", *item.faults)
        else:
            _decide(plan, action, item)
    _create(tx, plan, source)
    _update(tx, plan)
    _delete(tx, plan)
    return sorted(plan.results, key=lambda result: result.index)


def _prepare(tx: Tx, items: Sequence[Item]) -> _Plan:
    spaces = {space for item in items for space in item.values.get("workspace_ids", ())}
    given_ids = {item.values["external_id"] for item in items if item.values.get("external_id")}
    present = bulk_repository.lock_contacts(
        tx, [item.id for item in items if item.id], sorted({item.email for item in items if item.email})
    )
    return _Plan(
        declared_fields(tx),
        {row.id: row for row in present},
        {row.email: row for row in present},
        bulk_repository.owners_of(tx, sorted(given_ids)) if given_ids else {},
        bulk_repository.workspaces_among(tx, sorted(spaces)) if spaces else set(),
    )


def _decide(plan: _Plan, action: Action, item: Item) -> None:
    present = _present(plan, item)
    whom = present.id if present else item.id or item.email or ""
    if whom in plan.seen or (item.email and item.email in plan.seen):
        plan.refuse(item, 409, "RESOURCE_CONFLICT", FieldError("", "is in this request more than once", "repeated"))
        return
    plan.seen |= {whom, *([item.email] if item.email else [])}
    if action in {"update", "delete"} and present is None:
        plan.refuse(item, 404, "RESOURCE_NOT_FOUND")
    elif action == "delete" and present is not None:
        plan.deletes[present.id] = item
    elif action == "create" and present is not None:
        plan.refuse(item, 409, "RESOURCE_CONFLICT", FieldError("email", "is taken by another contact", "taken"))
    elif _acceptable(plan, item, present):
        _plan_write(plan, item, present)


def _present(plan: _Plan, item: Item) -> ContactRow | None:
    if item.id is not None:
        return plan.by_id.get(item.id)
    return plan.by_email.get(item.email or "")


def _acceptable(plan: _Plan, item: Item, present: ContactRow | None) -> bool:
    own = None if present is None else present.id
    faults = list(check_attributes(item.values.get("attributes", {}), plan.fields)[1])
    faults += [
        FieldError("workspace_ids", "names a workspace that does not exist", "not_found")
        for space in item.values.get("workspace_ids", ())
        if space not in plan.workspaces
    ][:1]
    if faults:
        plan.refuse(item, 400, "VALIDATION_ERROR", *faults)
        return False
    external_id = item.values.get("external_id") if "external_id" in item.given else None
    taken = [("external_id", plan.owners.get(external_id, own) if external_id else own)]
    if item.id is not None and item.email is not None:
        owner = plan.by_email.get(item.email)
        taken.append(("email", owner.id if owner else own))
    conflicts = [FieldError(name, "is taken by another contact", "taken") for name, owner in taken if owner != own]
    if conflicts:
        plan.refuse(item, 409, "RESOURCE_CONFLICT", *conflicts)
    return not conflicts


def _plan_write(plan: _Plan, item: Item, present: ContactRow | None) -> None:
    values = {**item.values}
    if "attributes" in values:
        values["attributes"] = check_attributes(values["attributes"], plan.fields)[0]
    contact_id = new_uuid7() if present is None else present.id
    if values.get("external_id"):
        plan.owners[values["external_id"]] = contact_id
    if present is None:
        plan.creates[contact_id] = (item, values)
        return
    changes = {name: value for name, value in values.items() if name in item.given}
    before = {name: getattr(present, name) for name in CHANGEABLE}
    after = {**before, **changes}
    changed = sorted(name for name in CHANGEABLE if differs(before[name], after[name]))
    if changed:
        plan.updates[contact_id] = (item, after, changed)
    else:
        plan.results.append(Result(item.index, 200, contact_id, present.email))


def _create(tx: Tx, plan: _Plan, source: str) -> None:
    if not plan.creates:
        return
    added = bulk_repository.insert_contacts(
        tx, {id_: values for id_, (_, values) in plan.creates.items()}, source=source
    )
    if len(added) != len(plan.creates):
        raise _raced()
    require_room(tx)
    _link(tx, plan, {id_: values for id_, (_, values) in plan.creates.items()})
    rows = {row.id: row for row in bulk_repository.find_contacts(tx, list(plan.creates))}
    emit_many(tx, [ContactCreated(contact=block(rows[id_]), source=source) for id_ in plan.creates])
    suppress(
        tx, [row.email for row in rows.values() if row.status == "unsubscribed"], reason="user_request", source="api"
    )
    plan.results += [Result(item.index, 201, id_, rows[id_].email) for id_, (item, _) in plan.creates.items()]


def _update(tx: Tx, plan: _Plan) -> None:
    if not plan.updates:
        return
    try:
        with tx.savepoint():
            bulk_repository.update_contacts(tx, {id_: after for id_, (_, after, _) in plan.updates.items()})
    except UniqueViolation:
        raise _raced() from None
    _link(tx, plan, {id_: after for id_, (_, after, _) in plan.updates.items()})
    rows = {row.id: row for row in bulk_repository.find_contacts(tx, list(plan.updates))}
    events: list[Event] = []
    opted_out: list[str] = []
    for id_, (_, _, changed) in plan.updates.items():
        contact = rows[id_]
        events.append(ContactUpdated(contact=block(contact), changed_fields=changed))
        if contact.status == "unsubscribed" and {"status", "email"}.intersection(changed):
            opted_out.append(contact.email)
        if contact.status == "unsubscribed" and "status" in changed:
            events.append(ContactUnsubscribed(contact=block(contact), reason="user_request", method="api"))
    emit_many(tx, events)
    suppress(tx, opted_out, reason="user_request", source="api")
    plan.results += [Result(item.index, 200, id_, rows[id_].email) for id_, (item, _, _) in plan.updates.items()]


def _delete(tx: Tx, plan: _Plan) -> None:
    if not plan.deletes:
        return
    gone = [plan.by_id[id_] for id_ in plan.deletes]
    suppress(tx, [row.email for row in gone if row.status == "unsubscribed"], reason="user_request", source="api")
    delete_contacts(tx, list(plan.deletes))
    plan.results += [Result(item.index, 200, id_, plan.by_id[id_].email) for id_, item in plan.deletes.items()]


def _link(tx: Tx, plan: _Plan, rows: Mapping[UUID, Mapping[str, Any]]) -> None:
    set_tags(tx, {id_: values["tags"] for id_, values in rows.items()})
    set_workspaces(tx, {id_: values["workspace_ids"] for id_, values in rows.items()})
    if plan.fields:
        store_field_values(tx, list(rows))


def _raced() -> Conflict:
    return Conflict(
        "Another request took one of these addresses or external ids at the same moment. Nothing was changed; send "
        "the request again."
    )
