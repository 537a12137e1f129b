"""Who may post how much at once: slots in Redis, held as leases that end by themselves when their worker is killed.

A webhook has five slots and a tenant twenty. Receivers that keep their caller waiting may have fifteen of the twenty, and
while a tenant has such a receiver one worker alone posts for it: others stay free for other tenants.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from penguinmails.cache import CacheUnavailable, Script, command
from penguinmails.db import Mode
from penguinmails.domain.deliveries import PER_TENANT, PER_WEBHOOK
from penguinmails.logging import count

PER_TENANT_OF_SLOW = 15
LEASE_MS = 6_000
RENEW_SECONDS = 1.5
SLOW_FROM_MS = 1_000
"""A post that took this long makes its webhook slow, for SLOW_SECONDS after the last one."""
SLOW_SECONDS = 30
_SEATS = 2
"""How many workers may post for one tenant while all its receivers are quick."""
_MOST_WEBHOOKS = 100
"""Of how many a worker takes something up at a time, where none of them hangs."""
LOOK_AGAIN_SECONDS = LEASE_MS // 1000 + 2
"""Until the slots of a worker that is killed now are free again, however late the last such look was asked for."""
_LOOKED_AFTER_MS = 1_000

_TAKE = Script(
    """
local slots, slow = KEYS[1], KEYS[2]
local worker, lease = ARGV[1], tonumber(ARGV[2])
local per_tenant, per_slow, seats = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
redis.call('ZREMRANGEBYSCORE', slow, '-inf', now)
local is_slow = {}
for _, webhook in ipairs(redis.call('ZRANGE', slow, 0, -1)) do
  is_slow[webhook] = true
  seats = 1
end
local total, of_slow, used, workers, holders = 0, 0, {}, {}, 0
for _, token in ipairs(redis.call('ZRANGE', slots, 0, -1)) do
  local holder, webhook = string.match(token, '^([^/]+)/([^/]+)/')
  total = total + 1
  used[webhook] = (used[webhook] or 0) + 1
  if is_slow[webhook] then of_slow = of_slow + 1 end
  if not workers[holder] then
    workers[holder] = true
    holders = holders + 1
  end
  if holder == worker then redis.call('ZADD', slots, now + lease, token) end
end
local may_sit = workers[worker] or holders < seats
local taken = {}
for i = 6, #ARGV do
  local webhook, most = string.match(ARGV[i], '^[^/]+/([^/]+)/(%d+)/')
  taken[i - 5] = 0
  if may_sit and total < per_tenant and (used[webhook] or 0) < tonumber(most)
      and not (is_slow[webhook] and of_slow >= per_slow) then
    redis.call('ZADD', slots, now + lease, ARGV[i])
    total = total + 1
    used[webhook] = (used[webhook] or 0) + 1
    if is_slow[webhook] then of_slow = of_slow + 1 end
    taken[i - 5] = 1
  end
end
redis.call('PEXPIRE', slots, lease)
return taken
"""
)

_ROOM = Script(
    """
local worker, per_tenant, seats, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
local room = per_tenant - #held
if redis.call('ZCOUNT', KEYS[2], '(' .. now, '+inf') > 0 then
  seats = 1
elseif room > 0 then
  room = most
