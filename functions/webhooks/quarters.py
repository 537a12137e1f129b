"""Quarters of an hour, in which the figures of webhooks are kept."""

from datetime import UTC, datetime, timedelta

QUARTER = timedelta(minutes=15)


def quarter_of(moment: datetime) -> datetime:
    """When the quarter of an hour began that a moment is in, in UTC."""
    utc = moment.astimezone(UTC)
    return utc.replace(minute=utc.minute - utc.minute % 15, second=0, microsecond=0)


def quarter_from(moment: datetime) -> datetime:
    """The moment itself where a quarter begins, else when the next one does."""
    begun = quarter_of(moment)
    return begun if begun == moment else begun + QUARTER
