"""Structured logs (JSON lines) and embedded-format metrics, one logger for the whole process.

Request id, tenant, key id and route are appended as keys for the time of one invocation. Values that look like a
secret are replaced before a line is written: the net under the rule that no secret is ever passed to the logger.
"""

import re
from collections.abc import Sequence
from typing import Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from penguinmails.settings import get_settings

SECRET_SHAPES = re.compile(
    r"pm_(?:live|test)_[A-Za-z0-9]{32}|whsec_[A-Za-z0-9+/=]{20,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+|hvs\.[\w-]{20,}"
)


class _RedactingFormatter(LambdaPowertoolsFormatter):
    def serialize(self, log: Any) -> str:
        return SECRET_SHAPES.sub("[redacted]", super().serialize(log))


logger = Logger(service="penguinmails", logger_formatter=_RedactingFormatter(), utc=True)
_NAMESPACE = "PenguinMails"
_UNITS = {"ms": MetricUnit.Milliseconds, "s": MetricUnit.Seconds}
_VALUES_PER_LINE = 100


def count(metric: str, value: float = 1, **dimensions: str) -> None:
    """Publish one count in CloudWatch's embedded metric format; dimension values must be few and never personal."""
    _publish(metric, MetricUnit.Count, value, dimensions)


def duration(metric: str, milliseconds: float, **dimensions: str) -> None:
    """Publish one duration in milliseconds."""
    _publish(metric, MetricUnit.Milliseconds, milliseconds, dimensions)


def seconds(metric: str, value: float, **dimensions: str) -> None:
    """Publish one duration in seconds, for what lasts longer than a request."""
    _publish(metric, MetricUnit.Seconds, value, dimensions)


def percent(metric: str, value: float, **dimensions: str) -> None:
    """Publish one share of a hundred."""
    _publish(metric, MetricUnit.Percent, value, dimensions)


def distribution(metric: str, values: Sequence[float], *, unit: Literal["ms", "s"], **dimensions: str) -> None:
    """Publish many durations of a batch, a hundred per line as the format allows."""
    for start in range(0, len(values), _VALUES_PER_LINE):
        _publish(metric, _UNITS[unit], values[start : start + _VALUES_PER_LINE], dimensions)


def _publish(metric: str, unit: MetricUnit, value: float | Sequence[float], dimensions: dict[str, str]) -> None:
    provider = AmazonCloudWatchEMFProvider(namespace=_NAMESPACE, service="penguinmails")
    provider.add_dimension("environment", get_settings().environment)
    for name, content in dimensions.items():
        provider.add_dimension(name, content)
    for one in value if isinstance(value, Sequence) else [value]:
        provider.add_metric(metric, unit, one)
    provider.flush_metrics()
