"""The deliveries of one tenant that a worker attempts: what messages name, then what is parked, until nothing is left.

Posts run in lanes: one per slot, each posting one delivery after the other. What has no slot is parked in PostgreSQL, and
whoever frees a slot looks there. A worker that parks something asks for a slot once more after that is stored, so that
either it or the one who freed the last slot meanwhile takes it up.
"""

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from dispatch_webhooks import pacing, recording, repository, settling_repository, spans
from dispatch_webhooks.line import Line
from dispatch_webhooks.posts import request_for
from dispatch_webhooks.recording import Attempt, Untried
from dispatch_webhooks.repository import Claim
from penguinmails import clock
from penguinmails.db import Mode, Tx, transaction
from penguinmails.domain import webhook_statistics
from penguinmails.domain.deliveries import PATIENCE_SECONDS, PER_TENANT, PER_WEBHOOK, DeliveryRef, wake_up
from penguinmails.domain.outcomes import PAUSES_SECONDS
from penguinmails.domain.webhook_slots import RENEW_SECONDS, SLOW_FROM_MS, Room, Slot, Slots
from penguinmails.errors import ServiceUnavailable
from penguinmails.events.outbox import send_after_commit
from penguinmails.logging import count, logger
from penguinmails.webhook_posts.client import post
from penguinmails.webhook_posts.credentials import credentials_of

Result = TypeVar("Result")

_TICK_SECONDS = 0.25
_GATHER_SECONDS = 0.01
"""What ends within it is stored together."""
_LONGEST_PAUSE_SECONDS = 2.0
_PAUSE_PER_LOOK = 20
"""How much longer than the last look at what waits nobody looks while no slot frees: of a thousand webhooks it takes a while."""
_MOST_PULLED = 100
_MOST_CLAIMED = 200
_NO_SECRET_SECONDS = 30


