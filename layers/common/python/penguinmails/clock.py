"""The only place that asks for the time, so that tests can freeze it in one place."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
