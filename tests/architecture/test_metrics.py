"""Metrics are those of docs/observability.md, with few values per label; alarms and dashboards ask for what there is."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.template import read_document

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers" / "common" / "python").rglob("*.py")]
EVERYWHERE = {"environment", "service"}
LABELS = {
    "check", "event", "kind", "method", "outcome", "plan", "provider", "queue", "reason", "result", "route", "status",
    "target", "type",
}  # fmt: skip
"""What a metric may be divided by: each has some dozens of values at most, and none is anybody's name or id."""
NO_LABELS = {"value", "unit"}


def emitted() -> Iterator[tuple[str, frozenset[str]]]:
    """Each metric that the code publishes, with its labels."""
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            labels = frozenset(keyword.arg for keyword in node.keywords if keyword.arg) - NO_LABELS
            first = node.args[0]
            if node.func.id in {"count", "percent", "distribution"} and isinstance(first, ast.Constant):
                yield str(first.value), labels
            elif node.func.id == "measured" and isinstance(first, ast.Dict):
                for key in first.keys:
                    if isinstance(key, ast.Constant):
                        yield str(key.value), labels


EMITTED: dict[str, set[frozenset[str]]] = {}
for _name, _labels in emitted():
    EMITTED.setdefault(_name, set()).add(_labels)


def documented() -> dict[str, set[str]]:
    """The table of the page: a metric and its labels."""
    page = (ROOT / "docs" / "observability.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", page, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


@pytest.mark.parametrize("name", sorted(EMITTED))
def test_a_metric_has_the_same_labels_everywhere_and_few_values(name: str) -> None:
    (labels,) = EMITTED[name]

    assert labels <= LABELS


def test_the_page_lists_what_is_published_with_its_labels() -> None:
    assert documented() == {name: set(next(iter(labels))) for name, labels in EMITTED.items()}


def _metrics_of_alarms() -> Iterator[tuple[str, str, set[str]]]:
    for file in (ROOT / "template.yaml", *sorted((ROOT / "infrastructure").glob("*.yaml"))):
        for alarm, resource in read_document(file)["Resources"].items():
            if resource["Type"] != "AWS::CloudWatch::Alarm":
                continue
            properties = resource["Properties"]
            asked = [m["MetricStat"]["Metric"] for m in properties.get("Metrics", []) if "MetricStat" in m]
            for metric in asked or [properties]:
                if metric.get("Namespace") == "PenguinMails":
                    yield alarm, metric["MetricName"], {d["Name"] for d in metric["Dimensions"]}


def _widgets() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in read_document(ROOT / "infrastructure" / "dashboards.yaml")["Resources"].items():
        if resource["Type"] == "AWS::CloudWatch::Dashboard":
            body = resource["Properties"]["DashboardBody"]
            text = body if isinstance(body, str) else next(iter(body.values()))
            yield from ((name, widget) for widget in json.loads(text)["widgets"])


def _metrics_of_dashboards() -> Iterator[tuple[str, str, set[str]]]:
    for name, widget in _widgets():
        for line in widget["properties"]["metrics"]:
            if isinstance(line[0], dict):
                found = re.search(r"{PenguinMails,([^}]*)} MetricName=\"(\w+)\"", line[0]["expression"])
                if found:
                    yield name, found[2], set(found[1].split(","))
            elif line[0] == "PenguinMails":
                yield name, line[1], {part for part in line[2::2] if isinstance(part, str)}


@pytest.mark.parametrize(("by", "name", "dimensions"), [*_metrics_of_alarms(), *_metrics_of_dashboards()])
def test_an_alarm_or_widget_asks_for_a_metric_with_all_of_its_labels(by: str, name: str, dimensions: set[str]) -> None:
    assert name in EMITTED, by
    assert dimensions - EVERYWHERE == set(next(iter(EMITTED[name]))), by


@pytest.mark.parametrize("widget", [widget for _, widget in _widgets()], ids=lambda w: w["properties"]["title"])
def test_a_search_for_names_that_begin_with_the_stack_s_is_not_for_its_name_alone(widget: dict[str, Any]) -> None:
    """A term in double quotes matches whole values only, and no function or queue is named just as the stack."""
    assert '"${Stack}"' not in json.dumps(widget).replace('\\\\"', '"').replace('\\"', '"')
