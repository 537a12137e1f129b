"""Look-ups of names, in threads that one account cannot use up.

The C library looks names up as the machine is set up to (/etc/hosts, search list), but cannot be told to stop: a post that has
run out of time leaves its thread behind, for half a minute where name servers stay silent. So a name is looked up once at a
time, for all who want it, and an account has no more than a few threads, those left behind included.
"""

import asyncio
import socket
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

THREADS = 64
THREADS_PER_TENANT = 4
"""A worker has messages of ten accounts at a time: were all but one served by bad name servers, that one would find a thread."""

Address = tuple[Any, ...]


class LookUps:
    """The look-ups of one event loop."""

    def __init__(self) -> None:
        """Threads are started as they are needed."""
        self._threads = ThreadPoolExecutor(THREADS, "resolve")
        self._under_way: dict[tuple[str, int], asyncio.Future[list[Address]]] = {}
        self._used: Counter[UUID] = Counter()
        self._waiting: dict[UUID, deque[asyncio.Future[None]]] = {}

    async def addresses(self, host: str, family: int, tenant_id: UUID) -> list[Address]:
        """What `socket.getaddrinfo` finds; the port is 0. Waits for a thread while the account has all of its own in use."""
        while (host, family) not in self._under_way and self._used[tenant_id] >= THREADS_PER_TENANT:
            await self._turn(tenant_id)
        found = self._under_way.get((host, family)) or self._begin(host, family, tenant_id)
        # Whoever gives up waiting ends it for nobody else.
        return await asyncio.shield(found)

    async def _turn(self, tenant_id: UUID) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant_id, deque()).append(turn)
        await turn

    def _begin(self, host: str, family: int, tenant_id: UUID) -> asyncio.Future[list[Address]]:
        found = asyncio.get_running_loop().run_in_executor(
            self._threads, socket.getaddrinfo, host, 0, family, socket.SOCK_STREAM
        )
        self._under_way[host, family] = found
        self._used[tenant_id] += 1

        def end(_: asyncio.Future[list[Address]]) -> None:
            del self._under_way[host, family]
            self._used[tenant_id] -= 1
            if not self._used[tenant_id]:
                del self._used[tenant_id]
            if not found.cancelled():
                # Nobody may be left to be told of it.
                found.exception()
            for turn in self._waiting.pop(tenant_id, ()):
                if not turn.done():
                    turn.set_result(None)

        found.add_done_callback(end)
        return found

    def close(self) -> None:
        """Wait for the threads to end."""
        self._threads.shutdown()
