"""Traces: what one request caused, across functions and queues, in OpenTelemetry's terms.

A span is one log line with the fields of OTLP (https://opentelemetry.io/docs/specs/otlp/), written when it ends; nothing
else has to be reached, so tracing costs a request microseconds and cannot fail it. Messages carry the context as W3C has
it (https://www.w3.org/TR/trace-context/) in `traceparent`. A request starts a trace of its own: what a caller claims to
be part of is not ours to join.
"""

import re
import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

from penguinmails.logging import logger

FIELD = "traceparent"
Kind = Literal["server", "consumer", "client"]
_SHAPE = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


@dataclass(slots=True)
class Span:
    """One piece of work; `parent_id` is empty at the beginning of a trace."""

    trace_id: str
    parent_id: str
    name: str
    kind: Kind
    span_id: str
    started_ns: int

    def fields(self, *, failed: bool = False) -> dict[str, Any]:
        """The span's part of its log line; the span ends now."""
        return {
            "trace_id": self.trace_id,
            "span_id": self.span_id,
            "parent_span_id": self.parent_id,
            "span": self.name,
            "span_kind": self.kind,
            "start_time_unix_nano": self.started_ns,
            "end_time_unix_nano": time.time_ns(),
            "span_status": "error" if failed else "ok",
        }


_current: ContextVar[Span | None] = ContextVar("current_span", default=None)


def start(name: str, kind: Kind, *, traceparent: object = None) -> Span:
    """A span below the one that `traceparent` names, or a new trace when it names none; current until `end`."""
    trace_id, parent_id = _read(traceparent)
    span = Span(trace_id, parent_id, name, kind, secrets.token_hex(8), time.time_ns())
    _current.set(span)
    logger.append_keys(trace_id=trace_id)
    return span


def end() -> None:
    """Nothing is traced until the next start; its log line is the caller's to write."""
    _current.set(None)
    logger.remove_keys(["trace_id"])


@contextmanager
def traced(name: str, kind: Kind, *, traceparent: object = None, **attributes: Any) -> Generator[Span]:
    """A span around a block, with a log line of its own."""
    span, failed = start(name, kind, traceparent=traceparent), True
    try:
        yield span
        failed = False
    finally:
        logger.info("span", extra={**attributes, **span.fields(failed=failed)})
        end()


def past(name: str, kind: Kind, *, traceparent: object, started_ns: int, **attributes: Any) -> None:
    """The log line of a span that is over, for work beside which other work of the same task went on."""
    trace_id, parent_id = _read(traceparent)
    span = Span(trace_id, parent_id, name, kind, secrets.token_hex(8), started_ns)
    logger.info("span", extra={**attributes, **span.fields(), "trace_id": trace_id})


def carried() -> dict[str, str]:
    """What a message takes along: the context of the span under way, or nothing."""
    span = _current.get()
    return {} if span is None else {FIELD: f"00-{span.trace_id}-{span.span_id}-01"}


def _read(traceparent: object) -> tuple[str, str]:
    found = _SHAPE.fullmatch(traceparent) if isinstance(traceparent, str) else None
    return (found[1], found[2]) if found else (secrets.token_hex(16), "")
