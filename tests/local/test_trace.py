"""`make trace` joins the lines of one request."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from local.trace import main, otlp, parsed, read_lines, traces_of, tree

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


def test_spans_become_what_a_collector_takes() -> None:
    (line,) = parsed(
        [
            _span(
                "POST /api/v1/contacts", "b" * 16, "", 100, function="contacts", span_kind="server", status=201, method="POST",
                request_id="req_1", tenant_id=None, caller_trace_id="c" * 32, caller_span_id="d" * 16, duration_ms=1.5,
            )
        ]
    )  # fmt: skip

    (resource,) = otlp([line])["resourceSpans"]

    assert resource["resource"]["attributes"] == [
        {"key": "service.name", "value": {"stringValue": "penguinmails.contacts"}}
    ]
    assert resource["scopeSpans"][0]["spans"] == [
        {
            "traceId": TRACE,
            "spanId": "b" * 16,
            "parentSpanId": "",
            "name": "POST /api/v1/contacts",
            "kind": 2,
            "startTimeUnixNano": str(100 * 10**6),
            "endTimeUnixNano": str(105 * 10**6),
            "attributes": [
                {"key": "http.response.status_code", "value": {"intValue": "201"}},
                {"key": "http.request.method", "value": {"stringValue": "POST"}},
                {"key": "request_id", "value": {"stringValue": "req_1"}},
                {"key": "duration_ms", "value": {"doubleValue": 1.5}},
            ],
            "links": [{"traceId": "c" * 32, "spanId": "d" * 16}],
            "status": {"code": 0},
        }
    ]


def test_lines_of_cloudwatch_are_read_from_the_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    span = _span("sweep_outbox", "b" * 16, "", 100, function="sweep_outbox", span_kind="internal")
    monkeypatch.setattr("sys.argv", ["trace", TRACE, "--logs", "-", "--otlp"])
    monkeypatch.setattr("sys.stdin", io.StringIO(f"START RequestId\n{span}\n"))

    assert main() == 0
    assert (
        json.loads(capsys.readouterr().out)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] == "sweep_outbox"
    )
