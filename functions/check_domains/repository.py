"""SQL of the check of domains."""

from penguinmails.db import Tx
from penguinmails.domain.sending_domains import SELECT, DomainRow


def due(tx: Tx, batch: int) -> list[DomainRow]:
    """Domains whose records are to be looked at, the longest waiting first."""
    return tx.all(
        SELECT + " WHERE next_check_at <= now() ORDER BY next_check_at LIMIT %(batch)s", {"batch": batch}, DomainRow
    )
