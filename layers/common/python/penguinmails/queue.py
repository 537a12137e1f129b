"""Turns a function of one record into an SQS consumer: parse, run, and report failed records alone.

A record that cannot be read, or whose handler raises, is reported in `batchItemFailures`; the others are done. SQS
delivers it again after the visibility time and moves it to the dead-letter queue after the fifth time.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from penguinmails.db import Mode
from penguinmails.logging import count, logger

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

    def handler(event: dict[str, Any], _context: Any) -> BatchResponse:
        failures: list[dict[str, str]] = []
        for raw in event["Records"]:
            queue = str(raw.get("eventSourceARN", "")).rpartition(":")[2]
            logger.append_keys(message_id=raw["messageId"], queue=queue)
            try:
                handle(parse(raw))
            except Exception as error:
                count("queue_records_failed_total", queue=queue)
                logger.exception("record failed", extra={"error": type(error).__name__})
                failures.append({"itemIdentifier": raw["messageId"]})
            finally:
                logger.remove_keys(["message_id", "queue"])
        return {"batchItemFailures": failures}

    return handler
