"""Checks domains that are due: read in one transaction, ask DNS outside any, record in a second."""

from typing import Any, Literal

from check_domains import repository
from penguinmails import audit
from penguinmails.db import Tx, transaction
from penguinmails.domain.sending_domains import DomainRow, check, store
from penguinmails.logging import count, logger

BATCH = 5
"""Small, because each may take 15 seconds, and a step must end before the function does."""


def check_due() -> int:
    """One batch; how many domains were checked, 0 when none is due."""
    with transaction(role="jobs") as tx:
        rows = repository.due(tx, BATCH)
    for row in rows:
        _check(row)
    return len(rows)


def _check(row: DomainRow) -> None:
    checked = check(row)
    with transaction(tenant_id=row.tenant_id, mode=row.mode) as tx:
        now = store(tx, row, checked)
        if now is not None and now.dkim_selector != row.dkim_selector:
            _tell(tx, row, "domain_dkim_rotated", {"selector": now.dkim_selector})
        if now is None or now.verification_status == row.verification_status:
            return
        is_lost = now.verification_status != "verified"
        event = "domain_lost" if is_lost else "domain_verified"
        _tell(tx, row, event, {"reason": now.dns_verification_error}, severity="warning" if is_lost else "info")
        if is_lost:
            from penguinmails.domain import domain_loss

            domain_loss.follow(tx, now)
    if is_lost:
        count("domains_lost_total")
        logger.warning("a verified domain lost its records", extra={"domain_id": str(row.id)})


def _tell(
    tx: Tx, row: DomainRow, event: str, details: dict[str, Any], severity: Literal["info", "warning"] = "info"
) -> None:
    audit.record(
        tx,
        event=event,
        actor_type="system",
        resource_type="domain",
        resource_id=str(row.id),
        severity=severity,
        details={"domain": row.domain, **details},
    )
