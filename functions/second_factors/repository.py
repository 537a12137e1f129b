"""SQL of second factors."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from penguinmails.db import Tx


@dataclass(frozen=True, slots=True)
class FactorRow:
    """Where a user stands."""

    version: int | None
    confirmed_at: datetime | None
    codes_left: int


def find(tx: Tx, user_id: UUID) -> FactorRow:
    """The second factor of a user."""
    row = tx.one(
        """
        SELECT c.totp_version AS version, c.totp_confirmed_at AS confirmed_at,
               (SELECT count(*) FROM recovery_codes r WHERE r.user_id = c.user_id AND r.used_at IS NULL) AS codes_left
        FROM user_credentials c WHERE c.user_id = %(id)s
        """,
        {"id": user_id},
        FactorRow,
    )
    if row is None:
        raise LookupError("a signed-in user has no credentials")
    return row


def keep_pending(tx: Tx, user_id: UUID, version: int) -> bool:
    """Remember which seed waits for its confirmation; False when one is in force."""
    return (
        tx.run(
            "UPDATE user_credentials SET totp_version = %(version)s WHERE user_id = %(id)s AND totp_confirmed_at IS NULL",
            {"id": user_id, "version": version},
        )
        == 1
    )


def confirm(tx: Tx, user_id: UUID, version: int) -> bool:
    """Put a seed in force; False when another one was made, or confirmed, meanwhile."""
    return (
        tx.run(
            """
            UPDATE user_credentials SET totp_confirmed_at = clock_timestamp()
            WHERE user_id = %(id)s AND totp_version = %(version)s AND totp_confirmed_at IS NULL
            """,
            {"id": user_id, "version": version},
        )
        == 1
    )
