"""Pages of a collection: by cursor (stable under inserts, any depth) or by offset (with a total).

A cursor is opaque to clients: base64url of the position and the sort order, signed, valid for 24 hours.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from fastapi import Depends, Query

from penguinmails import clock
from penguinmails.errors import ValidationFailed
from penguinmails.http.models import Page, Pagination
from penguinmails.keyset import Keyset, Order
from penguinmails.platform_secrets import key_versions, keyed_digest

DEFAULT_LIMIT = 50
MAX_LIMIT = 100
_MAX_OFFSET = 10_000
_CURSOR_LIFE_SECONDS = 24 * 3600
_SIGNATURE_BYTES = 16

Row = TypeVar("Row")
View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What the client asked for; `limit` is clamped, a cursor is already verified."""

    limit: int
    order: Order
    sort_by: str
    offset: int | None
    after: tuple[Any, UUID] | None

    def keyset(self, columns: dict[str, str]) -> Keyset:
        """The position in SQL terms; `columns` maps public sort names to their type, `time` or `text` or `number`."""
        return Keyset(self.limit, self.order, self.sort_by, columns[self.sort_by], self.offset, self.after)


def page_request(*sort_by: str) -> Callable[..., Awaitable[PageRequest]]:
    """The dependency that reads `limit`, `cursor`, `offset`, `sort_by` and `order`; the first name is the default."""

    async def read(
        limit: Annotated[int, Query(ge=1, description="Items per page, at most 100; more is clamped.")] = DEFAULT_LIMIT,
        cursor: Annotated[str | None, Query(max_length=1000, description="`next_cursor` of the page before.")] = None,
        offset: Annotated[
            int | None,
            Query(ge=0, le=_MAX_OFFSET, description="Skip so many items and count up to 10,000; cursors reach deeper."),
        ] = None,
        sort_by: str = sort_by[0],
        order: Annotated[Order, Query(description="Direction of the sort.")] = "desc",
    ) -> PageRequest:
        if cursor is not None and offset is not None:
            raise ValidationFailed.of("cursor", "cannot be combined with offset; send one of them")
        after = None if cursor is None else open_cursor(cursor, sort_by, order)
        return PageRequest(min(limit, MAX_LIMIT), order, sort_by, offset, after)

    # The names differ from list to list, which no static annotation can say.
    read.__annotations__["sort_by"] = Annotated[
        Literal[sort_by], Query(description="What the list is sorted by; ties are broken by id.")
    ]
    return read


def paged(*sort_by: str) -> Any:
    """Annotation helper: `page: Annotated[PageRequest, paged("created_at", "email")]`."""
    return Depends(page_request(*sort_by))


def continued(name: str, limit: int) -> Any:
    """Annotation helper for an answer that is no list but goes on by cursor, in the order of time; `name` is the cursor's."""

    async def read(
        cursor: Annotated[str | None, Query(max_length=1000, description="`next_cursor` of the page before.")] = None,
    ) -> PageRequest:
        return PageRequest(limit, "asc", name, None, None if cursor is None else open_cursor(cursor, name, "asc"))

    return Depends(read)


def page_of(
    request: PageRequest,
    rows: list[Row],
    view: Callable[[Row], View],
    total: int | None,
    stopped_at: tuple[datetime, UUID] | None = None,
) -> Page[View]:
    """A page from up to `limit + 1` rows: the surplus row only proves that more follow.

    `stopped_at` is where a search goes on that stopped before the page was full.
    """
    shown = rows[: request.limit]
    is_full = len(rows) > request.limit
    next_cursor = None
    if is_full and request.offset is None:
        value = getattr(shown[-1], request.sort_by)
        next_cursor = make_cursor(request.sort_by, request.order, value, shown[-1].id)  # pyright: ignore
    elif stopped_at is not None and not is_full:
        next_cursor = make_cursor(request.sort_by, request.order, *stopped_at)
    return Page(
        data=[view(row) for row in shown],
        pagination=Pagination(
            limit=request.limit,
            has_more=is_full or next_cursor is not None,
            next_cursor=next_cursor,
            offset=request.offset,
            total=total,
        ),
    )


def make_cursor(sort_by: str, order: Order, value: Any, row_id: UUID) -> str:
    """The cursor of what comes after a row."""
    position = value.isoformat() if isinstance(value, datetime) else value
    kind = "time" if isinstance(value, datetime) else "plain"
    payload = json.dumps(
        [sort_by, order, kind, position, row_id.hex, int(clock.now().timestamp())],
        separators=(",", ":"),
    ).encode()
    return urlsafe_b64encode(keyed_digest("cursor_keys", payload)[:_SIGNATURE_BYTES] + payload).decode().rstrip("=")


def open_cursor(cursor: str, sort_by: str, order: Order) -> tuple[Any, UUID]:
    """The row that a cursor comes after. Raises ValidationFailed."""
    invalid = ValidationFailed.of("cursor", "is not a cursor of this list; take next_cursor from the page before")
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raise invalid from None
    signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    signed = (
        keyed_digest("cursor_keys", payload, version)[:_SIGNATURE_BYTES] for version in key_versions("cursor_keys")
    )
    if not any(hmac.compare_digest(signature, expected) for expected in signed):
        raise invalid
    made_for, made_order, kind, position, row_id, made_at = json.loads(payload)
    if (made_for, made_order) != (sort_by, order):
        raise ValidationFailed.of("cursor", f"belongs to sort_by={made_for}&order={made_order}; send the same again")
    if clock.now().timestamp() - made_at > _CURSOR_LIFE_SECONDS:
        raise ValidationFailed.of("cursor", "has expired after 24 hours; start again from the first page", "expired")
    return (datetime.fromisoformat(position) if kind == "time" else position), UUID(row_id)
