"""Shows what one request caused: `make trace ID=req_...`, on the logs of the running (or stopped) stack.

ID is anything that a log line holds: a request id, a trace id, the id of a delivery or an event.
"""

import argparse
import json
import sys
from collections.abc import Iterator
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


def read_lines(logs: Path) -> Iterator[Line]:
    """Every structured line, with the function that wrote it; what is not JSON is passed over."""
    for file in sorted(logs.glob("*.log")):
        with file.open(errors="replace") as text:
            for raw in text:
                if raw.startswith("{"):
                    try:
                        line = json.loads(raw)
                    except ValueError:
                        continue
                    yield {**line, "function": file.stem}


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


def main() -> int:
    """Entry point; 1 when no line holds the id."""
    parser = argparse.ArgumentParser(prog="make trace")
    parser.add_argument("id", help="a request id, trace id, delivery id or event id")
    parser.add_argument("--logs", type=Path, default=ROOT / ".local" / "logs")
    arguments = parser.parse_args()
    lines = list(read_lines(arguments.logs))
    found = traces_of(lines, arguments.id)
    if not found:
        print(
            f"No line in {arguments.logs} holds {arguments.id}. Copy X-Request-Id from an answer of the running stack.",
            file=sys.stderr,
        )
        return 1
    print("\n".join(text for trace_id in found for text in tree(lines, trace_id)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
