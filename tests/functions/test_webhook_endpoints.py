"""Where posts may go: hostile addresses, names that change their mind, certificates, and answers that are traps."""

import asyncio
import gzip
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import dns.message
import dns.query
import dns.rdatatype
import dns.rrset
import pytest

from penguinmails import clock
from penguinmails.domain.endpoints import RefusedAddress, check_url, vet
from penguinmails.errors import ValidationFailed
from penguinmails.settings import get_settings
from penguinmails.webhook_posts import client
from penguinmails.webhook_posts.request import SignedRequest
from tests.support.certificates import certificate

_PUBLIC = ("1.1.1.1", "2606:4700:4700::1111")
_HOSTILE_ADDRESSES = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.8.8.8",  # noqa: S104 - refused
    "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.254", "192.0.0.1", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.254", "198.51.100.7", "203.0.113.7", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::a00:1", "::ffff:0:a00:1", "::ffff:0:101:101",
    "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "64:ff9b:1::101:101", "100::1", "2001::1", "2001:db8::1",
    "2002:a00:1::",
    "2002:7f00:1::1", "2002:a9fe:a9fe::", "2606:4700::5efe:a00:1", "2606:4700::200:5efe:a9fe:a9fe", "100:0:0:1::1", "200::1",
    "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip
_HOSTILE_URLS = [
    # Another scheme, or none.
    "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/",
    "javascript:alert(1)", "nonsense", "", "https://", "https:///path", "https://?query",
    # A user name before the host, to be taken for the host.
    "https://user@example.com/", "https://user:pass@example.com/", "https://example.com@10.0.0.1/", "https://@example.com/",
    "https://example.com%40@169.254.169.254/",
    # Ports of other services.
    "https://example.com:0/", "https://example.com:22/", "https://example.com:25/", "https://example.com:80/",
    "https://example.com:1023/", "https://example.com:65536/", "https://example.com:-1/", "https://example.com:x/",
    # White space and what ends a line.
    "https://exa mple.com/", "https://example.com/\r\nHost: other", "https://example.com/\x00", " https://10.0.0.1/",
    "https://example.com\t/",
    # This machine by its names.
    "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://inner.localhost/", "https://[::1]:8443/",
    # The many ways to write 10.0.0.1, 127.0.0.1 and 169.254.169.254.
    "https://167772161/", "https://0x0a000001/", "https://0xa.0.0.1/", "https://012.0.0.1/", "https://10.1/",
    "https://127.1/", "https://0177.0.0.1/", "https://017700000001/", "https://2130706433/", "https://0/",
    "https://127.0.0.1./", "https://0xa9fea9fe/", "https://2852039166/", "https://169.254.43518/",
    # Digits, letters and dots that clients take for those of ASCII.
    "https://\uff11\uff12\uff17.0.0.1/", "https://127\u30020\u30020\u30021/", "https://127\uff0e0\uff0e0\uff0e1/",
    "https://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/", "https://\uff11\uff16\uff19.254.169.254/latest",
    "https://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54/", "https://\uff41pi.example.test/hooks",
    # Ourselves.
    "https://api.example.test/hooks", "https://API.example.test./hooks",
    *[f"https://{f'[{address}]' if ':' in address else address}/" for address in _HOSTILE_ADDRESSES],
]  # fmt: skip


