"""Rate limits as token buckets in Redis: capacity is the burst, refill is the limit per minute, the clock is Redis'.

One Lua function serves API keys (inside the admission script), signed-in users and addresses. When Redis is away the
limit fails open with a bucket in this process at a tenth of the limit, and an alarm metric says so.
"""

import time
from dataclasses import dataclass
from math import ceil
from typing import Any

from penguinmails.auth.principal import RateLimitState
from penguinmails.cache import CacheUnavailable, Script
from penguinmails.errors import RateLimitExceeded
from penguinmails.logging import count

TAKE_TOKEN_LUA = """
-- Takes one token from a bucket. Returns {taken (0 or 1), tokens left, ms until one token, ms until full, epoch s}.
local function take_token(key, limit, burst)
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
  local per_microsecond = limit / 60000000
  local bucket = redis.call('HMGET', key, 'tokens', 'at')
  local tokens = tonumber(bucket[1]) or burst
  local at = tonumber(bucket[2]) or now
  tokens = math.min(burst, tokens + math.max(0, now - at) * per_microsecond)
  local taken = 0
  if tokens >= 1 then
    tokens = tokens - 1
    taken = 1
  end
  redis.call('HSET', key, 'tokens', string.format('%.9f', tokens), 'at', string.format('%.0f', now))
  redis.call('PEXPIRE', key, math.ceil((burst - tokens) / per_microsecond / 1000) + 1000)
  local until_one = tokens >= 1 and 0 or math.ceil((1 - tokens) / per_microsecond / 1000)
  local until_full = math.ceil((burst - tokens) / per_microsecond / 1000)
  return {taken, math.floor(tokens), until_one, until_full, tonumber(time[1])}
end
"""

_TAKE = Script(TAKE_TOKEN_LUA + "return take_token(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]))")
_MAX_LOCAL_BUCKETS = 10_000


@dataclass(slots=True)
class _LocalBucket:
    tokens: float
    at: float


_local_buckets: dict[str, _LocalBucket] = {}


def state_of(answer: list[Any], limit: float, burst: int) -> tuple[bool, RateLimitState]:
    """What `take_token` returned: whether the request is admitted, and what the caller is told."""
    taken, remaining, until_one_ms, until_full_ms, epoch = (int(value) for value in answer)
    retry_after = 0 if taken else max(1, ceil(until_one_ms / 1000))
    return bool(taken), RateLimitState(round(limit), burst, remaining, epoch + ceil(until_full_ms / 1000), retry_after)


def take(name: str, *, limit: float, burst: int) -> tuple[bool, RateLimitState]:
    """Take one token of a bucket of its own; `limit` is per minute."""
    try:
        return state_of(_TAKE.run([f"bucket:{{{name}}}"], [limit, burst]), limit, burst)
    except CacheUnavailable:
        return take_locally(name, limit=limit, burst=burst)


def take_locally(name: str, *, limit: float, burst: int) -> tuple[bool, RateLimitState]:
    """The bucket of this process alone, at a tenth of the limit: what holds while Redis is away."""
    count("rate_limit_fail_open")
    now = time.monotonic()
    capacity, per_second = max(1.0, burst / 10), limit / 10 / 60
    if len(_local_buckets) >= _MAX_LOCAL_BUCKETS:
        _local_buckets.clear()
    bucket = _local_buckets.setdefault(name, _LocalBucket(capacity, now))
    bucket.tokens = min(capacity, bucket.tokens + (now - bucket.at) * per_second)
    bucket.at = now
    taken = bucket.tokens >= 1
    if taken:
        bucket.tokens -= 1
    retry_after = 0 if taken else max(1, ceil((1 - bucket.tokens) / per_second))
    reset_at = int(time.time()) + ceil((capacity - bucket.tokens) / per_second)
    return taken, RateLimitState(round(limit), burst, int(bucket.tokens), reset_at, retry_after)


def take_hourly(name: str, *, per_hour: int) -> tuple[bool, RateLimitState]:
    """Take one token of a bucket that holds `per_hour` and refills within an hour."""
    return take(name, limit=per_hour / 60, burst=per_hour)


def refuse_hourly(state: RateLimitState, what: str, per_hour: int) -> RateLimitExceeded:
    """The 429 of an hourly limit."""
    return RateLimitExceeded.after(
        state.retry_after, f"{what} {per_hour} times per hour. Try again in {ceil(state.retry_after / 60)} min."
    )


def refuse(state: RateLimitState, what: str, **members: Any) -> RateLimitExceeded:
    """The 429 of a limit that is used up."""
    return RateLimitExceeded(
        f"{what} allows {state.limit} requests per minute (bursts of {state.burst}). Try again in {state.retry_after} s.",
        headers={"Retry-After": str(state.retry_after)},
        retry_after=state.retry_after,
        **members,
    )
