"""When a failed webhook delivery is tried again."""

from random import SystemRandom

DELAYS_SECONDS = (60, 300, 900, 3_600, 86_400)
"""1 min, 5 min, 15 min, 1 h, 24 h after the previous failure; further retries repeat the last."""
MAX_JITTER = 0.1
_RANDOM = SystemRandom()
"""The kernel's: environments that are restored from one snapshot would share a state of our own."""


def delay_seconds(retry: int, *, retry_after: int | None = None) -> int:
    """Seconds until retry number `retry` (1 is the first), 0 to 10 % late so that failures do not return together.

    `retry_after` is what a 429 or 503 asked for: a floor, never undercut.
    """
    delay = DELAYS_SECONDS[min(retry, len(DELAYS_SECONDS)) - 1]
    jittered = delay * (1 + _RANDOM.uniform(0, MAX_JITTER))
    return round(max(jittered, retry_after or 0))
