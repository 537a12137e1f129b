"""Shows what one request caused: `make trace ID=req_...`, on the logs of the running (or stopped) stack.

ID is anything that a log line holds: a request id, a trace id, the id of a delivery or an event. `--otlp` prints the spans as
OTLP/JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding), which collectors take at /v1/traces; `--logs -`
reads lines of CloudWatch Logs.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Line = dict[str, Any]
_SHOWN = (
    "status",
    "tenant_id",
    "email_id",
    "mail_id",
    "delivery_id",
    "attempt",
    "status_code",
    "error",
    "caller_trace_id",
)
_KINDS = {"internal": 1, "server": 2, "client": 3, "consumer": 5}
_SEMANTIC = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "status_code": "http.response.status_code",
}
_NO_ATTRIBUTES = {
    "level", "location", "message", "timestamp", "service", "function", "exception", "stack_trace", "trace_id", "span_id",
    "parent_span_id", "span", "span_kind", "span_status", "start_time_unix_nano", "end_time_unix_nano", "caller_trace_id",
    "caller_span_id",
}  # fmt: skip


def read_lines(logs: Path) -> Iterator[Line]:
    """Every structured line of a stack's logs; what is not JSON is passed over."""
    for file in sorted(logs.glob("*.log")):
        with file.open(errors="replace") as text:
            yield from ({"function": file.stem, **line} for line in parsed(text))


def parsed(text: Iterable[str]) -> Iterator[Line]:
    """The structured ones among lines."""
    for raw in text:
        if raw.startswith("{"):
            try:
                yield json.loads(raw)
            except ValueError:
                continue


def traces_of(lines: list[Line], wanted: str) -> list[str]:
    """The traces of every line that holds the id as one of its values, in the order of their first lines."""
    found = [line["trace_id"] for line in lines if "trace_id" in line and wanted in map(str, line.values())]
    return list(dict.fromkeys(found))


def tree(lines: list[Line], trace_id: str) -> list[str]:
    """One line of text per span, indented below its parent; warnings and errors stand below the trace."""
    of_trace = [line for line in lines if line.get("trace_id") == trace_id]
    spans = sorted((s for s in of_trace if "span_id" in s), key=lambda span: span["start_time_unix_nano"])
    known = {span["span_id"] for span in spans}
    first = spans[0]["start_time_unix_nano"] if spans else 0

    def below(parent: str | None, depth: int) -> Iterator[str]:
        for span in spans:
            is_root = span["parent_span_id"] not in known
            if (parent is None and is_root) or span["parent_span_id"] == parent:
                yield _text(span, depth, first)
                yield from below(span["span_id"], depth + 1)

    said = [line for line in of_trace if line.get("level") in {"WARNING", "ERROR", "CRITICAL"}]
    return [
        f"trace {trace_id}",
        *below(None, 1),
        *(f"  {line['level']} in {line['function']}: {line.get('message', '')}" for line in said),
    ]


def _text(span: Line, depth: int, first: int) -> str:
    after = (span["start_time_unix_nano"] - first) / 1e6
    took = (span["end_time_unix_nano"] - span["start_time_unix_nano"]) / 1e6
    facts = "  ".join(f"{name}={span[name]}" for name in _SHOWN if span.get(name) not in {None, ""})
    mark = " FAILED" if span["span_status"] == "error" else ""
    return f"{'  ' * depth}+{after:.0f} ms  {span['span']}  {took:.1f} ms{mark}  [{span['function']}]  {facts}".rstrip()


def otlp(lines: Iterable[Line]) -> Line:
    """An ExportTraceServiceRequest with the spans among lines, by function."""
    by_function: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if "span_id" in line:
            by_function[line["function"]].append(_otlp_span(line))
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [_attribute("service.name", f"penguinmails.{function}")]},
                "scopeSpans": [{"scope": {"name": "penguinmails.tracing"}, "spans": spans}],
            }
            for function, spans in by_function.items()
        ]
    }


def _otlp_span(line: Line) -> Line:
    links = []
    if "caller_trace_id" in line:
        links.append({"traceId": line["caller_trace_id"], "spanId": line["caller_span_id"]})
    attributes = {name: content for name, content in line.items() if name not in _NO_ATTRIBUTES and content is not None}
    return {
        "traceId": line["trace_id"],
        "spanId": line["span_id"],
        "parentSpanId": line["parent_span_id"],
        "name": line["span"],
        "kind": _KINDS[line["span_kind"]],
        "startTimeUnixNano": str(line["start_time_unix_nano"]),
        "endTimeUnixNano": str(line["end_time_unix_nano"]),
        "attributes": [_attribute(_SEMANTIC.get(name, name), content) for name, content in attributes.items()],
        "links": links,
        "status": {"code": 2 if line["span_status"] == "error" else 0},
    }


def _attribute(name: str, content: Any) -> Line:
    if isinstance(content, bool):
        value = {"boolValue": content}
    elif isinstance(content, int):
        value = {"intValue": str(content)}
    elif isinstance(content, float):
        value = {"doubleValue": content}
    else:
        value = {"stringValue": content if isinstance(content, str) else json.dumps(content)}
    return {"key": name, "value": value}


def main() -> int:
    """Entry point; 1 when no line holds the id."""
    parser = argparse.ArgumentParser(prog="make trace")
    parser.add_argument("id", help="a request id, trace id, delivery id or event id")
    parser.add_argument("--logs", type=Path, default=ROOT / ".local" / "logs", help="- for lines on the standard input")
    parser.add_argument("--otlp", action="store_true", help="print OTLP/JSON for a collector")
    arguments = parser.parse_args()
    lines = list(parsed(sys.stdin) if str(arguments.logs) == "-" else read_lines(arguments.logs))
    found = traces_of(lines, arguments.id)
    if not found:
        where = "on the standard input" if str(arguments.logs) == "-" else f"in {arguments.logs}"
        print(
            f"No line {where} holds {arguments.id}. Copy X-Request-Id from an answer of the running stack.",
            file=sys.stderr,
        )
        return 1
    if arguments.otlp:
        print(json.dumps(otlp(line for line in lines if line.get("trace_id") in found)))
    else:
        print("\n".join(text for trace_id in found for text in tree(lines, trace_id)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
