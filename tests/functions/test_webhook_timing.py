"""The log says where the time of a post went: name, connection, TLS, first byte."""

import asyncio
import ssl
from pathlib import Path

from penguinmails.webhook_posts.timing import TimedLoop, timed
from tests.support.certificates import certificate
from tests.support.hooks import hook, raise_event, work_off
from tests.support.http import call
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler


def test_a_first_post_connects_and_the_next_one_finds_the_connection_kept(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    receiver.delay_seconds = 0.1
    webhook = hook(key, receiver, endpoint_url=receiver.url.replace("127.0.0.1", "localhost")).id
    for _ in range(2):
        raise_event(tenant)
        work_off(tenant)

    log = f"/api/v1/webhooks/{webhook}/deliveries"
    rows = call(handler, "GET", log, token=key.plaintext, query={"order": "asc"}).json["data"]
    first, second = (
        call(handler, "GET", f"{log}/{row['id']}", token=key.plaintext).json["attempt_log"][0] for row in rows
    )

    assert first["timing"]["dns_ms"] is not None
    assert first["timing"]["connect_ms"] is not None
    assert (second["timing"]["dns_ms"], second["timing"]["connect_ms"]) == (None, None)
    for attempt in (first, second):
        assert attempt["timing"]["tls_ms"] is None
        assert 100 <= attempt["timing"]["first_byte_ms"] <= attempt["duration_ms"]


def test_a_time_out_shows_how_far_the_post_came(key: TestKey, receiver: Receiver) -> None:
    receiver.delay_seconds = 1.5
    webhook = hook(key, receiver, timeout_seconds=1).id

    result = call(handler, "POST", f"/api/v1/webhooks/{webhook}/test", token=key.plaintext, json={}).json

    assert result["timing"]["connect_ms"] is not None
    assert result["timing"]["first_byte_ms"] is None


def test_the_tls_handshake_is_told_apart(tmp_path: Path) -> None:
    serving = certificate(tmp_path, days=1)
    trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))

    async def connect() -> None:
        async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving) as server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="localhost")
            await reader.read()
            writer.close()
            await writer.wait_closed()

    loop = TimedLoop()
    with timed() as timing:
        loop.run_until_complete(connect())
    loop.close()

    assert timing.tls_ms is not None
