"""Names are looked up in threads that cannot be told to stop: who has slow name servers waits alone."""

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest

from penguinmails.webhook_posts import client
from penguinmails.webhook_posts.look_ups import THREADS_PER_TENANT, LookUps
from penguinmails.webhook_posts.request import SignedRequest
from tests.support.aio import run_aside
from tests.support.receiver import Receiver

Result = TypeVar("Result")

OWN, OTHER = uuid4(), uuid4()
FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]


class NameServers:
    """What the C library asks: names that begin with `slow` have no answer until they are told to answer."""

    def __init__(self) -> None:
        """Nobody has asked."""
        self.asked: list[str] = []
        self.answers = threading.Event()

    def getaddrinfo(self, host: str, *_arguments: Any, **_options: Any) -> list[Any]:
        self.asked.append(host)
        if host.startswith("slow"):
            assert self.answers.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return FOUND


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServers]:
    found = NameServers()
    monkeypatch.setattr(socket, "getaddrinfo", found.getaddrinfo)
    yield found
    found.answers.set()


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return run_aside(asyncio.wait_for(work, 20))


async def left(look_ups: LookUps, host: str, tenant_id: UUID = OWN) -> None:
    """Ask, and run out of time."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(look_ups.addresses(host, 0, tenant_id), 0.05)


def post(url: str, tenant_id: UUID, seconds: int) -> Coroutine[Any, Any, client.Outcome]:
    return client.post(SignedRequest(url, {}, {}, b"{}", seconds, tenant_id))


def test_slow_name_servers_of_one_tenant_keep_no_post_of_another_waiting(servers: NameServers) -> None:
    receiver = Receiver()

    async def lane(number: int) -> list[client.Outcome]:
        return [await post(f"https://slow-{number}-{turn}.example/", OWN, 1) for turn in range(3)]

    async def all_posts() -> tuple[list[list[client.Outcome]], client.Outcome]:
        lanes = [asyncio.create_task(lane(number)) for number in range(15)]
        # Each lane is at its last name then.
        await asyncio.sleep(2.2)
        other = await post(receiver.url.replace("127.0.0.1", "localhost"), OTHER, 5)
        return await asyncio.gather(*lanes), other

    own, other = client.run(all_posts())
    receiver.stop()
    servers.answers.set()

    assert (other.status_code, other.error) == (200, None)
    assert {outcome.error for lane in own for outcome in lane} == {"no complete answer within 1 s"}
    assert sum(host.startswith("slow") for host in servers.asked) == THREADS_PER_TENANT


def test_a_name_is_looked_up_once_for_all_who_want_it_at_the_time(servers: NameServers) -> None:
    async def many() -> int:
        look_ups = LookUps()
        asked = [asyncio.create_task(look_ups.addresses("slow.example", 0, uuid4())) for _ in range(20)]
        await left(look_ups, "slow.example")
        servers.answers.set()
        failures = await asyncio.gather(*asked, return_exceptions=True)
        return sum(isinstance(failure, socket.gaierror) for failure in failures)

    assert run(many()) == 20, "who gives up waiting ends it for nobody else"
    assert servers.asked == ["slow.example"]


def test_a_name_is_asked_for_anew_once_it_was_answered(servers: NameServers) -> None:
    async def twice() -> list[Any]:
        look_ups = LookUps()
        return [await look_ups.addresses("quick.example", 0, OWN) for _ in range(2)]

    assert run(twice()) == [FOUND, FOUND]
    assert servers.asked == ["quick.example"] * 2, "nothing is remembered: addresses are vetted as they are now"


def test_a_thread_that_was_left_behind_counts_until_it_ends(servers: NameServers) -> None:
    async def look_up() -> None:
        look_ups = LookUps()
        for number in range(THREADS_PER_TENANT):
            await left(look_ups, f"slow-{number}.example")
        await left(look_ups, "quick.example")
        assert len(servers.asked) == THREADS_PER_TENANT
        waiting = asyncio.create_task(look_ups.addresses("quick.example", 0, OWN))
        await asyncio.sleep(0)
        servers.answers.set()
        assert await waiting == FOUND

    run(look_up())


def test_who_waits_for_a_thread_of_its_own_keeps_nobody_from_the_name_that_it_wants(servers: NameServers) -> None:
    async def look_up() -> None:
        look_ups = LookUps()
        for number in range(THREADS_PER_TENANT):
            await left(look_ups, f"slow-{number}.example")
        waiting = asyncio.create_task(look_ups.addresses("shared.example", 0, OWN))
        await asyncio.sleep(0)
        assert await look_ups.addresses("shared.example", 0, OTHER) == FOUND
        assert not waiting.done()
        servers.answers.set()
        assert await waiting == FOUND

    run(look_up())


def test_more_names_than_threads_are_looked_up_one_after_the_other(servers: NameServers) -> None:
    most, running, lock = 0, 0, threading.Lock()

    def getaddrinfo(*_arguments: Any) -> list[Any]:
        nonlocal most, running
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1
        return FOUND

    async def look_up() -> list[Any]:
        look_ups = LookUps()
        return await asyncio.gather(*(look_ups.addresses(f"{n}.example", 0, OWN) for n in range(40)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        assert run(look_up()) == [FOUND] * 40
    assert most <= THREADS_PER_TENANT
