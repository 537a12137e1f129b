"""Traces: what one request caused, across functions and queues, in OpenTelemetry's terms.

A span is one log line with the fields of OTLP (https://opentelemetry.io/docs/specs/otlp/), written when it ends; nothing
else has to be reached, so tracing costs a request microseconds and cannot fail it. Messages and posts to webhooks carry
the context as W3C has it (https://www.w3.org/TR/trace-context/) in `traceparent`. A request starts a trace of its own and
is linked to the one that its caller claims to be part of, as OpenTelemetry advises at the border of a trust domain: a
stranger's trace is not ours to join.
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
Kind = Literal["server", "consumer", "client", "internal"]
# A version that we do not know yet may have more behind the flags; ff, and ids of zeros, mean nothing.
_SHAPE = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
_KEYS = ["trace_id", "request_id", "tenant_id"]


@dataclass(slots=True)
class Span:
    """One piece of work; `parent_id` is empty at the beginning of a trace."""

    trace_id: str
    parent_id: str
    name: str
    kind: Kind
    span_id: str
    started_ns: int
    caller: tuple[str, str] | None = None
    """Trace and span that a stranger says this was caused by."""

    @property
    def traceparent(self) -> str:
        """What takes this span along as the parent of what it causes."""
        return f"00-{self.trace_id}-{self.span_id}-01"

    def fields(self, *, failed: bool = False) -> dict[str, Any]:
        """The span's part of its log line; the span ends now."""
        fields: dict[str, Any] = {
            "trace_id": self.trace_id,
            "span_id": self.span_id,
            "parent_span_id": self.parent_id,
            "span": self.name,
            "span_kind": self.kind,
            "start_time_unix_nano": self.started_ns,
            "end_time_unix_nano": time.time_ns(),
            "span_status": "error" if failed else "ok",
        }
        if self.caller is not None:
            fields |= {"caller_trace_id": self.caller[0], "caller_span_id": self.caller[1]}
        return fields


_current: ContextVar[Span | None] = ContextVar("current_span", default=None)


def begin(name: str, kind: Kind, *, traceparent: object = None) -> Span:
    """A span below the one that `traceparent` names, or a new trace when it names none.

    For work beside which other work of the same task goes on: nothing but what is told so becomes part of it.
    """
    found = _read(traceparent)
    trace_id, parent_id = found or (secrets.token_hex(16), "")
    return Span(trace_id, parent_id, name, kind, secrets.token_hex(8), time.time_ns())


def record(span: Span, *, failed: bool = False, **attributes: Any) -> None:
    """Write the log line of a span, which ends now."""
    logger.info("span", extra={**attributes, **span.fields(failed=failed)})


def start(name: str, kind: Kind, *, traceparent: object = None, caller: object = None, **keys: str) -> Span:
    """A span as of `begin`, current until `end`; `keys` stand in every log line until then.

    `caller` is the traceparent of a stranger.
    """
    span = begin(name, kind, traceparent=traceparent)
    span.caller = _read(caller)
    _current.set(span)
    logger.append_keys(trace_id=span.trace_id, **keys)
    return span


def end() -> None:
    """Nothing is traced until the next start; its log line is the caller's to write."""
    _current.set(None)
    logger.remove_keys(_KEYS)


@contextmanager
def traced(
    name: str, kind: Kind, *, traceparent: object = None, tenant_id: str | None = None, **attributes: Any
) -> Generator[Span]:
    """A span around a block, with a log line of its own."""
    keys = {} if tenant_id is None else {"tenant_id": tenant_id}
    span, failed = start(name, kind, traceparent=traceparent, **keys), True
    try:
        yield span
        failed = False
    finally:
        record(span, failed=failed, **keys, **attributes)
        end()


def carried() -> dict[str, str]:
    """What a message takes along: the context of the span under way, or nothing."""
    span = _current.get()
    return {} if span is None else {FIELD: span.traceparent}


def _read(traceparent: object) -> tuple[str, str] | None:
    found = _SHAPE.fullmatch(traceparent) if isinstance(traceparent, str) else None
    return (found[1], found[2]) if found else None
