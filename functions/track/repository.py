"""SQL of the links in mails."""

from dataclasses import dataclass

from penguinmails.db import Tx
from penguinmails.domain.tracking_links import TrackedMail


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who writes to whom."""

    sender: str
    address: str


def subscription(tx: Tx, mail: TrackedMail) -> Subscription | None:
    """Whose mail it is and who got it; None once either is gone."""
    return tx.one(
        """
        SELECT coalesce(t.settings ->> 'company_name', t.name) AS sender, e.to_email::text AS address
        FROM emails e JOIN tenants t ON t.id = e.tenant_id WHERE e.id = %(id)s
        """,
        {"id": mail.email_id},
        Subscription,
    )
