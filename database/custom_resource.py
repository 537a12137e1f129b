"""Answers CloudFormation, which calls a custom resource and waits for its word at an address of S3.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes.html
"""

import json
from collections.abc import Callable
from hashlib import sha256
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from penguinmails.logging import logger
from penguinmails.settings import get_settings

_RESOURCE_ID = "penguinmails-schema"
_TIMEOUT_SECONDS = 10
_MAX_REASON = 1000
"""CloudFormation takes answers of 4096 bytes."""


def is_custom_resource(event: dict[str, Any]) -> bool:
    """Whether CloudFormation calls, and not an operator."""
    return "ResponseURL" in event


def answer(event: dict[str, Any], work: Callable[[], dict[str, Any]], *, schema: str) -> dict[str, Any]:
    """Do the work and tell CloudFormation how it went; the result of the work, or an empty one.

    The attributes are `Schema`, which is `schema`, and `Configuration`: another text whenever the schema or the property
    `Configuration` is another one (at most 256 characters, what a description of a function's version takes).

    Raises nothing that comes of the work: CloudFormation would wait for an hour for the answer. A stack that goes away
    keeps its data, so there is nothing to do then.
    """
    status, reason, result = "SUCCESS", "", dict[str, Any]()
    if event["RequestType"] != "Delete":
        try:
            result = work()
        except Exception as error:  # whatever it is, it stops the deploy with its reason
            logger.exception("job failed", extra={"job": "migrations"})
            status, reason = "FAILED", f"{type(error).__name__}: {error}"[:_MAX_REASON]
    _send(
        event["ResponseURL"],
        {
            "Status": status,
            "Reason": reason,
            "PhysicalResourceId": _RESOURCE_ID,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "Data": {"Schema": schema, "Configuration": _configuration(event, schema)},
        },
    )
    return result


def _configuration(event: dict[str, Any], schema: str) -> str:
    given = event.get("ResourceProperties", {}).get("Configuration")
    return f"{schema[:200]} {sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:16]}"


def _send(url: str, document: dict[str, Any]) -> None:
    parts = urlsplit(url)
    emulator = get_settings().aws_endpoint_url
    if parts.scheme != "https" and not (emulator and parts.port == urlsplit(emulator).port):
        raise ValueError("CloudFormation's ResponseURL is not an https:// address; nothing is sent there.")
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=_TIMEOUT_SECONDS)
    try:
        # The signature covers an empty content type.
        connection.request("PUT", f"{parts.path}?{parts.query}", json.dumps(document).encode(), {"Content-Type": ""})
        status = connection.getresponse().status
    finally:
        connection.close()
    if status >= 300:
        raise RuntimeError(f"CloudFormation's address answered {status}; look at the stack's events.")
