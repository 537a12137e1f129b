"""`make trace` joins the lines of one request."""

import json
from pathlib import Path
from typing import Any

from local.trace import read_lines, traces_of, tree

TRACE = "a" * 32


def _span(name: str, own: str, parent: str, start: int, **more: Any) -> str:
    return json.dumps(
        {
            "message": "span",
            "trace_id": TRACE,
            "span_id": own,
            "parent_span_id": parent,
            "span": name,
            "span_status": "ok",
            "start_time_unix_nano": start * 10**6,
            "end_time_unix_nano": (start + 5) * 10**6,
            **more,
        }
    )


def _logs(folder: Path) -> list[dict[str, Any]]:
    (folder / "contacts.log").write_text(
        "START\n" + _span("POST /api/v1/contacts", "1", "", 100, request_id="req_1") + '\n{"cut off'
    )
    (folder / "fan_out_events.log").write_text(_span("fan_out_events", "2", "1", 130) + "\n")
    failing = {"level": "ERROR", "message": "record failed", "trace_id": TRACE}
    (folder / "dispatch_webhooks.log").write_text(
        _span("dispatch_webhooks", "3", "2", 150, delivery_id="del_1", status_code=500)
        + "\n"
        + json.dumps(failing)
        + "\n"
    )
    return list(read_lines(folder))


def test_a_trace_is_found_by_any_id_that_one_of_its_lines_holds(tmp_path: Path) -> None:
    lines = _logs(tmp_path)

    assert traces_of(lines, "req_1") == traces_of(lines, "del_1") == traces_of(lines, TRACE) == [TRACE]
    assert traces_of(lines, "req_2") == []


def test_what_was_caused_stands_below_its_cause_with_its_delay(tmp_path: Path) -> None:
    assert tree(_logs(tmp_path), TRACE) == [
        f"trace {TRACE}",
        "  +0 ms  POST /api/v1/contacts  5.0 ms  [contacts]",
        "    +30 ms  fan_out_events  5.0 ms  [fan_out_events]",
        "      +50 ms  dispatch_webhooks  5.0 ms  [dispatch_webhooks]  delivery_id=del_1  status_code=500",
        "  ERROR in dispatch_webhooks: record failed",
    ]
