"""The rules of second factors."""

from dataclasses import dataclass
from uuid import UUID

from penguinmails.auth.second_factors import (
    matching_step,
    new_recovery_codes,
    seed_of,
    seed_path,
    use_step,
)
from penguinmails.db import Tx, transaction
from penguinmails.domain.platform_mail import queue_mail
from penguinmails.domain.second_factors import remove_second_factor
from penguinmails.errors import Conflict, InvalidStateTransition, ValidationFailed
from penguinmails.ids import new_uuid7
from penguinmails.vault import read_secret, write_secret
from second_factors import repository

_ISSUER = "PenguinMails"


@dataclass(frozen=True, slots=True)
class NewSeed:
    """A seed that waits for its confirmation."""

    seed: str
    otpauth_uri: str

    def __repr__(self) -> str:
        return "NewSeed(...)"


def enrol(*, tenant_id: UUID, user_id: UUID, email: str) -> NewSeed:
    """Make a seed; it is in force once a code of it was shown. Raises Conflict when a second factor is in force."""
    from pyotp import random_base32
    from pyotp.totp import TOTP

    with transaction(tenant_id=tenant_id) as tx:
        _refuse_enrolled(repository.find(tx, user_id).confirmed_at is not None)
    seed, path = random_base32(), seed_path(tenant_id, user_id)
    present = read_secret(path)
    version = write_secret(path, {"seed": seed}, expected_version=present.version if present else 0)
    with transaction(tenant_id=tenant_id) as tx:
        _refuse_enrolled(not repository.keep_pending(tx, user_id, version))
    return NewSeed(seed, TOTP(seed).provisioning_uri(name=email, issuer_name=_ISSUER))


def pending_step(*, tenant_id: UUID, user_id: UUID, code: str) -> tuple[int, int]:
    """Version of the seed that waits, and the time step whose code this is."""
    with transaction(tenant_id=tenant_id) as tx:
        row = repository.find(tx, user_id)
    _refuse_enrolled(row.confirmed_at is not None)
    if row.version is None:
        raise InvalidStateTransition("There is nothing to confirm. Enrol first: POST /api/v1/me/second-factor.")
    step = matching_step(seed_of(tenant_id, user_id, row.version), code)
    if step is None:
        raise _wrong_code()
    return row.version, step


def confirm(tx: Tx, user_id: UUID, *, version: int, step: int) -> list[str]:
    """Put a seed in force and use up the code that proved it; the recovery codes."""
    if not repository.confirm(tx, user_id, version):
        raise Conflict("Another seed was made meanwhile. Scan the newest one, and confirm with its code.")
    if not use_step(tx, user_id, step):
        raise _wrong_code()
    codes = new_recovery_codes(tx, user_id)
    queue_mail(tx, user_id=user_id, mail_type="second_factor_added", dedupe_key=f"second_factor_added:{new_uuid7()}")
    return codes


def renew_recovery_codes(tx: Tx, user_id: UUID) -> list[str]:
    """Replace all recovery codes. Raises InvalidStateTransition when there is no second factor."""
    if repository.find(tx, user_id).confirmed_at is None:
        raise InvalidStateTransition("There is no second factor. Enrol first: POST /api/v1/me/second-factor.")
    return new_recovery_codes(tx, user_id)


def remove(tx: Tx, *, tenant_id: UUID, user_id: UUID) -> None:
    """Take the second factor away."""
    if not remove_second_factor(tx, tenant_id=tenant_id, user_id=user_id):
        raise InvalidStateTransition("There is no second factor to remove.")


def _refuse_enrolled(is_enrolled: bool) -> None:
    if is_enrolled:
        raise Conflict("A second factor is in force already. Remove it first to enrol another device.")


def _wrong_code() -> ValidationFailed:
    return ValidationFailed.of(
        "code", "is not the code of this moment; check the clock of your device and use the newest", "wrong_code"
    )
