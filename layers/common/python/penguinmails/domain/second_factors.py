"""How a second factor ends, whoever ends it: the user with a code, or staff for somebody who has lost everything."""

from uuid import UUID

from penguinmails.auth.second_factors import forget_recovery_codes, seed_path
from penguinmails.db import Tx
from penguinmails.domain.platform_mail import queue_mail
from penguinmails.errors import ServiceUnavailable
from penguinmails.ids import new_uuid7
from penguinmails.logging import logger
from penguinmails.vault import delete_secret


def remove_second_factor(tx: Tx, *, tenant_id: UUID, user_id: UUID) -> bool:
    """Take a user's second factor away and tell them by mail; False when there is none.

    Its seed goes from Vault after the commit; one that stays there is of no use.
    """
    removed = tx.run(
        """
        UPDATE user_credentials SET totp_confirmed_at = NULL, totp_version = NULL
        WHERE user_id = %(id)s AND totp_confirmed_at IS NOT NULL
        """,
        {"id": user_id},
    )
    if not removed:
        return False
    forget_recovery_codes(tx, user_id)
    dedupe_key = f"second_factor_removed:{new_uuid7()}"
    queue_mail(tx, user_id=user_id, mail_type="second_factor_removed", dedupe_key=dedupe_key)
    tx.after_commit(lambda: _forget_seed(tenant_id, user_id))
    return True


def _forget_seed(tenant_id: UUID, user_id: UUID) -> None:
    try:
        delete_secret(seed_path(tenant_id, user_id))
    except ServiceUnavailable:
        logger.warning("seed left in Vault; it is not in force", extra={"user_id": str(user_id)})
