"""Where the time of a post goes: name, connection, TLS, first byte.

The HTTP client tells none of these apart but asks the event loop for each, so the loop measures them.
"""

import asyncio
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

Step = Literal["dns_ms", "connect_ms", "tls_ms"]


@dataclass(slots=True)
class Timing:
    """Milliseconds of each step; None for a step that was not taken, as on a kept connection, or not completed.

    `first_byte_ms` counts from the beginning of the post to the head of the answer.
    """

    dns_ms: int | None = None
    connect_ms: int | None = None
    tls_ms: int | None = None
    first_byte_ms: int | None = None

    def document(self) -> dict[str, int | None]:
        """As the log stores it."""
        return {
            "dns_ms": self.dns_ms,
            "connect_ms": self.connect_ms,
            "tls_ms": self.tls_ms,
            "first_byte_ms": self.first_byte_ms,
        }


_current: ContextVar[Timing | None] = ContextVar("timing", default=None)


@contextmanager
def timed() -> Generator[Timing]:
    """The timing of what the block connects to."""
    timing = Timing()
    token = _current.set(timing)
    try:
        yield timing
    finally:
        _current.reset(token)


@contextmanager
def step(name: Step) -> Generator[None]:
    """A step of the post that is under way; one that fails has no time."""
    began = time.perf_counter()
    yield
    timing = _current.get()
    if timing is not None:
        setattr(timing, name, round((time.perf_counter() - began) * 1000))


class TimedLoop(asyncio.SelectorEventLoop):
    """An event loop that notes how long connections and their handshakes take."""

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect, which is the TCP handshake."""
        with step("connect_ms"):
            await super().sock_connect(sock, address)

    async def create_connection(self, *args: Any, **options: Any) -> Any:
        """Make a connected socket a transport; with TLS that is its handshake."""
        if not options.get("ssl"):
            return await super().create_connection(*args, **options)
        with step("tls_ms"):
            return await super().create_connection(*args, **options)
