"""Structured logs (JSON lines) and embedded-format metrics, one logger for the whole process.

Every line names its function (the folder of functions/); trace, request and tenant are appended as keys while a span is
under way (see `tracing`). Values that look like a secret or an e-mail address, and the rows that PostgreSQL quotes in its
errors, are replaced before a line is written: the net under the rule that neither is ever passed to the logger.
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from penguinmails.settings import get_settings

SECRET_SHAPES = re.compile(
    r"pm_(?:live|test)_[A-Za-z0-9]{32}|whsec_[A-Za-z0-9+/=]{20,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+|hvs\.[\w-]{20,}"
)


_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_ROW_BEGINNINGS = ("DETAIL:  ", "CONTEXT:  COPY ")
_QUOTED_ROW = re.compile(r'(DETAIL:  |CONTEXT:  COPY )(?:(?!\\nCONTEXT:  |\\n\\n(?:During|The above) )(?:[^"\\]|\\.))*')
"""In a JSON string. What it quotes may have several lines: it ends with what may follow it in a traceback."""


class _RedactingFormatter(LambdaPowertoolsFormatter):
    def serialize(self, log: Any) -> str:
        line = SECRET_SHAPES.sub("[redacted]", super().serialize(log))
        # Looked for where they can be: most lines have neither, and searching takes longer than writing a line.
        if any(beginning in line for beginning in _ROW_BEGINNINGS):
            line = _QUOTED_ROW.sub(r"\1[redacted]", line)
        return _ADDRESS.sub("[address]", line) if "@" in line else line


# Lambda says in _HANDLER which handler this process runs, such as contacts.app.handler.
FUNCTION = os.environ.get("_HANDLER", "").partition(".")[0] or "none"
logger = Logger(service="penguinmails", logger_formatter=_RedactingFormatter(), utc=True, function=FUNCTION)
_NAMESPACE = "PenguinMails"
Unit = Literal["count", "ms", "s", "percent"]
_UNITS: dict[Unit, MetricUnit] = {
    "count": MetricUnit.Count,
    "ms": MetricUnit.Milliseconds,
    "s": MetricUnit.Seconds,
    "percent": MetricUnit.Percent,
}
_VALUES_PER_LINE = 100


def count(metric: str, value: float = 1, **dimensions: str) -> None:
    """Publish one count in CloudWatch's embedded metric format; dimension values must be few and never personal."""
    measured({metric: ("count", value)}, **dimensions)


def percent(metric: str, value: float, **dimensions: str) -> None:
    """Publish one share of a hundred."""
    measured({metric: ("percent", value)}, **dimensions)


def distribution(metric: str, values: Sequence[float], *, unit: Literal["ms", "s"], **dimensions: str) -> None:
    """Publish many durations of a batch, a hundred per line as the format allows."""
    for start in range(0, len(values), _VALUES_PER_LINE):
        measured({metric: (unit, values[start : start + _VALUES_PER_LINE])}, **dimensions)


def measured(metrics: Mapping[str, tuple[Unit, float | Sequence[float]]], **dimensions: str) -> None:
    """Publish several metrics that have the same dimensions, in one line."""
    provider = AmazonCloudWatchEMFProvider(namespace=_NAMESPACE, service="penguinmails")
    provider.add_dimension("environment", get_settings().environment)
    for name, content in dimensions.items():
        provider.add_dimension(name, content)
    for name, (unit, value) in metrics.items():
        for one in value if isinstance(value, Sequence) else [value]:
            provider.add_metric(name, _UNITS[unit], one)
    provider.flush_metrics()
