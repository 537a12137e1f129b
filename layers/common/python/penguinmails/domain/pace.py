"""The pace at which a tenant's live mail is handed over: so many per second by plan, single mails and campaigns together.

One row of slots per tenant in Redis says who may leave when. A single mail takes the next slot, however far ahead, and waits
for it. Mails of campaigns take only slots that are there now, so they stand behind every single mail; for the others there is
the line of campaigns (`campaign_line`), in which the planner puts what it plans as well.
"""

import time
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from penguinmails.cache import CacheUnavailable, Script
from penguinmails.db import Tx
from penguinmails.domain.emails import SWEEP_AFTER_SECONDS
from penguinmails.logging import count

GRACE_SECONDS = 5
"""How long a slot that a single mail has waited for stays its own. Later, after a backlog, it takes a new one."""
LONGEST_DELAY_SECONDS = 840
"""A queue delays by 900 s at most. Whose turn comes later is brought to the queue by the sweep, shortly before."""
_SINGLE_AHEAD_SECONDS = 1
"""A slot within this time is one now."""
_CAMPAIGN_AHEAD_SECONDS = 2
"""The same for campaigns, whose messages hold up to a second's mails and come up to a second late."""
_KNOWN_FOR_SECONDS = 60
_MAX_KNOWN = 10_000
_rates: dict[UUID, tuple[float, int]] = {}

# ARGV: slots wanted, microseconds between two, and how far ahead the last may lie (-1: as far as need be). Redis' clock is
# everybody's clock. Returns the slots taken, and in how many microseconds the first one of the row came, and the next one does.
_TAKE = Script(
    """
    local time = redis.call('TIME')
    local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
    local wanted, step, ahead = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local first = math.max(now, tonumber(redis.call('GET', KEYS[1])) or 0)
    local taken = wanted
    if ahead >= 0 then
      taken = math.max(0, math.min(wanted, math.floor((now + ahead - first) / step) + 1))
    end
    local free = first + taken * step
    if taken > 0 then
      redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', math.ceil((free - now) / 1000) + 1000)
    end
    return {taken, first - now, free - now}
    """
)


def seconds_to_wait(tx: Tx, tenant_id: UUID) -> int:
    """How long a single mail has to wait for its slot, which it has taken then.

    Without Redis the answer is 0: a mail that is too early does less harm than one that is lost in a line.
    """
    try:
        _taken, wait, _free = _take(tenant_id, 1, rate(tx, tenant_id), ahead=-1)
    except CacheUnavailable:
        count("send_pace_fail_open_total")
        return 0
    return 0 if wait <= _SINGLE_AHEAD_SECONDS else ceil(wait)


def slots_now(tx: Tx, tenant_id: UUID, wanted: int) -> tuple[int, float]:
    """How many of a campaign's mails may leave now, with one question for all; and in how many seconds the next one may.

    Without Redis all may: the planner's line holds the pace on the whole, a backlog alone leaves faster.
    """
    try:
        taken, _wait, free = _take(tenant_id, wanted, rate(tx, tenant_id), ahead=_CAMPAIGN_AHEAD_SECONDS)
    except CacheUnavailable:
        count("send_pace_fail_open_total", wanted)
        return wanted, 0.0
    return taken, free


def seconds_until(turn: datetime, now: datetime) -> int:
    """Never too early: whole seconds, which is what queues delay by."""
    return max(0, ceil((turn - now).total_seconds()))


def sweep_at(turn: datetime, now: datetime) -> datetime:
    """When the sweep looks at a mail that waits: once its message must be lost, or early enough to send it one."""
    is_on_its_way = seconds_until(turn, now) <= LONGEST_DELAY_SECONDS
    return turn + timedelta(seconds=SWEEP_AFTER_SECONDS if is_on_its_way else -SWEEP_AFTER_SECONDS)


def rate(tx: Tx, tenant_id: UUID) -> int:
    """Mails per second, 1 at least; a changed plan takes effect within a minute."""
    known_until, known = _rates.get(tenant_id, (0.0, 0))
    if known_until < time.monotonic():
        found = tx.one("SELECT send_rate_per_second FROM tenant_limits WHERE tenant_id = %(id)s", {"id": tenant_id})
        if len(_rates) >= _MAX_KNOWN:
            _rates.clear()
        known = max(1, int(found or 0))
        _rates[tenant_id] = (time.monotonic() + _KNOWN_FOR_SECONDS, known)
    return known


def _take(tenant_id: UUID, wanted: int, rate_per_second: int, *, ahead: int) -> tuple[int, float, float]:
    step = max(1, round(1_000_000 / rate_per_second))
    limit = ahead if ahead < 0 else ahead * 1_000_000
    taken, wait, free = _TAKE.run([f"pace:{{{tenant_id}}}"], [wanted, step, limit])
    return int(taken), int(wait) / 1_000_000, int(free) / 1_000_000
