"""Collects usage records: one shard's batch per step."""

import json
from typing import Any

from collect_usage import repository
from penguinmails.auth.key_state import usage_key, usage_shards
from penguinmails.cache import CacheUnavailable, command
from penguinmails.db import transaction
from penguinmails.logging import logger

BATCH = 500


def collect() -> int:
    """Store one batch of each shard; how many records there were, 0 when all shards are empty.

    A batch is taken off Redis only after it was stored, and its rows have ids of their own, so a crash in between
    stores nothing twice. The roll-up counts exactly the rows that were new.
    """
    return sum(_collect_shard(usage_key(shard)) for shard in usage_shards())


def _collect_shard(key: str) -> int:
    try:
        records: list[bytes] = command("LRANGE", key, 0, BATCH - 1)
    except CacheUnavailable:
        logger.warning("usage not collected, cache unavailable")
        return 0
    if not records:
        return 0
    with transaction(role="jobs") as tx:
        repository.insert_usage(tx, [row for row in map(_row, records) if row is not None])
    command("LTRIM", key, len(records), -1)
    return len(records)


def _row(record: bytes) -> dict[str, Any] | None:
    """One record as a row; None for one that cannot be read, which is dropped with a word in the log."""
    try:
        usage_id, tenant_id, key_id, endpoint, method, status, milliseconds, address, agent, at, *rest = json.loads(
            record
        )
    except ValueError:
        logger.error("unreadable usage record dropped")
        return None
    return {
        "id": usage_id,
        "tenant_id": tenant_id,
        "api_key_id": key_id,
        "endpoint": endpoint,
        "method": method,
        "status_code": status,
        "response_time_ms": milliseconds,
        "ip_address": address,
        "user_agent": agent,
        "created_at": at,
        # Records of the release before this one end here.
        "country": rest[0] if rest else "",
    }
