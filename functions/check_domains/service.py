"""Checks domains that are due: read in one transaction, ask DNS outside any, record in a second."""

from check_domains import repository
from penguinmails import audit
from penguinmails.db import transaction
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
        if now is None or now.verification_status == row.verification_status:
            return
        is_lost = now.verification_status != "verified"
        audit.record(
            tx,
            event="domain_lost" if is_lost else "domain_verified",
            actor_type="system",
            resource_type="domain",
            resource_id=str(row.id),
            severity="warning" if is_lost else "info",
            details={"domain": row.domain, "reason": now.dns_verification_error},
        )
        if is_lost:
            from penguinmails.domain import domain_loss

            domain_loss.follow(tx, now)
    if is_lost:
        count("domains_lost_total")
        logger.warning("a verified domain lost its records", extra={"domain_id": str(row.id)})
