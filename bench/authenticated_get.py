"""An authenticated GET: in the handler, and through the local gateway with kept connections."""

import asyncio
import contextlib
import io
import json
import sys
import time

from bench.platform import latency_line, machine, platform
from local.stack import Stack

_CALLS = 2_000
_SECONDS = 5
_CONNECTIONS = 8
_LOAD = """
import http.client, json, sys, threading, time
port, path, key, connections, seconds = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5])
times, ready = [], threading.Barrier(connections)
def once(connection):
    began = time.perf_counter()
    connection.request("GET", path, headers={"Authorization": "Bearer " + key})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status
    return (time.perf_counter() - began) * 1000
def work():
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(20):
        once(connection)
    ready.wait(timeout=60)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        times.append(once(connection))
threads = [threading.Thread(target=work) for _ in range(connections)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps(times))
"""


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
    lift_limits()
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


def lift_limits() -> None:
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
    """Load from another process, closed loop, over kept connections."""

    async def serve() -> list[float]:
        await stack.serve()
        load = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _LOAD, str(stack.ports.api), path, key, str(_CONNECTIONS), str(_SECONDS),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        printed, _ = await load.communicate()
        await stack.stop_serving()
        return json.loads(printed)

    return latency_line(f"GET one contact, gateway, {_CONNECTIONS} at once", asyncio.run(serve()), _SECONDS)


if __name__ == "__main__":
    main()
