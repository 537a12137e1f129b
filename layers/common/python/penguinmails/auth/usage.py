"""Usage of API keys: a record per request that travels with a later request's admission script.

Nothing extra is paid on the hot path: no second round trip and no thread, which Lambda would freeze between calls.
The last records of an environment are sent when it shuts down; losing some seconds of them is accepted.
"""

import json
import signal
from collections import deque
from types import FrameType
from typing import TYPE_CHECKING, Any

from penguinmails import clock
from penguinmails.auth import key_state
from penguinmails.cache import CacheUnavailable, command
from penguinmails.ids import new_uuid7

if TYPE_CHECKING:
    from penguinmails.http.context import RequestContext

_MOST_PENDING = 1_000
_pending: deque[str] = deque(maxlen=_MOST_PENDING)


def remember(context: "RequestContext", *, method: str, route: str, status: int, milliseconds: float) -> None:
    """Note one request of a key; `route` is the template, never the raw URL."""
    record = [
        str(new_uuid7()),
        context.tenant_id,
        context.key_id,
        route[:255],
        method,
        status,
        round(milliseconds),
        context.source_ip,
        context.user_agent[:300],
        clock.now().isoformat(),
        context.country,
    ]
    _pending.append(json.dumps(record, separators=(",", ":")))


def take_pending() -> list[str]:
    """The records that wait, handed over to the caller."""
    records = list(_pending)
    _pending.clear()
    return records


def give_back(records: list[str]) -> None:
    """Records that could not be sent; the oldest are dropped when too many wait."""
    _pending.extendleft(reversed(records[-(_MOST_PENDING - len(_pending)) :]))


def flush() -> None:
    """Send what waits, for the end of an environment."""
    records = take_pending()
    if not records:
        return
    try:
        command("RPUSH", key_state.usage_key(0), *records)
    except CacheUnavailable:
        give_back(records)


def flush_at_shutdown() -> None:
    """Lambda announces the end of an environment with SIGTERM (when an extension is registered), as the local stack does."""

    def on_terminate(_signal: int, _frame: FrameType | None) -> None:
        flush()
        raise SystemExit(0)

    previous: Any = signal.getsignal(signal.SIGTERM)
    if previous in (signal.SIG_DFL, None):
        signal.signal(signal.SIGTERM, on_terminate)
