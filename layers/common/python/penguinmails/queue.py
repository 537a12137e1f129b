"""Turns a function of one record into an SQS consumer: parse, run, and report failed records alone.

A record that cannot be read, or whose handler raises, is reported in `batchItemFailures`; the others are done. SQS
delivers it again after the visibility time and moves it to the dead-letter queue after the fifth time.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from penguinmails.db import Mode
from penguinmails.logging import logger, measured
from penguinmails.settings import refuse_unsafe_start
from penguinmails.tracing import FIELD, traced

BatchResponse = dict[str, list[dict[str, str]]]
QueueHandler = Callable[[dict[str, Any], Any], BatchResponse]


@dataclass(frozen=True, slots=True)
class Record:
    """One message: whose it is, its content, and how often SQS has delivered it (1 the first time)."""

    tenant_id: UUID
    mode: Mode
    body: dict[str, Any]
    receive_count: int


class PoisonMessage(Exception):
    """The message can never be handled; it goes to the dead-letter queue by way of its redeliveries."""


def parse(raw: dict[str, Any]) -> Record:
    """Read one SQS record; raises PoisonMessage when it is not one of ours."""
    try:
        body = json.loads(raw["body"])
        mode = body["mode"]
        if mode not in ("live", "test"):
            raise ValueError("mode")
        return Record(UUID(body["tenant_id"]), mode, body, int(raw["attributes"]["ApproximateReceiveCount"]))
    except (KeyError, TypeError, ValueError) as error:
        raise PoisonMessage(f"not a message of ours: {type(error).__name__}") from error


def queue_handler(handle: Callable[[Record], None]) -> QueueHandler:
    """The Lambda handler of a consumer that treats records one by one."""

    def handle_all(records: Sequence[Record]) -> list[Exception | None]:
        return [_outcome(handle, record) for record in records]

    return queue_batch_handler(handle_all)


def queue_batch_handler(handle: Callable[[Sequence[Record]], Sequence[Exception | None]]) -> QueueHandler:
    """The Lambda handler of a consumer that treats a batch at once and says of each record how it went."""
    refuse_unsafe_start()

    def handler(event: dict[str, Any], _context: Any) -> BatchResponse:
        started = time.perf_counter()
        failed: dict[str, Exception] = {}
        readable: list[tuple[str, Record]] = []
        for raw in event["Records"]:
            try:
                readable.append((raw["messageId"], parse(raw)))
            except PoisonMessage as error:
                failed[raw["messageId"]] = error
        outcomes = handle([record for _, record in readable]) if readable else []
        for (message_id, _), outcome in zip(readable, outcomes, strict=True):
            if outcome is not None:
                failed[message_id] = outcome
        _report(event, failed, time.perf_counter() - started)
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handler


def _outcome(handle: Callable[[Record], None], record: Record) -> Exception | None:
    name = handle.__module__.partition(".")[0]
    named = {field: str(content) for field, content in record.body.items() if field.endswith("_id")}
    named["tenant_id"] = str(record.tenant_id)
    try:
        with traced(name, "consumer", traceparent=record.body.get(FIELD), **named):
            handle(record)
    except Exception as error:  # the record is reported alone, whatever went wrong with it
        return error
    return None


def _report(event: dict[str, Any], failed: dict[str, Exception], took_seconds: float) -> None:
    records = event["Records"]
    if not records:
        return
    queue = str(records[0].get("eventSourceARN", "")).rpartition(":")[2] or "none"
    for message_id, error in failed.items():
        logger.error("record failed", exc_info=error, extra={"message_id": message_id, "queue": queue})
    measured(
        {
            "jobs_completed_total": ("count", len(records) - len(failed)),
            "jobs_failed_total": ("count", len(failed)),
            "job_duration_seconds": ("s", took_seconds),
        },
        queue=queue,
    )
