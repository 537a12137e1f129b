"""Second factors: time-based one-time passwords (RFC 6238: SHA-1, 6 digits, 30 s) and recovery codes.

A code works once: its time step is kept and must grow. The seed lives in Vault at `totp/{tenant_id}/{user_id}`;
recovery codes are kept as keyed digests.
"""

import hmac
import re
import secrets
from uuid import UUID

from penguinmails import clock
from penguinmails.db import Tx, transaction
from penguinmails.errors import ServiceUnavailable
from penguinmails.platform_secrets import key_versions, keyed_digest
from penguinmails.vault import read_secret, secret_path

STEP_SECONDS = 30
_STEPS_OF_DRIFT = (-1, 0, 1)
_RECOVERY_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_RECOVERY_CODES = 10
_TOTP = re.compile(r"[0-9]{6}")


def seed_path(tenant_id: UUID, user_id: UUID) -> str:
    """Where a user's seed lives in Vault."""
    return secret_path("totp", str(tenant_id), str(user_id))


def matching_step(seed: str, code: str) -> int | None:
    """The time step whose code this is, at most one step away from now; None when it is no code of this seed."""
    from pyotp.totp import TOTP

    totp, present = TOTP(seed), int(clock.now().timestamp()) // STEP_SECONDS
    for step in (present + drift for drift in _STEPS_OF_DRIFT):
        if hmac.compare_digest(totp.at(step * STEP_SECONDS), code):
            return step
    return None


def verify(*, tenant_id: UUID, user_id: UUID, code: str) -> bool:
    """Use up a one-time password or a recovery code of a user; False when it is wrong or was used.

    Raises ServiceUnavailable when a one-time password cannot be checked because Vault is away; recovery codes need none.
    """
    presented = code.replace(" ", "").replace("-", "").upper()
    if not _TOTP.fullmatch(presented):
        with transaction(tenant_id=tenant_id) as tx:
            return _use_recovery_code(tx, user_id, presented)
    with transaction(tenant_id=tenant_id) as tx:
        version = tx.one(
            "SELECT totp_version FROM user_credentials WHERE user_id = %(id)s AND totp_confirmed_at IS NOT NULL",
            {"id": user_id},
        )
    if version is None:
        return False
    step = matching_step(seed_of(tenant_id, user_id, version), presented)
    if step is None:
        return False
    with transaction(tenant_id=tenant_id) as tx:
        return use_step(tx, user_id, step)


def seed_of(tenant_id: UUID, user_id: UUID, version: int) -> str:
    """A user's seed (base32)."""
    secret = read_secret(seed_path(tenant_id, user_id), version=version)
    if secret is None:
        raise ServiceUnavailable.retry_in(
            30, "The code cannot be checked right now. Try again; if it lasts, use a recovery code."
        )
    return secret.data["seed"]


def use_step(tx: Tx, user_id: UUID, step: int) -> bool:
    """Accept a time step once; False when it, or a later one, was used."""
    return (
        tx.run(
            """
            UPDATE user_credentials SET totp_last_step = %(step)s
            WHERE user_id = %(id)s AND totp_last_step < %(step)s
            """,
            {"id": user_id, "step": step},
        )
        == 1
    )


def new_recovery_codes(tx: Tx, user_id: UUID) -> list[str]:
    """Replace a user's recovery codes; each has 80 random bits and is shown this once."""
    forget_recovery_codes(tx, user_id)
    codes = ["".join(secrets.choice(_RECOVERY_ALPHABET) for _ in range(16)) for _ in range(_RECOVERY_CODES)]
    tx.run(
        """
        INSERT INTO recovery_codes (tenant_id, user_id, code_digest)
        SELECT %(tenant_id)s, %(id)s, unnest(%(digests)s::bytea[])
        """,
        {"tenant_id": tx.tenant_id, "id": user_id, "digests": [keyed_digest("totp_keys", c.encode()) for c in codes]},
    )
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]


def forget_recovery_codes(tx: Tx, user_id: UUID) -> None:
    """Make all of a user's recovery codes worthless."""
    tx.run("DELETE FROM recovery_codes WHERE user_id = %(id)s", {"id": user_id})


def _use_recovery_code(tx: Tx, user_id: UUID, code: str) -> bool:
    digests = [keyed_digest("totp_keys", code.encode(), version) for version in key_versions("totp_keys")]
    return (
        tx.run(
            """
            UPDATE recovery_codes SET used_at = clock_timestamp()
            WHERE user_id = %(id)s AND code_digest = ANY(%(digests)s) AND used_at IS NULL
            """,
            {"id": user_id, "digests": digests},
        )
        == 1
    )
