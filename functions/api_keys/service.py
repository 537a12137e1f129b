"""The rules of API keys: who may grant what, how many there may be, and how a secret comes and goes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from api_keys import repository
from api_keys.repository import KeyRow
from penguinmails import clock
from penguinmails.auth.key_format import NewKey, make_key, masked
from penguinmails.auth.passwords import hash_secret
from penguinmails.auth.principal import UserPrincipal
from penguinmails.db import Mode, Tx
from penguinmails.domain.key_changes import (
    Announcement,
    announce_again,
    announce_key_change,
    announce_tenant_change,
    lock_tenant_keys,
)
from penguinmails.domain.secret_rotations import rotation
from penguinmails.errors import (
    Conflict,
    FieldError,
    KeyLimitReached,
    NotFound,
    ServiceUnavailable,
    SubscriptionSuspended,
    ValidationFailed,
)
from penguinmails.events.catalogue import ApiKeyCreated, ApiKeyRevoked
from penguinmails.events.emit import emit
from penguinmails.ids import new_uuid4
from penguinmails.logging import count
from penguinmails.vault import read_secret, secret_path, write_secret

MAX_ACTIVE_KEYS = 20
SHOWN_ONCE = "Store this key now; it is not shown again."
OLD_KEY_REVOKED = "The old key has stopped working. Store this key now; it is not shown again."


@dataclass(frozen=True, slots=True)
class KeyWithSecret:
    """A key and its plaintext, for the one answer that shows it."""

    id: UUID
    plaintext: str
    rate_limit: int
    created_at: datetime

    def __repr__(self) -> str:
        return f"KeyWithSecret({self.id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFields:
    """What a user may say about a key."""

    name: str
    permissions: list[str]
    allowed_cidrs: list[str]
    monthly_quota: int | None
    expires_at: datetime | None


def create_key(tx: Tx, user: UserPrincipal, mode: Mode, fields: KeyFields) -> KeyWithSecret:
    """Make a key: its bcrypt hash goes to Vault, everything else to PostgreSQL.

    The Vault record is written first: a key that PostgreSQL knows can always be verified, and a record that no row
    refers to is harmless.
    """
    _refuse_ungrantable(user, fields)
    if repository.subscription_status(tx) not in ("trialing", "active", "past_due"):
        raise SubscriptionSuspended("API keys need an active subscription. Settle the open invoice or choose a plan.")
    lock_tenant_keys(tx, user.tenant_id)
    if repository.count_active(tx) >= MAX_ACTIVE_KEYS:
        raise KeyLimitReached(
            f"There are {MAX_ACTIVE_KEYS} active keys already, the most an account may have. Revoke one that is not used."
        )
    key_id, key, rate_limit = new_uuid4(), make_key(mode), repository.tenant_rate_limit(tx)
    record = _vault_record(key, fields, rate_limit, user)
    version = write_secret(secret_path("api_keys", str(user.tenant_id), str(key_id)), record, expected_version=0)
    created_at = repository.insert_key(
        tx,
        {
            "id": key_id,
            "tenant_id": user.tenant_id,
            "mode": mode,
            "created_by": user.user_id,
            **_secret_columns(key, version),
            **_field_columns(fields),
        },
    )
    emit(
        tx,
        ApiKeyCreated(
            key_id=key_id,
            name=fields.name,
            masked_key=masked(key.prefix, key.last4),
            actor_id=user.user_id,
            permissions=fields.permissions,
        ),
    )
    tx.after_commit(lambda: count("api_keys_created_total", plan=user.plan))
    return KeyWithSecret(key_id, key.plaintext, rate_limit, created_at)


def change_key(tx: Tx, user: UserPrincipal, key_id: UUID, changes: dict[str, Any]) -> Announcement:
    """Change fields of a key; narrower scopes and networks hold on the next request."""
    row = _active_key(tx, key_id)
    present = KeyFields(
        name=row.name,
        permissions=row.permissions,
        allowed_cidrs=row.allowed_cidrs,
        monthly_quota=row.monthly_quota,
        expires_at=row.expires_at,
    )
    fields = KeyFields(**{name: changes.get(name, getattr(present, name)) for name in KeyFields.__slots__})
    _refuse_ungrantable(user, fields, already=frozenset(row.permissions))
    announcement = announce_key_change(tx, key_id)
    repository.change_key(tx, key_id, _field_columns(fields))
    return announcement


def regenerate_key(tx: Tx, user: UserPrincipal, key_id: UUID) -> tuple[KeyRow, KeyWithSecret]:
    """Replace the secret of a key: the old one stops at once, id, name and scopes stay.

    When the cache cannot be told, nothing is changed: a committed change could not show the new secret in its answer.
    """
    row = _active_key(tx, key_id)
    _refuse_ungrantable(user, _fields_of(row))
    if not announce_key_change(tx, key_id).reached_cache:
        raise ServiceUnavailable.retry_in(
            5,
            "The old key could not be stopped at once, so nothing was changed. Try again; revoke the key if it is urgent.",
        )
    key, rate_limit = make_key(row.mode), repository.tenant_rate_limit(tx)
    path = secret_path("api_keys", str(user.tenant_id), str(key_id))
    record = _vault_record(key, _fields_of(row), rate_limit, user)
    with rotation(tx, "api_key"):
        stored = read_secret(path)
        version = write_secret(path, record, expected_version=stored.version if stored else 0)
    repository.replace_secret(tx, key_id, _secret_columns(key, version))
    return row, KeyWithSecret(key_id, key.plaintext, rate_limit, row.created_at)


def revoke_key(tx: Tx, user: UserPrincipal, key_id: UUID) -> tuple[datetime, Announcement]:
    """End a key for good. Raises Conflict when it has ended already, after announcing that once more."""
    row = _existing_key(tx, key_id)
    if row.status == "revoked":
        announce_again(row.lookup_digest, row.generation).confirm()
        raise Conflict(f"The key was already revoked on {row.revoked_at:%Y-%m-%d %H:%M} UTC and cannot be restored.")
    announcement = announce_key_change(tx, key_id)
    revoked_at = repository.revoke_key(tx, key_id, user.user_id)
    _emit_revoked(tx, row, user, revoked_at)
    return revoked_at, announcement


def revoke_all_keys(tx: Tx, user: UserPrincipal) -> tuple[list[KeyRow], Announcement]:
    """End every key of the tenant. Keys that ended within the hour are announced once more: a caller who was told
    that a revocation is pending asks again.
    """
    lock_tenant_keys(tx, user.tenant_id)
    announcements = [announce_again(row.lookup_digest, row.generation) for row in repository.revoked_lately(tx)]
    announcements.append(announce_tenant_change(tx, user.tenant_id))
    rows = repository.active_keys(tx)
    revoked_at = repository.revoke_all(tx, user.user_id)
    for row in rows:
        _emit_revoked(tx, row, user, revoked_at)
    return rows, Announcement(reached_cache=all(announcement.reached_cache for announcement in announcements))


def _emit_revoked(tx: Tx, row: KeyRow, user: UserPrincipal, revoked_at: datetime) -> None:
    event = ApiKeyRevoked(
        key_id=row.id,
        name=row.name,
        masked_key=masked(row.key_prefix, row.key_last4),
        actor_id=user.user_id,
        revoked_at=revoked_at,
    )
    emit(tx, event)


def _existing_key(tx: Tx, key_id: UUID) -> KeyRow:
    row = repository.find_key(tx, key_id)
    if row is None:
        raise NotFound.of("API key", key_id)
    return row


def _active_key(tx: Tx, key_id: UUID) -> KeyRow:
    row = _existing_key(tx, key_id)
    if row.status == "revoked":
        raise Conflict("The key was already revoked. Revoked keys cannot be changed; create a new one.")
    return row


def _fields_of(row: KeyRow) -> KeyFields:
    return KeyFields(
        name=row.name,
        permissions=row.permissions,
        allowed_cidrs=row.allowed_cidrs,
        monthly_quota=row.monthly_quota,
        expires_at=row.expires_at,
    )


def _refuse_ungrantable(user: UserPrincipal, fields: KeyFields, already: frozenset[str] = frozenset()) -> None:
    beyond = [scope for scope in fields.permissions if scope not in user.scopes and scope not in already]
    if beyond:
        raise ValidationFailed(
            f"permissions: your role ({user.role}) does not have {', '.join(beyond)}, so it cannot grant it.",
            errors=[FieldError("permissions", f"your role does not have {scope}", "not_grantable") for scope in beyond],
        )
    if fields.expires_at is not None and fields.expires_at <= clock.now() and not already:
        raise ValidationFailed.of("expires_at", "lies in the past", "in_the_past")


def _vault_record(key: NewKey, fields: KeyFields, rate_limit: int, user: UserPrincipal) -> dict[str, Any]:
    return {
        "key_hash": hash_secret(key.plaintext),
        "permissions": fields.permissions,
        "rate_limit": rate_limit,
        "created_at": clock.now().isoformat(),
        "last_used": None,
        "request_count": 0,
        "error_count": 0,
        "rotation_policy": "on_demand",
        "status": "active",
        "name": fields.name,
        "created_by": str(user.user_id),
    }


def _secret_columns(key: NewKey, vault_version: int) -> dict[str, Any]:
    return {
        "key_prefix": key.prefix,
        "key_last4": key.last4,
        "lookup_digest": key.digest,
        "digest_version": key.digest_version,
        "vault_version": vault_version,
    }


def _field_columns(fields: KeyFields) -> dict[str, Any]:
    return {
        "name": fields.name,
        "permissions": sorted(set(fields.permissions)),
        "allowed_cidrs": fields.allowed_cidrs,
        "monthly_quota": fields.monthly_quota,
        "expires_at": fields.expires_at,
    }
