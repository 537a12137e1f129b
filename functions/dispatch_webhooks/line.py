"""What the posts of one webhook are made of: claimed deliveries, in the order in which they go out."""

from collections import deque
from collections.abc import Sequence
from math import ceil
from uuid import UUID

from dispatch_webhooks.repository import Claim


class Line:
    """The claimed deliveries of one webhook that wait for their post.

    Of a contact or campaign whose deliveries go in order, one post is under way at a time. It carries what comes next of
    them, in their order, and nothing of the rest passes a post that failed.
    """

    def __init__(self) -> None:
        """Nothing waits."""
        self._waiting: deque[tuple[float, Claim]] = deque()
        self._under_way: set[UUID] = set()

    def __len__(self) -> int:
        """How many deliveries wait."""
        return len(self._waiting)

    @property
    def is_probing(self) -> bool:
        """Whether the webhook is on trial."""
        return bool(self._waiting) and self._waiting[0][1].is_probing

    def add(self, claims: Sequence[Claim], *, start_by: float) -> None:
        """Let claims wait until `start_by` (monotonic seconds) for their posts to begin. First attempts before retries."""
        in_order = sorted(claims, key=lambda claim: (0 if claim.order_key else claim.attempts, claim.sequence or 0))
        self._waiting.extend((start_by, claim) for claim in in_order)

    def lanes(self, running: int, most: int) -> int:
        """How many posts more could be under way, when so many are, and so many may be."""
        if not self._waiting:
            return 0
        first = self._waiting[0][1]
        if not any(claim.order_key for _, claim in self._waiting):
            return min(ceil(len(self._waiting) / first.batch_size), most) - running
        free = [claim for _, claim in self._waiting if claim.order_key not in self._under_way]
        apart = len({claim.order_key or claim.id for claim in free})
        return min(apart, ceil(len(free) / first.batch_size), most - running)

    def next(self, now: float) -> list[Claim]:
        """The deliveries of the next post, which are not waiting any more; none when nothing can go now."""
        found: list[Claim] = []
        passed: list[tuple[float, Claim]] = []
        while self._waiting and self._waiting[0][0] > now:
            start_by, claim = self._waiting.popleft()
            if claim.order_key in self._under_way:
                passed.append((start_by, claim))
                continue
            found.append(claim)
            if len(found) >= claim.batch_size:
                break
        self._waiting.extendleft(reversed(passed))
        return found

    def put_back(self, claims: Sequence[Claim], *, start_by: float) -> None:
        """Let deliveries that a post had no room for wait at the head."""
        self._waiting.extendleft((start_by, claim) for claim in reversed(claims))

    def begin(self, claims: Sequence[Claim]) -> None:
        """Their post is under way."""
        self._under_way |= {claim.order_key for claim in claims if claim.order_key}

    def end(self, claims: Sequence[Claim], *, is_success: bool) -> list[Claim]:
        """Their post has ended; what waited behind them and cannot go now, since they have to be posted again."""
        keys = {claim.order_key for claim in claims if claim.order_key}
        self._under_way -= keys
        if is_success or not keys:
            return []
        behind = [claim for _, claim in self._waiting if claim.order_key in keys]
        if behind:
            self._waiting = deque(found for found in self._waiting if found[1].order_key not in keys)
        return behind

    def late(self, now: float) -> list[Claim]:
        """Take out what has waited long enough."""
        found: list[Claim] = []
        while self._waiting and self._waiting[0][0] < now:
            found.append(self._waiting.popleft()[1])
        return found

    def empty(self) -> list[Claim]:
        """Take out everything."""
        found = [claim for _, claim in self._waiting]
        self._waiting.clear()
        return found