@pytest.fixture
def in_production(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without the exception for one machine."""
    monkeypatch.setenv("ALLOW_LOCALHOST_WEBHOOKS", "false")
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.mark.parametrize("url", _HOSTILE_URLS)
def test_a_url_that_could_lead_into_our_own_network_is_refused(url: str, in_production: None) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        check_url(url, field="endpoint_url")
    assert [error.field for error in refusal.value.errors] == ["endpoint_url"]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hooks", "https://example.com:443/", "https://example.com:8443/?a=b", "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]/", "https://localhost.example.com/", "https://10.0.0.1.example.com/",
        "https://[2002:101:101::]/", "https://xn--bcher-kva.example/",
    ],
)  # fmt: skip
def test_a_url_on_the_public_internet_is_possible(url: str, in_production: None) -> None:
    check_url(url, field="endpoint_url")


@pytest.mark.parametrize("address", _HOSTILE_ADDRESSES)
def test_a_name_is_refused_when_one_of_its_addresses_is_not_public(address: str, in_production: None) -> None:
    vet(list(_PUBLIC), host="example.com")
    for answer in ([address], [*_PUBLIC, address], [address, *_PUBLIC]):
        with pytest.raises(RefusedAddress):
            vet(answer, host="example.com")


def test_the_addresses_that_our_own_posts_leave_from_are_refused(
    monkeypatch: pytest.MonkeyPatch, in_production: None
) -> None:
    monkeypatch.setenv("WEBHOOK_SOURCE_IPS", "1.1.1.1, 8.8.8.0/24")
    get_settings.cache_clear()

    for url in ("https://1.1.1.1/", "https://8.8.8.8/", "https://[::ffff:808:808]/", "https://[64:ff9b::101:101]/"):
        with pytest.raises(ValidationFailed):
            check_url(url, field="endpoint_url")
    with pytest.raises(RefusedAddress):
        vet(["1.0.0.1", "8.8.8.8"], host="example.com")
    vet(["1.0.0.1", "8.8.9.8"], host="example.com")


class RebindingDns:
    """A name server that gives each question about an address the next of its answers."""

    def __init__(self, *answers: list[str]) -> None:
        """Listen on a free port of this machine."""
        self.answers = list(answers)
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                content, sender = self._socket.recvfrom(4096)
            except OSError:
                return
            question = dns.message.from_wire(content)
            answer = dns.message.make_response(question)
            found = self.answers[min(self.asked, len(self.answers) - 1)]
            self.asked += 1
            answer.answer.append(dns.rrset.from_text(question.question[0].name, 0, "IN", "A", *found))
            self._socket.sendto(answer.to_wire(), sender)

    def getaddrinfo(self, host: str, port: Any, *_arguments: Any, **_options: Any) -> list[Any]:
        """As the C library would, with this server in /etc/resolv.conf; it remembers nothing."""
        answer = dns.query.udp(dns.message.make_query(host, "A"), "127.0.0.1", port=self.port, timeout=5)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (record.address, port))
            for found in answer.answer
            for record in found
            if record.rdtype == dns.rdatatype.A
        ]

    def stop(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that connections were made to; none of them is let through."""
    found: list[str] = []

    async def refused(_loop: Any, _socket: Any, address: Any) -> None:
        found.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", refused)
    return found


def outcome_of(url: str, **headers: str) -> client.Outcome:
    return client.run(client.post(SignedRequest(url, headers, {}, b"{}", 2, uuid4())))


@pytest.mark.parametrize("later", [["127.0.0.1"], ["169.254.169.254"], ["1.1.1.1", "10.0.0.1"]])
def test_a_name_that_rebinds_is_asked_for_each_connection_and_reaches_only_what_was_vetted(
    later: list[str], in_production: None, connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = RebindingDns(["1.1.1.1"], later, ["1.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", server.getaddrinfo)

    first, second, third = (outcome_of("https://rebinding.example/hooks") for _ in range(3))
    server.stop()

    assert connected == ["1.1.1.1", "1.0.0.1"], "the very addresses that were vetted, and the hostile one never"
    assert server.asked == 3, "one question for each connection, so that no second answer slips in"
    assert "not on the public Internet" in str(second.error)
    assert first.error is not None
    assert third.error is not None


def test_an_address_that_was_stored_before_it_was_refused_is_not_called(
    in_production: None, connected: list[str]
) -> None:
    assert "not an address on the public Internet" in str(outcome_of("https://10.0.0.1/hooks").error)
    assert connected == []


@pytest.mark.parametrize("host", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "[::1]", "127\u30020\u30020\u30021"])
def test_an_address_is_judged_once_more_where_it_is_connected_to_whatever_became_of_its_url(
    in_production: None, connected: list[str], monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(client, "check_url", lambda *_, **__: None)

    assert "not on the public Internet" in str(outcome_of(f"https://{host}/hooks").error)
    assert connected == []


def test_a_host_in_other_letters_is_asked_for_as_dns_has_it(in_production: None) -> None:
    with pytest.raises(ValidationFailed, match="xn--bcher-kva") as refusal:
        check_url("https://b\u00fccher.example/", field="endpoint_url")
    assert [error.code for error in refusal.value.errors] == ["not_ascii"]


def test_proxies_of_the_environment_are_not_used(
    in_production: None, connected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    outcome_of("https://1.1.1.1/hooks")
    assert connected == ["1.1.1.1"]


class Endpoint(ThreadingHTTPServer):
    """Answers what it is told, byte for byte."""

    daemon_threads = True

    def __init__(self, answer: bytes) -> None:
        """Listen on a free port of this machine."""
        self.posts = 0
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                endpoint.posts += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                self.wfile.write(answer)
                self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is part of what is tested."""

    def start(self) -> "Endpoint":
        """Answer in a thread."""
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()


@pytest.mark.parametrize("days", [9, -1])
def test_an_endpoint_whose_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path, days: int) -> None:
    endpoint = Endpoint(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    endpoint.socket = certificate(tmp_path, days=days).wrap_socket(endpoint.socket, server_side=True)
    endpoint.start()

    outcome = outcome_of(f"https://localhost:{endpoint.server_port}/hooks")
    endpoint.stop()

    assert "CERTIFICATE_VERIFY_FAILED" in str(outcome.error)
    assert not outcome.is_success
    assert endpoint.posts == 0


def test_an_answer_is_kept_up_to_ten_kilobytes_counted_after_decompression() -> None:
    bomb = gzip.compress(b"x" * 200_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    endpoint = Endpoint(head + bomb).start()

    tracemalloc.start()
    outcome = outcome_of(f"http://127.0.0.1:{endpoint.server_port}/hooks")
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    endpoint.stop()

    assert (outcome.status_code, outcome.body) == (200, "x" * 10 * 1024)
    assert most_bytes < 10_000_000, "the rest is never unpacked"


def test_headers_of_an_answer_are_kept_up_to_four_kilobytes() -> None:
    many = "".join(f"X-Header-{number}: {'v' * 100}\r\n" for number in range(70))
    endpoint = Endpoint(f"HTTP/1.1 200 OK\r\n{many}Content-Length: 0\r\n\r\n".encode()).start()

    outcome = outcome_of(f"http://127.0.0.1:{endpoint.server_port}/hooks")
    endpoint.stop()

    assert 3_900 < sum(len(name) + len(value) for name, value in outcome.headers.items()) <= 4_096


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("000604800", 604_800),
        ("604801", 604_800),
        ("9" * 8_000, 604_800),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("\u0663", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 604_800),
        ("", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_of_a_week_at_most_and_anything_else_asks_for_nothing(
    value: str, seconds: int | None
) -> None:
    assert client._seconds(value) == seconds


def test_a_retry_after_by_date_is_the_time_until_then() -> None:
    moment = clock.now() + timedelta(seconds=700)
    found = client._seconds(moment.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    assert found is not None
    assert 695 <= found <= 700