end
local sits, used, workers, holders, answer = false, {}, {}, 0, {0}
for _, token in ipairs(held) do
  local holder, webhook, limit = string.match(token, '^([^/]+)/([^/]+)/(%d+)/')
  if holder == worker then
    sits = true
  else
    if not workers[holder] then
      workers[holder] = true
      holders = holders + 1
    end
    used[webhook] = (used[webhook] or 0) + 1
    if used[webhook] == tonumber(limit) then answer[#answer + 1] = webhook end
  end
end
if room > 0 and (sits or holders < seats) then answer[1] = room end
return answer
"""
)

_GIVE = Script(
    """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local slow_ms, slow_webhooks = tonumber(ARGV[1]), tonumber(ARGV[2])
for i = 3, 2 + slow_webhooks do
  redis.call('ZADD', KEYS[2], now + slow_ms, ARGV[i])
end
if slow_webhooks > 0 then redis.call('PEXPIRE', KEYS[2], slow_ms) end
for i = 3 + slow_webhooks, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[i])
end
return 1
"""
)


@dataclass(frozen=True, slots=True)
class Room:
    """Where a worker would get a slot now."""

    webhooks: int
    """Of how many webhooks to take something up; 0 where it would be turned away."""
    full: frozenset[UUID] = frozenset()
    """Those whose slots others have, all of them."""

    def has(self, webhook_id: UUID) -> bool:
        """Whether one of this webhook's slots is free, and so is one of its tenant's."""
        return self.webhooks > 0 and webhook_id not in self.full


@dataclass(frozen=True, slots=True)
class Slot:
    """The right to have one post to a webhook in flight."""

    webhook_id: UUID
    token: str


class Slots:
    """The slots that one worker holds for one tenant."""

    def __init__(self, tenant_id: UUID, mode: Mode) -> None:
        """Nothing is held yet."""
        self._worker = uuid4().hex
        self._keys = _keys(tenant_id, mode)
        self._held = 0
        self._count = 0

    def take(self, wanted: Mapping[UUID, int], *, single: Container[UUID] = ()) -> list[Slot]:
        """As many slots as there are of those wanted per webhook; what is held already is renewed.

        Webhooks in `single` have one slot each. While Redis is away this process alone keeps to the limits.
        """
        slots = [
            self._new_slot(webhook_id, 1 if webhook_id in single else PER_WEBHOOK)
            for webhook_id, number in wanted.items()
            for _ in range(number)
        ]
        try:
            answer = _TAKE.run(
                self._keys,
                [
                    self._worker, LEASE_MS, PER_TENANT, PER_TENANT_OF_SLOW, _SEATS,
                    *(slot.token for slot in slots),
                ],
            )  # fmt: skip
        except CacheUnavailable:
            count("webhook_slots_fail_open")
            answer = [position < PER_TENANT - self._held for position in range(len(slots))]
        taken = [slot for slot, is_taken in zip(slots, answer, strict=True) if is_taken]
        self._held += len(taken)
        return taken

    def room(self) -> Room:
        """Where this worker would get a slot. While Redis is away it tries everywhere.

        Where a receiver hangs any other may, so of no more webhooks than there are free slots.
        """
        return _room(self._keys, self._worker, _SEATS)

    def give(self, slots: Sequence[Slot], slow: Sequence[UUID]) -> None:
        """Give slots back, and tell which webhooks kept their caller waiting."""
        self._held -= len(slots)
        if not slots and not slow:
            return
        names = [str(webhook_id) for webhook_id in slow]
        try:
            _GIVE.run(
                self._keys, [SLOW_SECONDS * 1000, len(names), *names, *(slot.token for slot in slots)], try_anyway=True
            )
        except CacheUnavailable:
            count("webhook_slots_not_returned")

    def _new_slot(self, webhook_id: UUID, most: int) -> Slot:
        self._count += 1
        return Slot(webhook_id, f"{self._worker}/{webhook_id}/{most}/{self._count}")


def room_for_newcomer(tenant_id: UUID, mode: Mode) -> Room:
    """Where a worker that has no slot yet would get one.

    Whoever holds what is not free looks at what is in line when a slot of its frees.
    """
    return _room(_keys(tenant_id, mode), "", PER_TENANT)


def is_to_be_looked_after(tenant_id: UUID, mode: Mode) -> bool:
    """Whether somebody is to be woken in LOOK_AGAIN_SECONDS, in case that who holds the slots is killed; once a second."""
    try:
        return command("SET", f"webhook_looks:{{{tenant_id}:{mode}}}", 1, "NX", "PX", _LOOKED_AFTER_MS) is not None
    except CacheUnavailable:
        return True


def _room(keys: list[str], worker: str, seats: int) -> Room:
    try:
        webhooks, *full = _ROOM.run(keys, [worker, PER_TENANT, seats, _MOST_WEBHOOKS])
    except CacheUnavailable:
        return Room(_MOST_WEBHOOKS)
    return Room(webhooks, frozenset(UUID(webhook_id.decode()) for webhook_id in full))


def _keys(tenant_id: UUID, mode: Mode) -> list[str]:
    tag = f"{{{tenant_id}:{mode}}}"
    return [f"webhook_slots:{tag}", f"webhook_slow:{tag}"]
