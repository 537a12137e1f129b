"""Both kinds of Vault for tests that hold the stand-in against the real server, and a wire that loses answers."""

import contextlib
import http.client
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hvac
import pytest

from local.services.process import free_port
from local.vault import RunningVault, find_server, start, version_of
from penguinmails import vault
from penguinmails.settings import get_settings

AsSender = Callable[[], contextlib.AbstractContextManager[None]]
"""Does what is within as the service account of the functions that send."""


@lru_cache(maxsize=1)
def real_version() -> str | None:
    """What the real server calls itself; None where there is none."""
    program = find_server()
    return None if program is None else version_of(program)


NO_SERVER = pytest.mark.skipif(
    real_version() is None, reason="there is no Vault server on this machine: run `make vault` once"
)
BOTH = [
    pytest.param("stand-in", id="stand-in"),
    pytest.param("server", id=(real_version() or "Vault").replace(" ", "-"), marks=NO_SERVER),
]


def start_kind(kind: str, directory: Path) -> RunningVault:
    """A Vault of this kind with data of its own."""
    return start(directory, free_port(), prefer_standin=kind == "stand-in")


@contextlib.contextmanager
def using(environment: dict[str, str]) -> Iterator[None]:
    """The layer with these settings and without a session, as in a new process; afterwards with those it had."""
    before = {name: os.environ.get(name) for name in environment}

    def forget() -> None:
        get_settings.cache_clear()
        vault.forget_session()

    os.environ.update(environment)
    forget()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        forget()


def client_of(server: RunningVault, account: str) -> hvac.Client:
    """A plain client with an account's own token."""
    environment = server.environment(account)
    client = hvac.Client(url=server.address, token="")
    secret_id = Path(environment["VAULT_SECRET_ID_FILE"]).read_text()
    client.auth.approle.login(environment["VAULT_ROLE_ID"], secret_id)
    return client


@dataclass
class Request:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Wire:
    """Stands before a Vault, keeps what was asked, and fails as networks do."""

    target: str
    requests: list[Request] = field(default_factory=list[Request])
    lose_answers: int = 0
    """So many further answers to writes are dropped after Vault has carried them out."""
    refuse_with: int = 0
    """A status that is answered instead of asking Vault; 0 for none."""
    before_repeat: Any = None
    """Called once after a lost answer, before the client can ask again."""

    def __post_init__(self) -> None:
        """Listen on a free port."""
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

            def _answer(self) -> None:
                wire.pass_on(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_LIST = _answer  # noqa: N815 - names that http.server calls

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request with what Vault says to it, unless the wire is to fail."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        self.requests.append(Request(handler.command, handler.path, dict(handler.headers), body))
        if self.refuse_with:
            self._send(handler, self.refuse_with, b'{"errors": ["out of order"]}')
            return
        status, content = self._ask(handler, body)
        if self.lose_answers and handler.command in {"POST", "PUT"} and not handler.path.endswith("/login"):
            self.lose_answers -= 1
            if self.before_repeat is not None:
                self.before_repeat()
            handler.close_connection = True
            return
        self._send(handler, status, content)

    def _ask(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(self.target)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "connection"}
        try:
            connection.request(handler.command, handler.path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, status: int, content: bytes) -> None:
        handler.send_response(status)
        if status != 204:
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def asked(self, suffix: str) -> int:
        """How many requests went to a path that ends so."""
        return sum(urlsplit(request.path).path.endswith(suffix) for request in self.requests)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
