"""How many mails of campaigns a mailbox sends on a day of a campaign's time zone, across all campaigns and workers."""

from datetime import date

from penguinmails.db import Tx


def count(tx: Tx, *, mailbox: str, day: date, number: int, limit: int) -> bool:
    """Count mails of a mailbox on a day; False, and nothing counted, when its limit would be passed."""
    counted = tx.one(
        """
        INSERT INTO mailbox_days AS d (tenant_id, mode, mailbox, day, planned)
        SELECT %(tenant_id)s, %(mode)s, %(mailbox)s, %(day)s, %(number)s WHERE %(number)s <= %(limit)s::integer
        ON CONFLICT (tenant_id, mode, mailbox, day) DO UPDATE SET planned = d.planned + excluded.planned
        WHERE d.planned + excluded.planned <= %(limit)s::integer
        RETURNING planned
        """,
        {"tenant_id": tx.tenant_id, "mode": tx.mode, "mailbox": mailbox, "day": day, "number": number, "limit": limit},
    )
    return counted is not None


def planned(tx: Tx, *, mailbox: str, day: date) -> int:
    """Mails of a mailbox that were counted for a day."""
    return tx.one(
        "SELECT coalesce(max(planned), 0) FROM mailbox_days WHERE mailbox = %(mailbox)s AND day = %(day)s",
        {"mailbox": mailbox, "day": day},
    )


def take(tx: Tx, *, mailbox: str, day: date, number: int, limit: int) -> int:
    """Count as many mails as the limit leaves room for, up to `number`; how many. Others who count wait until this commits."""
    tx.one(
        "SELECT planned FROM mailbox_days WHERE mailbox = %(mailbox)s AND day = %(day)s FOR UPDATE",
        {"mailbox": mailbox, "day": day},
    )
    room = min(number, limit - planned(tx, mailbox=mailbox, day=day))
    return room if room > 0 and count(tx, mailbox=mailbox, day=day, number=room, limit=limit) else 0
