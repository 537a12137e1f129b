"""How many contacts a segment finds: kept with it, and counted on where the time of a request or of a job's step ended."""

from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.segment_pages import Counted


def keep_count(tx: Tx, segment_id: UUID, counted: Counted, *, before: int = 0) -> None:
    """Keep the count when it is complete, else leave the rest to the job. `before` is what was counted earlier for it."""
    contacts = before + counted.contacts
    if counted.stopped_at is None:
        tx.run(
            """
            UPDATE segments SET count_cached = %(contacts)s, counted_at = now(), count_due_at = NULL, count_found = 0,
                                count_from_at = NULL, count_from_id = NULL
            WHERE id = %(id)s
            """,
            {"id": segment_id, "contacts": contacts},
        )
        return
    from_at, from_id = counted.stopped_at
    tx.run(
        """
        UPDATE segments SET count_due_at = clock_timestamp(), count_found = %(contacts)s, count_from_at = %(from_at)s,
                            count_from_id = %(from_id)s
        WHERE id = %(id)s
        """,
        {"id": segment_id, "contacts": contacts, "from_at": from_at, "from_id": from_id},
    )


def forget_count(tx: Tx, segment_id: UUID) -> None:
    """The rules have changed, or cannot be read any more: neither the count nor what was counted for it holds."""
    tx.run(
        "UPDATE segments SET count_cached = NULL, counted_at = NULL, count_due_at = NULL WHERE id = %(id)s",
        {"id": segment_id},
    )
