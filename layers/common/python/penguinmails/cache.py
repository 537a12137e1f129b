"""Redis (Valkey): the only module that knows its driver.

Everything kept here can be lost: PostgreSQL is the truth. Callers handle `CacheUnavailable`.
"""

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha1
from typing import Any

from penguinmails.settings import get_settings

_SOCKET_TIMEOUT_SECONDS = 0.25
_PAUSE_AFTER_FAILURE_SECONDS = 0.5


class CacheUnavailable(Exception):
    """Redis did not answer in time."""


class _Breaker:
    """Spares each request the connection timeout while Redis is known to be away."""

    closed_again_at = 0.0

    def refuse_while_open(self) -> None:
        if time.monotonic() < self.closed_again_at:
            raise CacheUnavailable

    def trip(self) -> None:
        self.closed_again_at = time.monotonic() + _PAUSE_AFTER_FAILURE_SECONDS

    def reset(self) -> None:
        self.closed_again_at = 0.0


_breaker = _Breaker()


@lru_cache(maxsize=1)
def _client() -> Any:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    settings = get_settings()
    options: dict[str, Any] = {
        "socket_timeout": _SOCKET_TIMEOUT_SECONDS,
        "socket_connect_timeout": _SOCKET_TIMEOUT_SECONDS,
        "decode_responses": False,
    }
    if settings.redis_cluster:
        return redis.RedisCluster.from_url(settings.redis_url, retry=Retry(NoBackoff(), 1), **options)
    # One retry covers the connection that the server closed while the environment was frozen.
    return redis.Redis.from_url(settings.redis_url, retry=Retry(NoBackoff(), 1), **options)


def forget_connection() -> None:
    """Connect anew with the next call, for tests and for a restored snapshot."""
    _client.cache_clear()
    _breaker.reset()


class Script:
    """A Lua script, sent by its digest; all its keys share one hash tag, as cluster mode demands."""

    def __init__(self, source: str) -> None:
        """`source` is the Lua text."""
        self.source = source
        self.digest = sha1(source.encode(), usedforsecurity=False).hexdigest()

    def run(
        self, keys: Sequence[str], arguments: Sequence[bytes | str | int | float], *, try_anyway: bool = False
    ) -> Any:
        """Run it in one round trip. Raises CacheUnavailable; `try_anyway` skips the pause after a failure."""
        from redis.exceptions import NoScriptError

        def evaluate() -> Any:
            try:
                return _asked(keys[0], lambda node: node.evalsha(self.digest, len(keys), *keys, *arguments))
            except NoScriptError:
                return _asked(keys[0], lambda node: node.eval(self.source, len(keys), *keys, *arguments))

        return _guarded(evaluate, try_anyway=try_anyway)


def _asked(key: str, ask: Callable[[Any], Any]) -> Any:
    """What the node that has a key answers. Asked directly, which takes half the processor time of the cluster's client."""
    from redis.exceptions import AskError, ConnectionError, SlotNotCoveredError

    client = _client()
    if not get_settings().redis_cluster:
        return ask(client)
    try:
        return ask(client.get_redis_connection(client.get_node_from_key(key)))
    except (AskError, ConnectionError, SlotNotCoveredError):
        # The key has moved, or its node is gone: the cluster's client finds out where to turn.
        return ask(client)


def _guarded(call: Any, *, try_anyway: bool) -> Any:
    from redis.exceptions import RedisClusterException, RedisError, ResponseError

    if not try_anyway:
        _breaker.refuse_while_open()
    try:
        answer = call()
    except (RedisError, RedisClusterException, OSError) as error:
        if isinstance(error, ResponseError) and not _is_refusal_of_a_sick_server(error):
            raise
        _breaker.trip()
        _client.cache_clear()
        raise CacheUnavailable from error
    _breaker.reset()
    return answer


def _is_refusal_of_a_sick_server(error: Exception) -> bool:
    """Whether the server answers, but cannot do its work now: what a failover, a full memory or a long script look like."""
    from redis.exceptions import ClusterDownError, OutOfMemoryError, ReadOnlyError, TryAgainError

    if isinstance(error, ClusterDownError | OutOfMemoryError | ReadOnlyError | TryAgainError):
        return True
    # The driver has no class for these and leaves their code in the text.
    return str(error).split(" ", 1)[0] in {"BUSY", "MISCONF", "NOREPLICAS"}


def command(name: str, key: str, *rest: bytes | str | int | float) -> Any:
    """One plain command on one key, e.g. `command("GET", "name")`. Raises CacheUnavailable."""
    return _guarded(lambda: _asked(key, lambda node: node.execute_command(name, key, *rest)), try_anyway=False)
