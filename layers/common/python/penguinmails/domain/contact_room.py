"""How many contacts a plan leaves room for."""

from dataclasses import dataclass

from penguinmails.db import Tx
from penguinmails.errors import QuotaExceeded


@dataclass(frozen=True, slots=True)
class Room:
    """How many contacts there are and may be; `allowed` None is unlimited."""

    present: int
    allowed: int | None


def room(tx: Tx) -> Room:
    """The tenant's count in this mode beside its plan's limit."""
    found = tx.one(
        """
        SELECT coalesce((SELECT contacts FROM contact_counts), 0)::bigint AS present, max_contacts AS allowed
        FROM tenant_limits WHERE tenant_id = %(tenant_id)s
        """,
        {"tenant_id": tx.tenant_id},
        Room,
    )
    if found is None:
        raise LookupError("the tenant has no subscription")
    return found


def require_room(tx: Tx, coming: int = 0) -> None:
    """Raise QuotaExceeded when there are, or with those that are coming would be, more contacts than the plan allows.

    Called after an insert it is exact: that locked the tenant's counter, so of two last contacts only one is let in.
    """
    found = room(tx)
    if found.allowed is not None and found.present + coming > found.allowed:
        adds = f" and {coming} more would be added" if coming else " and all are used"
        raise QuotaExceeded(f"The plan holds {found.allowed} contacts{adds}. Delete some, or choose a larger plan.")
