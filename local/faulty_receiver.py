"""A customer's endpoint that fails in every way there is, and keeps account of what it was sent.

`python -m local.faulty_receiver PORT`. The path of a webhook says how it is treated:

    /ok  /fail (500)  /busy (429, Retry-After)  /gone (410)  /slow (0.5 s)  /hang  /reset  /redirect
    /slow-body (a byte at a time)  /huge-body (10 MB)  /flapping (ten seconds well, ten seconds ill)
    /mix (of the first attempts one in five fails and one in ten is slow; retries are taken)

What follows the first part of the path tells webhooks apart. `GET /report` counts, `GET /arrivals` says when (epoch
seconds) the first byte of each event came to each path; `DELETE /report` forgets everything.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from zlib import crc32

from local.services.process import LOOPBACK

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_SLOW_SECONDS = 0.5
_HANG_SECONDS = 600
_FLAP_SECONDS = 10
_HUGE = 10 * 1024 * 1024


def _answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class Account:
    """What all connections were sent."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.posts = self.refused = 0
        self.first_byte: dict[tuple[str, str], float] = {}
        self.taken: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.signatures: set[str] = set()

    def report(self) -> dict[str, int]:
        """Posts, those not answered with success, events taken per path, and those taken more than once."""
        return {
            "posts": self.posts,
            "refused": self.refused,
            "taken": len(self.taken),
            "repeated": sum(number > 1 for number in self.taken.values()),
            "superfluous": sum(number - 1 for number in self.taken.values()),
        }


class Connection(asyncio.Protocol):
    """One kept connection: requests one after the other."""

    def __init__(self, account: Account) -> None:
        """Nothing has been received."""
        self._account = account
        self._buffer = bytearray()
        self._began = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        self._transport: asyncio.Transport = transport  # pyright: ignore[reportAttributeAccessIssue]

    def data_received(self, data: bytes) -> None:
        """Take whole requests off what has come."""
        if not self._buffer:
            self._began = time.time()
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            lines = self._buffer[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            whole = end + 4 + int(headers.get("content-length", 0))
            if len(self._buffer) < whole:
                return
            del self._buffer[:whole]
            method, path, _ = lines[0].split(" ")
            self._handle(method, path, headers)

    def _handle(self, method: str, path: str, headers: dict[str, str]) -> None:
        if method != "POST":
            self._account_for(method, path)
            return
        account = self._account
        account.posts += 1
        event = headers.get("webhook-id", "")
        for part in event.split(","):
            account.first_byte.setdefault((path, part), self._began)
        way = _WAYS.get(path.split("/")[1], _ok)(headers)
        if way is _OK:
            self._take(path, event)
            return
        task = asyncio.create_task(self._misbehave(way, path, event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _take(self, path: str, event: str) -> None:
        self._account.taken[path, event] += 1
        self._transport.write(_OK)

    async def _misbehave(
        self, way: "bytes | Callable[[asyncio.Transport], Awaitable[bytes]]", path: str, event: str
    ) -> None:
        answer = way if isinstance(way, bytes) else await way(self._transport)
        if answer is _OK and not self._transport.is_closing():
            self._take(path, event)
            return
        self._account.refused += 1
        self._transport.write(answer)

    def _account_for(self, method: str, path: str) -> None:
        account = self._account
        if method == "DELETE":
            account.__init__()
        if path == "/arrivals":
            document: object = [[*key, moment] for key, moment in account.first_byte.items()]
        else:
            document = account.report()
        self._transport.write(_answer("200 OK", body=json.dumps(document).encode()))


Way = bytes | Callable[[asyncio.Transport], Awaitable[bytes]]


async def _slow(_transport: asyncio.Transport) -> bytes:
    await asyncio.sleep(_SLOW_SECONDS)
    return _OK


async def _hang(transport: asyncio.Transport) -> bytes:
    for _ in range(_HANG_SECONDS):
        await asyncio.sleep(1)
        if transport.is_closing():
            break
    return b""


async def _reset(transport: asyncio.Transport) -> bytes:
    transport.abort()
    return b""


async def _slow_body(transport: asyncio.Transport) -> bytes:
    transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1_000):
        await asyncio.sleep(0.2)
        if transport.is_closing():
            break
        transport.write(b".")
    return b""


def _ok(_headers: dict[str, str]) -> Way:
    return _OK


def _flapping(_headers: dict[str, str]) -> Way:
    return _OK if int(time.time()) // _FLAP_SECONDS % 2 == 0 else _answer("503 Service Unavailable")


def _mix(headers: dict[str, str]) -> Way:
    draw = crc32(headers.get("webhook-id", "").encode()) % 100
    if headers.get("x-penguinmails-attempt") != "0" or draw >= 30:
        return _OK
    return _answer("500 Internal Server Error") if draw < 20 else _slow


def _always(way: Way) -> Callable[[dict[str, str]], Way]:
    return lambda _headers: way


_WAYS: dict[str, Callable[[dict[str, str]], Way]] = {
    "ok": _ok,
    "fail": _always(_answer("500 Internal Server Error")),
    "busy": _always(_answer("429 Too Many Requests", "Retry-After: 120")),
    "gone": _always(_answer("410 Gone")),
    "slow": _always(_slow),
    "hang": _always(_hang),
    "reset": _always(_reset),
    "redirect": _always(_answer("302 Found", "Location: http://169.254.169.254/")),
    "slow-body": _always(_slow_body),
    "huge-body": _always(_answer("200 OK", body=b"x" * _HUGE)),
    "flapping": _flapping,
    "mix": _mix,
}


async def serve(port: int) -> None:
    """Listen until cancelled."""
    account = Account()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(account), LOOPBACK, port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
