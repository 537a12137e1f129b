"""Reads the items of a bulk request one by one, so that a wrong one fails alone, and writes its answer."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from contacts.bulk import Item, Result
from contacts.schemas import (
    BulkAnswer,
    BulkRequest,
    BulkResult,
    ContactToDelete,
    ContactToUpdate,
    ItemFault,
    NewContact,
)
from penguinmails.errors import FieldError
from penguinmails.http.problems import field_name

_MODELS = {"create": NewContact, "upsert": NewContact, "update": ContactToUpdate, "delete": ContactToDelete}


def bulk_items(body: BulkRequest) -> list[Item]:
    """The items, each valid or with its faults."""
    return [_item(index, raw, body.action) for index, raw in enumerate(body.contacts)]


def _item(index: int, raw: dict[str, Any], action: str) -> Item:
    try:
        read = _MODELS[action].model_validate(raw)
    except ValidationError as error:
        return Item(index, None, None, {}, frozenset(), tuple(map(_fault, error.errors())))
    values = read.model_dump()
    contact_id, email = values.pop("id", None), values.get("email")
    if contact_id is None and email is None:
        missing = FieldError("id", "is missing; send id, or email", "missing")
        return Item(index, None, None, {}, frozenset(), (missing,))
    given = read.model_fields_set - {"id"}
    if values.get("status", ...) is None:
        given -= {"status"}
    if email is None:
        given -= {"email"}
    return Item(index, contact_id, email, values, frozenset(given))


def _fault(fault: Any) -> FieldError:
    return FieldError(field_name(fault["loc"]), str(fault["msg"]).removeprefix("Value error, "), str(fault["type"]))


def bulk_answer(results: Sequence[Result]) -> BulkAnswer:
    """What became of the items."""
    succeeded = sum(result.status < 300 for result in results)
    return BulkAnswer(
        succeeded=succeeded, failed=len(results) - succeeded, results=[_result(result) for result in results]
    )


def _result(result: Result) -> BulkResult:
    faults = [ItemFault(field=fault.field, message=fault.message, code=fault.code) for fault in result.faults]
    return BulkResult(
        index=result.index,
        status=result.status,
        id=result.id,
        email=result.email,
        code=result.code,
        errors=faults,
    )
