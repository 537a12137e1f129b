"""SQL of the partition upkeep."""

from penguinmails.db import Tx


def maintain_partitions(tx: Tx) -> list[str]:
    """Bring every partitioned table up to date; the names of the partitions that were dropped."""
    return tx.all("SELECT partition_name FROM maintain_partitions() WHERE action = 'dropped'", {})
