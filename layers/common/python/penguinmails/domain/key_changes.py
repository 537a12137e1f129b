"""Changes of what API keys may do, announced so that they hold on the next request in every process.

The order matters: lock the rows, write a tombstone with the next generation to Redis, change PostgreSQL, commit. From
the tombstone on, no process uses a cached state that is older; before the commit they ask PostgreSQL and see the old
state, after it the new one. A tombstone whose transaction is rolled back only costs look-ups for an hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from penguinmails.auth.key_state import STATE_SECONDS, bury
from penguinmails.cache import CacheUnavailable
from penguinmails.db import Tx
from penguinmails.errors import RevocationPending
from penguinmails.logging import count


@dataclass(frozen=True, slots=True)
class Announcement:
    """Whether Redis knows of the change that is about to be committed."""

    reached_cache: bool

    def confirm(self) -> None:
        """Call after the commit. Raises RevocationPending when processes may act on the old state a little longer."""
        if self.reached_cache:
            return
        count("revocation_pending_total")
        raise RevocationPending.retry_in(
            STATE_SECONDS,
            f"The change is stored, but the cache could not be told. It holds everywhere within {STATE_SECONDS} s; "
            "send the request again then to have it confirmed.",
        )


@dataclass(frozen=True, slots=True)
class _Key:
    lookup_digest: bytes
    generation: int


def announce_key_change(tx: Tx, key_id: UUID) -> Announcement:
    """Lock a key, announce that it changes, and give it its next generation."""
    keys = tx.all(
        "SELECT lookup_digest, generation FROM api_keys WHERE id = %(id)s FOR UPDATE",
        {"id": key_id},
        _Key,
    )
    announcement = _announce(keys)
    tx.run("UPDATE api_keys SET generation = generation + 1 WHERE id = %(id)s", {"id": key_id})
    return announcement


def lock_tenant_keys(tx: Tx, tenant_id: UUID) -> None:
    """Let one transaction at a time make keys of a tenant, or change what all of them may do."""
    tx.run("SELECT pg_advisory_xact_lock(hashtextextended('api_keys ' || %(tenant)s::text, 0))", {"tenant": tenant_id})


def announce_tenant_change(tx: Tx, tenant_id: UUID) -> Announcement:
    """The same for every active key of a tenant: its plan, limits or status are about to change.

    No key of the tenant is made until the change is committed; one made before it would be missed here.
    """
    lock_tenant_keys(tx, tenant_id)
    keys = tx.all(
        """
        SELECT lookup_digest, generation FROM api_keys
        WHERE tenant_id = %(tenant_id)s AND status = 'active' ORDER BY id FOR UPDATE
        """,
        {"tenant_id": tenant_id},
        _Key,
    )
    announcement = _announce(keys)
    tx.run(
        "UPDATE api_keys SET generation = generation + 1 WHERE tenant_id = %(tenant_id)s AND status = 'active'",
        {"tenant_id": tenant_id},
    )
    return announcement


def announce_again(digest: bytes, generation: int) -> Announcement:
    """Repeat the announcement of a change that is committed already, for a caller who was told that it is pending."""
    return _announce([_Key(digest, generation - 1)])


def _announce(keys: Sequence[_Key]) -> Announcement:
    try:
        for key in keys:
            bury(key.lookup_digest, key.generation + 1)
    except CacheUnavailable:
        return Announcement(reached_cache=False)
    return Announcement(reached_cache=True)
