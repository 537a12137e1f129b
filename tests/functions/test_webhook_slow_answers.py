"""A receiver that answers without coming to an end is timed out, and takes nobody's place any longer."""

import socket
import threading
import time
from contextlib import suppress

import pytest

from penguinmails.cache import command
from tests.support.hooks import attempts, deliveries, hook, raise_event, work_off
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
BODY = b"Content-Length: 1000\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
HEADER = b"X-Endless: "


class Dripping:
    """Answers at once with a beginning, and then a piece at a time, each well within any limit on silence."""

    def __init__(self, beginning: bytes, piece: bytes) -> None:
        self._beginning, self._piece = beginning, piece
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/hooks"
        self.hung_up = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(self._beginning)
            while True:
                time.sleep(0.1)
                connection.sendall(self._piece)
        self.hung_up.set()

    def stop(self) -> None:
        self._listening.close()


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [(HEAD + BODY, b"a"), (HEAD + CHUNKED, b"1\r\na\r\n"), (HEAD + HEADER, b"a"), (b"HTTP/1.1 200 O", b"k")],
    ids=["body", "chunked body", "header", "status line"],
)
def test_an_answer_that_drips_is_a_time_out_and_nothing_of_it_is_kept(
    tenant: TestTenant, key: TestKey, receiver: Receiver, beginning: bytes, piece: bytes
) -> None:
    dripping = Dripping(beginning, piece)
    webhook = hook(key, receiver, endpoint_url=dripping.url, timeout_seconds=1).id
    raise_event(tenant)

    work_off(tenant)
    dripping.stop()

    (delivery,), (attempt,) = deliveries(tenant), attempts(tenant)
    assert (delivery["webhook_id"], delivery["status"], delivery["attempts"]) == (webhook, "pending_retry", 1)
    assert attempt["error_message"] == "no complete answer within 1 s"
    assert (attempt["status_code"], attempt["response_headers"], attempt["response_body"]) == (None, {}, "")
    assert (attempt["timing"]["first_byte_ms"] is None) == (not beginning.endswith(b"\r\n\r\n"))
    assert dripping.hung_up.wait(10), "the connection is not kept"


def test_the_slots_of_receivers_that_drip_are_free_again_and_others_are_posted_to(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    dripping = Dripping(HEAD + BODY, b"a")
    hook(key, receiver, endpoint_url=dripping.url, timeout_seconds=1, retry_enabled=False)
    for _ in range(6):
        raise_event(tenant)
    work_off(tenant)
    dripping.stop()
    assert [row["status"] for row in deliveries(tenant)] == ["failed"] * 6, "more than have slots at once"
    assert command("ZCARD", f"webhook_slots:{{{tenant.id}:live}}") == 0

    well = hook(key, receiver).id
    raise_event(tenant)
    work_off(tenant)

    assert [row["status"] for row in deliveries(tenant) if row["webhook_id"] == well] == ["success"]
