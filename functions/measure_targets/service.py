"""Measures the rates of the last 24 hours; the response time comes from the gateway itself."""

from datetime import timedelta

from penguinmails import clock
from penguinmails.db import transaction
from penguinmails.domain.roadmap_metrics import TARGETS
from penguinmails.logging import percent

_PERIOD = timedelta(hours=24)


def measure() -> int:
    """Publish each rate that can be measured; 0, since one step does it all."""
    end = clock.now()
    with transaction(role="jobs") as tx:
        rates = {t.name: t.measure(tx, end - _PERIOD, end) for t in TARGETS if t.unit == "percent"}
    for name, value in rates.items():
        if value is not None:
            percent("target_percent", value, target=name)
    return 0