class TenantWork:
    """One tenant's deliveries in the hands of one worker."""

    def __init__(self, tenant_id: UUID, mode: Mode, *, stop_at: float, traces: Mapping[UUID, Any]) -> None:
        """From `stop_at` (monotonic seconds) on nothing more is taken up; `traces` has what deliveries' messages carried."""
        self._traces = traces
        self._tenant_id = tenant_id
        self._mode: Mode = mode
        self._stop_at = stop_at
        self._named: deque[DeliveryRef] = deque()
        self._slots = Slots(tenant_id, mode)
        self._lines: dict[UUID, Line] = defaultdict(Line)
        self._lanes: dict[asyncio.Task[None], Slot] = {}
        self._spare: list[Slot] = []
        self._attempts: list[Attempt] = []
        self._untried: list[Untried] = []
        self._paced: dict[UUID, int] = {}
        self._refused: set[UUID] = set()
        self._fruitful: set[UUID] = set()
        self._was_served = True
        """Whether the last request for slots gave any."""
        self._room = Room(0)
        self._pull_size = _MOST_PULLED
        self._pull_pause = _TICK_SECONDS
        self._shortest_pause = _TICK_SECONDS
        self._pulled_at = self._renewed_at = time.monotonic()

    async def run(self, deliveries: Sequence[DeliveryRef], *, is_woken: bool) -> None:
        """Attempt what is due of the named deliveries, and what else waits. Raises when the database stays away.

        `is_woken` when a message asked to look for what is parked: that of webhooks which rest is held.
        """
        try:
            if is_woken:
                await self._stored(_settle_parked)
            if not self._has_room_for_more():
                # What cannot be posted now is not read.
                if not deliveries or not await self._park_at_once(deliveries):
                    return
            else:
                self._named = deque(deliveries)
                self._queue(await self._stored(self._claim_named if deliveries else self._pull))
            while True:
                self._open_lanes()
                await self._some_progress()
                if not await self._settle() and not self._lanes and not self._waiting():
                    break
        finally:
            for lane in self._lanes:
                lane.cancel()
            self._slots.give([*self._lanes.values(), *self._spare], [])

    async def _park_at_once(self, deliveries: Sequence[DeliveryRef]) -> bool:
        """Put deliveries in line; whether there is a slot for them after all."""
        parked = await self._stored(lambda tx: self._park(tx, deliveries))
        self._spare = self._slots.take(dict.fromkeys(parked, 1)) if self._has_room_for_more() else []
        if self._spare:
            self._queue(await self._stored(self._pull))
        return bool(self._spare)

    def _park(self, tx: Tx, deliveries: Sequence[DeliveryRef]) -> set[UUID]:
        return repository.park(tx, deliveries, retries_stand_back_seconds=recording.RETRIES_STAND_BACK_SECONDS)

    def _claim_named(self, tx: Tx) -> list[Claim]:
        deliveries = [self._named.popleft() for _ in range(min(len(self._named), _MOST_CLAIMED))]
        claims = repository.claim(tx, deliveries)
        if len(claims) < len(deliveries):
            taken = {claim.id for claim in claims}
            settling_repository.settle_unclaimed(tx, [delivery for delivery in deliveries if delivery.id not in taken])
        if webhook_statistics.is_due(len(claims)):
            webhook_statistics.refresh(tx)
        return claims

    def _pull(self, tx: Tx) -> list[Claim]:
        self._pulled_at = time.monotonic()
        if self._named:
            return self._claim_named(tx) if sum(map(len, self._lines.values())) < webhook_statistics.MANY else []
        spare = {slot.webhook_id for slot in self._spare}
        found = repository.claim_waiting(
            tx,
            busy=[
                *self._refused.union(self._room.full - spare),
                *(webhook_id for webhook_id, line in self._lines.items() if line),
            ],
            webhooks=max(self._room.webhooks, len(spare)),
            per_webhook=self._pull_size,
            most=max(PER_TENANT, self._pull_size),
        )
        self._fruitful = {claim.webhook_id for claim in found}
        self._shortest_pause = max(_TICK_SECONDS, _PAUSE_PER_LOOK * (time.monotonic() - self._pulled_at))
        return found

    def _has_room_for_more(self) -> bool:
        self._room = self._slots.room()
        return self._room.webhooks > 0

    def _queue(self, claims: Sequence[Claim]) -> None:
        by_webhook: dict[UUID, list[Claim]] = defaultdict(list)
        for claim in claims:
            by_webhook[claim.webhook_id].append(claim)
        for webhook_id, found in by_webhook.items():
            self._lines[webhook_id].add(found, start_by=time.monotonic() + PATIENCE_SECONDS)

    def _waiting(self) -> bool:
        return any(self._lines.values()) or bool(self._spare) or (bool(self._named) and not self._is_over())

    def _is_over(self) -> bool:
        return time.monotonic() >= self._stop_at

    def _open_lanes(self) -> None:
        """Take the slots that are needed, and give back what finds none in time."""
        running = Counter(slot.webhook_id for slot in self._lanes.values())
        # On trial, a webhook gets one post; what comes of it is stored before there is another.
        probing = {w for w, line in self._lines.items() if line.is_probing}
        wanted = {
            w: line.lanes(running[w], 1 if w in probing else PER_WEBHOOK) for w, line in self._lines.items() if line
        }
        wanted = {webhook_id: number for webhook_id, number in wanted.items() if number > 0}
        taken, self._spare = self._spare, []
        if wanted or time.monotonic() - self._renewed_at > RENEW_SECONDS:
            self._renewed_at = time.monotonic()
            taken += self._slots.take(wanted, single=probing)
        idle = [slot for slot in taken if not self._lines[slot.webhook_id]]
        self._slots.give(idle, [])
        found = Counter(slot.webhook_id for slot in taken)
        self._refused = {webhook_id for webhook_id, number in wanted.items() if found[webhook_id] < number}
        self._was_served = bool(taken) or not wanted
        for slot in taken:
            if slot not in idle:
                self._lanes[asyncio.create_task(self._lane(slot.webhook_id))] = slot
        self._give_up_waiting(set(running) | set(found))

    def _give_up_waiting(self, served: set[UUID]) -> None:
        now = time.monotonic()
        for webhook_id, line in self._lines.items():
            if not line:
                continue
            found = line.late(now) if webhook_id in served else line.empty()
            if found:
                self._untried += map(Untried, found)
                self._pull_size = PER_WEBHOOK

    async def _lane(self, webhook_id: UUID) -> None:
        line = self._lines[webhook_id]
        while claims := line.next(time.monotonic()):
            wait = pacing.seconds_to_wait(claims[0])
            if wait:
                self._paced[webhook_id] = wait
                self._untried += map(Untried, [*claims, *line.empty()])
                return
            try:
                credentials = credentials_of(claims[0].secret_ref, claims[0].secret_version)
            except Exception as error:  # one webhook's secret is no reason to leave the others' events lying
                logger.warning("no signing secret", extra={"webhook_id": webhook_id, "reason": type(error).__name__})
                count("webhook_secret_unavailable_total")
                found = [*claims, *line.end(claims, is_success=False)]
                self._untried += [Untried(claim, put_off_seconds=_NO_SECRET_SECONDS) for claim in found]
                continue
            now = clock.now()
            span = spans.of_attempt(claims[0], self._traces)
            request, fitting = request_for(
                claims, credentials, tenant_id=self._tenant_id, mode=self._mode, now=now, traceparent=span.traceparent
            )
            line.put_back(claims[fitting:], start_by=time.monotonic() + PATIENCE_SECONDS)
            claims = claims[:fitting]
            line.begin(claims)
            outcome = await post(request)
            # Only now, since what is collected is taken away while posts are under way.
            headers = request.logged_headers()
            for claim in claims:
                self._attempts.append(Attempt(claim, now, headers, outcome, leads=claim is claims[0]))
                own = span if claim is claims[0] else spans.of_attempt(claim, self._traces, started_ns=span.started_ns)
                spans.record_attempt(own, claim, outcome, tenant_id=self._tenant_id)
            self._untried += map(Untried, line.end(claims, is_success=outcome.is_success))
            if claims[0].is_probing:
                self._untried += map(Untried, line.empty())

    async def _some_progress(self) -> None:
        if not self._lanes:
            return
        _, running = await asyncio.wait(self._lanes, timeout=_TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if running:
            await asyncio.sleep(_GATHER_SECONDS)

    async def _settle(self) -> bool:
        """Free the slots of lanes that ended, store what came of them, take up what waits; whether anything happened."""
        is_over = self._is_over()
        has_freed = self._free_ended(is_over=is_over)
        attempts, self._attempts = self._attempts, []
        untried, self._untried = self._untried, []
        paced, self._paced = self._paced, {}
        if paced:
            await self._stored(lambda tx: pacing.come_back(tx, paced))
        # What was taken up only to be put back is looked for less often, until a slot frees.
        slower = max(self._shortest_pause, self._pull_pause * (2 if untried else 1))
        self._pull_pause = self._shortest_pause if has_freed else min(_LONGEST_PAUSE_SECONDS, slower)
        parked = {found.claim.webhook_id for found in untried if found.put_off_seconds is None}
        self._refused |= parked
        may_pull = not is_over and self._may_pull(has_freed=has_freed)
        # Others have all slots: what cannot be posted now is not read either.
        unread = [] if self._was_served or self._lanes else list(self._named)
        if not (attempts or untried or unread or may_pull):
            return False

        def store(tx: Tx) -> list[Claim]:
            recording.record(tx, attempts, untried)
            if is_over and not self._lanes:
                send_after_commit(tx, "deliveries", [wake_up()])
            if unread:
                parked.update(self._park(tx, unread))
                return []
            return self._pull(tx) if may_pull else []

        pulled = await self._stored(store)
        if unread:
            self._named.clear()
        self._queue(pulled)
        if may_pull:
            pulled += await self._look_again()
        self._pull_size = min(_MOST_PULLED, 2 * self._pull_size)
        if not is_over:
            await self._pull_for(parked - paced.keys())
        return bool(pulled)

    def _free_ended(self, *, is_over: bool) -> bool:
        """Give back the slots of lanes that ended, or keep them as spare ones; whether any did. Raises what a lane raised."""
        ended = [lane for lane in self._lanes if lane.done()]
        slow = {a.claim.webhook_id for a in self._attempts if a.outcome.duration_ms >= SLOW_FROM_MS}
        freed = [self._lanes.pop(lane) for lane in ended]
        # Where the last look found something, slots are kept over the next one: others would have them before.
        kept = set[UUID]() if is_over else self._fruitful - slow
        self._spare += [slot for slot in freed if slot.webhook_id in kept]
        self._slots.give([slot for slot in freed if slot not in self._spare], sorted(slow))
        for lane in ended:
            lane.result()
        return bool(ended)

    def _may_pull(self, *, has_freed: bool) -> bool:
        is_time = time.monotonic() - self._pulled_at >= self._pull_pause
        if not (has_freed or not self._lanes or (self._was_served and is_time)):
            return False
        return bool(self._named) or self._has_room_for_more() or bool(self._spare)

    async def _look_again(self) -> list[Claim]:
        """Give back slots that were kept for nothing; what came while they were kept is seen by a look after that."""
        idle = [slot for slot in self._spare if not self._lines[slot.webhook_id]]
        if not idle:
            return []
        self._spare = [slot for slot in self._spare if slot not in idle]
        self._slots.give(idle, [])
        again = await self._stored(self._pull)
        self._queue(again)
        return again

    async def _pull_for(self, parked: set[UUID]) -> None:
        """Pull for webhooks that something was parked of just now, where there is a slot after all."""
        found = self._slots.take(dict.fromkeys(parked, 1)) if parked else []
        self._spare += found
        self._refused -= {slot.webhook_id for slot in found}
        if found:
            self._queue(await self._stored(self._pull))

    async def _stored(self, work: Callable[[Tx], Result]) -> Result:
        """What `work` returns, committed; while the database is away it is tried again, as posts cannot be unmade."""
        for pause in PAUSES_SECONDS:
            try:
                return self._in_transaction(work)
            except ServiceUnavailable:
                await asyncio.sleep(pause)
        return self._in_transaction(work)

    def _in_transaction(self, work: Callable[[Tx], Result]) -> Result:
        with transaction(tenant_id=self._tenant_id, mode=self._mode) as tx:
            return work(tx)


def _settle_parked(tx: Tx) -> None:
    if settling_repository.settle_parked(tx):
        send_after_commit(tx, "deliveries", [wake_up()])
