"""What Redis knows of API keys, and the scripts that read and change it.

Per digest, all under one hash tag: `state` (what the key may do, with its generation, at most 60 s old), `tombstone`
(the generation that a change is about to commit), `proof` (that the secret matched its bcrypt hash, for one
generation), `bucket` and `quota`. A tombstone above the state's generation makes every reader ask PostgreSQL, and a
fill below it is not kept. ADR 0003 tells the whole protocol and its races.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any
from uuid import UUID

from penguinmails.auth.principal import RateLimitState
from penguinmails.cache import CacheUnavailable, Script, command
from penguinmails.db import Mode
from penguinmails.ratelimit import TAKE_TOKEN_LUA, state_of

STATE_SECONDS = 60
"""Positive state lives this long at most: the bound that a lost tombstone (a Redis failover) leaves."""
UNKNOWN_SECONDS = 15
PROOF_SECONDS = 24 * 3600
TOMBSTONE_SECONDS = 3600
"""Longer than any invocation can hold a state that it read before the change."""
_USAGE_SHARDS = 64
_USAGE_ROWS_PER_SHARD = 200_000


class Verdict(IntEnum):
    """The admission script's answer."""

    ASK_DATABASE = 0
    UNKNOWN = 1
    LIMITED = 2
    OVER_QUOTA = 3
    ADMITTED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """What a key may do, as PostgreSQL said; times are epoch seconds, `rate_limit` is per minute."""

    id: str
    tenant_id: str
    mode: Mode
    name: str
    generation: int
    vault_version: int
    scopes: list[str]
    status: str
    tenant_status: str
    subscription_status: str
    plan: str
    api_access: bool
    rate_limit: int
    burst: int
    cidrs: list[str]
    expires_at: int | None
    quota: int | None
    used_this_month: int

    def encode(self) -> str:
        """The JSON that is kept in Redis."""
        return json.dumps(asdict(self), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Admission:
    """One look at Redis: the verdict, and what it was based on."""

    verdict: Verdict
    state: KeyState | None
    proof: bytes | None
    rate_limit: RateLimitState | None


_ADMIT = Script(
    TAKE_TOKEN_LUA
    + """
local state_key, tombstone_key, proof_key, bucket_key, quota_key, usage_key = unpack(KEYS)
local filled, state_seconds, proof_seconds, usage_cap = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

if #ARGV > 4 then
  for i = 5, #ARGV do redis.call('RPUSH', usage_key, ARGV[i]) end
  redis.call('LTRIM', usage_key, -usage_cap, -1)
end

local text = redis.call('GET', state_key)
local tombstone = tonumber(redis.call('GET', tombstone_key) or '0')
local state = text and text ~= '-' and cjson.decode(text) or nil

if filled ~= '' then
  local fresh = cjson.decode(filled)
  if fresh.generation >= tombstone and not (state and state.generation > fresh.generation) then
    redis.call('SET', state_key, filled, 'EX', state_seconds)
  end
  state, text = fresh, filled
elseif text == '-' then
  return {1}
elseif not state or state.generation < tombstone then
  return {0}
end

local proof = redis.call('GETEX', proof_key, 'EX', proof_seconds)
if not state.api_access then
  return {4, text, proof}
end
local bucket = take_token(bucket_key, state.rate_limit, state.burst)
if bucket[1] == 0 then
  return {2, text, proof, unpack(bucket)}
end
if type(state.quota) == 'number' then
  if redis.call('EXISTS', quota_key) == 0 then
    redis.call('SET', quota_key, state.used_this_month, 'EX', 2764800)
  end
  if redis.call('INCR', quota_key) > state.quota then
    redis.call('DECR', quota_key)
    return {3, text, proof, unpack(bucket)}
  end
end
return {4, text, proof, unpack(bucket)}
"""
)

_BURY = Script(
    """
local next_generation = tonumber(ARGV[1])
if next_generation > tonumber(redis.call('GET', KEYS[1]) or '0') then
  redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
end
return 1
"""
)


def shard_of(digest: bytes) -> int:
    """Which of the hash tags a digest's keys share; few enough that the usage job can visit them all."""
    return digest[0] % _USAGE_SHARDS


def usage_key(shard: int) -> str:
    """The list that collects usage records."""
    return f"usage:{{k{shard}}}"


def usage_shards() -> range:
    """All shards that may hold usage records."""
    return range(_USAGE_SHARDS)


def _key(kind: str, digest: bytes) -> str:
    return f"{kind}:{{k{shard_of(digest)}}}:{digest.hex()}"


def admit(digest: bytes, month: str, *, fill: KeyState | None = None, usage: Sequence[str] = ()) -> Admission:
    """Look the key up and take a token, in one round trip. With `fill`, use and keep what PostgreSQL just said.

    `month` (YYYY-MM) names the quota's period; `usage` are records of earlier requests that ride along.
    Raises CacheUnavailable.
    """
    keys = [
        _key("state", digest),
        _key("tombstone", digest),
        _key("proof", digest),
        _key("rate_limit", digest),
        f"{_key('quota', digest)}:{month}",
        usage_key(shard_of(digest)),
    ]
    filled = fill.encode() if fill else ""
    answer: list[Any] = _ADMIT.run(keys, [filled, STATE_SECONDS, PROOF_SECONDS, _USAGE_ROWS_PER_SHARD, *usage])
    verdict = Verdict(answer[0])
    if verdict in (Verdict.ASK_DATABASE, Verdict.UNKNOWN):
        return Admission(verdict, None, None, None)
    state = KeyState(**json.loads(answer[1]))
    limit = state_of(answer[3:8], state.rate_limit, state.burst)[1] if len(answer) > 3 else None
    return Admission(verdict, state, answer[2], limit)


def remember_unknown(digest: bytes) -> None:
    """Refuse the digest for some seconds without asking PostgreSQL again."""
    command("SET", _key("state", digest), "-", "EX", UNKNOWN_SECONDS)


def keep_proof(digest: bytes, proof: bytes) -> None:
    """Remember that the secret matched; the proof names its generation, so a later one does not accept it."""
    command("SET", _key("proof", digest), proof, "EX", PROOF_SECONDS)


def lead_verification(digest: bytes, seconds: int) -> bool:
    """True for the one caller who should pay for bcrypt now; others wait for its proof."""
    return command("SET", _key("verifying", digest), "1", "NX", "EX", seconds) is not None


def proof_of(digest: bytes) -> bytes | None:
    """The proof that is kept, if any."""
    return command("GET", _key("proof", digest))


def bury(digest: bytes, next_generation: int) -> None:
    """Write the tombstone of a change that is about to be committed. Raises CacheUnavailable.

    It is tried even while this process believes Redis to be away: a revocation must not trust an old belief.
    """
    _BURY.run([_key("tombstone", digest)], [next_generation, TOMBSTONE_SECONDS], try_anyway=True)


def forget(digests: Sequence[bytes]) -> None:
    """Remove what is known of keys that are gone for good. Raises CacheUnavailable."""
    for digest in digests:
        command("DEL", *(_key(kind, digest) for kind in ("state", "tombstone", "proof", "rate_limit", "verifying")))


def first_in_a_minute(what: str, key_id: UUID) -> bool:
    """Whether this is the first such occurrence within a minute; true as well when Redis cannot tell."""
    try:
        return command("SET", f"once:{what}:{key_id}", "1", "NX", "EX", 60) is not None
    except CacheUnavailable:
        return True
