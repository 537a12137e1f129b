"""Idempotent writes: an `Idempotency-Key` makes a POST happen once, however often it is sent within 24 hours.

The record is written in the request's own transaction, so it exists exactly when the change does. A twin that comes
while the first is still running is refused at once instead of waiting for its lock.
"""

import hmac
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel
from starlette.responses import JSONResponse

from penguinmails.db import Mode, Tx, jsonb, transaction
from penguinmails.errors import IdempotencyInProgress, IdempotencyKeyReused, ValidationFailed
from penguinmails.platform_secrets import keyed_digest

MAX_KEY_LENGTH = 255


class Replayed(Exception):
    """The request was answered before; `response` is that answer."""

    def __init__(self, response: JSONResponse) -> None:
        super().__init__("replayed")
        self.response = response


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """Who sent which key to which route, and a keyed hash of the body."""

    principal_id: UUID
    route: str
    key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class _Stored:
    request_hash: bytes
    status_code: int
    response: Any


@dataclass(frozen=True, slots=True)
class Work:
    """One write request: its transaction, and the answer that is recorded with it."""

    tx: Tx
    record: IdempotencyRecord | None

    def answer(self, status: int, body: BaseModel, *, without: frozenset[str] = frozenset()) -> JSONResponse:
        """Answer, and remember the answer under the idempotency key. Fields in `without` are secrets: sent, never stored."""
        document = jsonable_encoder(body)
        if self.record is not None:
            remembered = {name: None if name in without else value for name, value in document.items()}
            _store(self.tx, self.record, status, remembered)
        return JSONResponse(document, status)


def idempotency_record(key: str | None, principal_id: UUID, route: str, body: bytes) -> IdempotencyRecord | None:
    """The record that a request asks for, or None when it carries no key. Raises ValidationFailed for a bad key."""
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise ValidationFailed.of("Idempotency-Key", f"must be 1 to {MAX_KEY_LENGTH} printable characters")
    return IdempotencyRecord(principal_id, route, key, keyed_digest("idempotency_keys", route.encode() + b"\n" + body))


@contextmanager
def idempotent_work(
    *, tenant_id: UUID, mode: Mode, user_id: UUID | None, record: IdempotencyRecord | None
) -> Generator[Work]:
    """Open the transaction of a write; raises Replayed when its answer is known already."""
    with transaction(tenant_id=tenant_id, mode=mode, user_id=user_id) as tx:
        if record is not None:
            _claim(tx, record)
        yield Work(tx, record)


def _parameters(tx: Tx, record: IdempotencyRecord) -> dict[str, Any]:
    return {
        "tenant_id": tx.tenant_id,
        "mode": tx.mode,
        "principal_id": record.principal_id,
        "route": record.route,
        "key": record.key,
        "request_hash": record.request_hash,
    }


def check_not_answered(tx: Tx, record: IdempotencyRecord) -> None:
    """Raises Replayed when the request was answered before, IdempotencyKeyReused when the key belongs to another one."""
    stored = tx.one(
        """
        SELECT request_hash, status_code, response FROM idempotency_keys
        WHERE tenant_id = %(tenant_id)s AND mode = %(mode)s AND principal_id = %(principal_id)s
          AND route = %(route)s AND key = %(key)s AND created_at >= now() - interval '24 hours'
        """,
        _parameters(tx, record),
        _Stored,
    )
    if stored is not None:
        if not hmac.compare_digest(stored.request_hash, record.request_hash):
            raise IdempotencyKeyReused(
                "This Idempotency-Key was used with another body within the last 24 hours. Use a new key for a new request."
            )
        raise Replayed(JSONResponse(stored.response, stored.status_code, {"Idempotency-Replayed": "true"}))


def _claim(tx: Tx, record: IdempotencyRecord) -> None:
    parameters = _parameters(tx, record)
    lock_name = json.dumps([str(tx.tenant_id), tx.mode, str(record.principal_id), record.route, record.key])
    if not tx.one("SELECT pg_try_advisory_xact_lock(hashtextextended(%(name)s, 0))", {"name": lock_name}):
        raise IdempotencyInProgress(
            "A request with this Idempotency-Key is still running. Wait a second and send it again.",
            headers={"Retry-After": "1"},
            retry_after=1,
        )
    tx.run(
        """
        DELETE FROM idempotency_keys
        WHERE tenant_id = %(tenant_id)s AND mode = %(mode)s AND principal_id = %(principal_id)s
          AND route = %(route)s AND key = %(key)s AND created_at < now() - interval '24 hours'
        """,
        parameters,
    )
    check_not_answered(tx, record)
    tx.run(
        """
        INSERT INTO idempotency_keys (tenant_id, mode, principal_id, route, key, request_hash)
        VALUES (%(tenant_id)s, %(mode)s, %(principal_id)s, %(route)s, %(key)s, %(request_hash)s)
        """,
        parameters,
    )


def _store(tx: Tx, record: IdempotencyRecord, status: int, document: dict[str, Any]) -> None:
    tx.run(
        """
        UPDATE idempotency_keys SET status_code = %(status)s, response = %(response)s
        WHERE tenant_id = %(tenant_id)s AND mode = %(mode)s AND principal_id = %(principal_id)s
          AND route = %(route)s AND key = %(key)s
        """,
        {**_parameters(tx, record), "status": status, "response": jsonb(document)},
    )
