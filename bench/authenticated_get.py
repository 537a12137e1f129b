"""An authenticated GET: in the handler, and through the local gateway with kept connections."""

import asyncio
import contextlib
import io
import threading
import time

from bench.platform import latency_line, machine, platform
from local.stack import Stack

_CALLS = 2_000
_SECONDS = 5
_CONNECTIONS = 8


def main() -> None:
    """Print both."""
    with platform() as stack, contextlib.redirect_stdout(io.StringIO()) as _:
        lines = _measure(stack)
    print(machine())
    print("\n".join(lines))


def _measure(stack: Stack) -> list[str]:
    from contacts.app import handler
    from tests.support.http import call
    from tests.support.tenants import make_tenant

    key = make_tenant().key().plaintext
    _lift_limit(key)
    for number in range(50):
        body = {"email": f"{number}@example.com"}
        assert call(handler, "POST", "/api/v1/contacts", token=key, json=body).status == 201
    one = call(handler, "GET", "/api/v1/contacts", token=key, query={"limit": "1"}).json["data"][0]["id"]
    lines: list[str] = []
    for name, path in (
        ("GET one contact, handler", f"/api/v1/contacts/{one}"),
        ("GET 50 contacts, handler", "/api/v1/contacts"),
    ):
        times: list[float] = []
        started = time.perf_counter()
        for _ in range(_CALLS):
            began = time.perf_counter()
            status = call(handler, "GET", path, token=key).status
            times.append((time.perf_counter() - began) * 1000)
            assert status == 200, status
        lines.append(latency_line(name, times, time.perf_counter() - started))
    lines.append(_through_gateway(stack, f"/api/v1/contacts/{one}", key))
    return lines


def _lift_limit(_key: str) -> None:
    """A bench sends more than any plan allows; an override lifts the limit as it would for a customer."""
    from penguinmails.db import transaction

    with transaction(role="jobs") as tx:
        tx.run(
            """
            INSERT INTO tenant_overrides (tenant_id, limits, reason)
            SELECT id, '{"api_rate_limit": 10000000, "api_burst_limit": 10000000}', 'bench' FROM tenants
            ON CONFLICT DO NOTHING
            """,
            {},
        )


def _through_gateway(stack: Stack, path: str, key: str) -> str:
    """Load from threads of this process, closed loop, over kept connections."""
    import http.client

    times: list[float] = []

    async def serve() -> None:
        await stack.serve()
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(None, work) for _ in range(_CONNECTIONS)))
        await stack.stop_serving()

    warm = threading.Barrier(_CONNECTIONS)

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", stack.ports.api)
        headers = {"Authorization": f"Bearer {key}"}

        def once() -> float:
            began = time.perf_counter()
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            return (time.perf_counter() - began) * 1000

        for _ in range(20):
            once()
        warm.wait()
        end = time.perf_counter() + _SECONDS
        while time.perf_counter() < end:
            times.append(once())

    asyncio.run(serve())
    return latency_line(f"GET one contact, gateway, {_CONNECTIONS} at once", times, _SECONDS)


if __name__ == "__main__":
    main()
