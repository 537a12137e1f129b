"""The pace at which a tenant's single mails go out: so many per second by plan; more than that waits for its turn.

Campaigns are planned ahead at the same pace, and give way for as many mails as went out singly meanwhile.
"""

import time
from math import ceil
from uuid import UUID

from penguinmails.cache import CacheUnavailable, Script
from penguinmails.db import Tx
from penguinmails.logging import count

LONGEST_WAIT_SECONDS = 840
"""A queue delays by 900 s at most; who would wait longer asks again then."""
_BURST_SECONDS = 1
_COUNTED_SECONDS = 120
_KNOWN_FOR_SECONDS = 60
_MAX_KNOWN = 10_000
_rates: dict[UUID, tuple[float, int]] = {}

# Every mail takes the next free slot of its tenant; Redis' clock is everybody's clock. -1: the line is too long.
_TAKE_SLOT = Script(
    """
    local time = redis.call('TIME')
    local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
    local slot = math.max(now, tonumber(redis.call('GET', KEYS[1])) or 0)
    local wait = slot - now
    if wait > tonumber(ARGV[2]) then return -1 end
    local free = slot + tonumber(ARGV[1])
    redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', math.ceil((free - now) / 1000) + 1000)
    if redis.call('INCR', KEYS[2]) == 1 then redis.call('EXPIRE', KEYS[2], ARGV[3]) end
    return math.floor(wait)
    """
)
_TAKE_COUNT = Script("return redis.call('GETDEL', KEYS[1]) or 0")


def seconds_to_wait(tx: Tx, tenant_id: UUID) -> int | None:
    """How long a mail has to wait for its turn, which it has taken then; None when the line is too long to join.

    Without Redis the answer is 0: a mail that is too early does less harm than one that is lost in a line.
    """
    step = round(1_000_000 / max(1, _rate(tx, tenant_id)))
    try:
        keys = [f"pace:{{{tenant_id}}}", _count_key(tenant_id)]
        wait = int(_TAKE_SLOT.run(keys, [step, LONGEST_WAIT_SECONDS * 1_000_000, _COUNTED_SECONDS]))
    except CacheUnavailable:
        count("send_pace_fail_open_total")
        return 0
    if wait < 0:
        return None
    return 0 if wait <= _BURST_SECONDS * 1_000_000 else ceil(wait / 1_000_000)


def taken_by_single_mails(tenant_id: UUID | None) -> int:
    """How many single mails have taken their turn since this was last asked, of the last two minutes; 0 without Redis."""
    try:
        return int(_TAKE_COUNT.run([_count_key(tenant_id)], []))
    except CacheUnavailable:
        return 0


def _count_key(tenant_id: UUID | None) -> str:
    return f"pace-taken:{{{tenant_id}}}"


def _rate(tx: Tx, tenant_id: UUID) -> int:
    """Mails per second; a changed plan takes effect within a minute."""
    known_until, rate = _rates.get(tenant_id, (0.0, 0))
    if known_until < time.monotonic():
        found = tx.one("SELECT send_rate_per_second FROM tenant_limits WHERE tenant_id = %(id)s", {"id": tenant_id})
        if len(_rates) >= _MAX_KNOWN:
            _rates.clear()
        rate = int(found or 0)
        _rates[tenant_id] = (time.monotonic() + _KNOWN_FOR_SECONDS, rate)
    return rate
