"""One step: what is measured now, and the report of the last month once that is over."""

from datetime import timedelta

from measure_targets import repository
from penguinmails import clock
from penguinmails.db import transaction
from penguinmails.domain.roadmap_metrics import TARGETS
from penguinmails.logging import count, percent
from penguinmails.settings import get_settings
from penguinmails.vault import VaultUnavailable, health

_PERIOD = timedelta(hours=24)


def measure() -> int:
    """Publish each rate that can be measured; 0, since one step does it all."""
    end = clock.now()
    with transaction(role="jobs") as tx:
        repository.keep_response_times(tx, end)
        repository.forget_response_times(tx, end)
        oldest = repository.oldest_secrets(tx)
        rates = {t.name: t.measure(tx, end - _PERIOD, end) for t in TARGETS if t.unit == "percent"}
    for name, value in rates.items():
        if value is not None:
            percent("target_percent", value, target=name)
    for secret in oldest:
        count("secret_age_days", (end - secret.since) / timedelta(days=1), type=secret.kind)
    _check_vault()
    # Not needed to begin with: the measurement above is what a cold start waits for.
    from measure_targets import monthly_report

    monthly_report.make(end)
    return 0


def _check_vault() -> None:
    """1 where it is as it should be. The alarm hears of a sealed Vault before a customer does."""
    if not get_settings().vault_addr:
        return
    try:
        found = health()
    except VaultUnavailable:
        count("vault_check_status", 0, check="answers")
        return
    count("vault_check_status", 1, check="answers")
    count("vault_check_status", float(found.is_initialized and not found.is_sealed), check="unsealed")
