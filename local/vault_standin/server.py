"""The stand-in's HTTP: which path goes where, and the form of Vault's answers."""

import contextlib
import json
import socket
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from local.vault_standin import access, kv, policies, system, transit
from local.vault_standin.state import Refused, State

_CAPABILITIES = {"GET": "read", "LIST": "list", "POST": "update", "PUT": "update", "DELETE": "delete"}
_MOUNT = "secret"
_SNAPSHOT_PATHS = ("sys/storage/raft/snapshot", "sys/storage/raft/snapshot-force")
_BODY_LIMIT = 32 * 1024 * 1024


class _Server(ThreadingHTTPServer):
    """Ends the connections that clients keep open when it is closed, as a server does whose process ends."""

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().close_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def serve(state: State, host: str, port: int) -> ThreadingHTTPServer:
    """A server that is ready to be run in a thread of the caller's."""

    class Handler(_Handler):
        vault = state

    return _Server((host, port), Handler)


class _Handler(BaseHTTPRequestHandler):
    vault: State
    protocol_version = "HTTP/1.1"
    # An answer is several writes; waiting to join them costs 40 ms each.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Vault's paths name tenants; nothing is logged."""

    def _answer(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _BODY_LIMIT))
        state = self.vault
        try:
            with state.lock:
                was = _Request(state, self.command, self.path, self.headers.get("X-Vault-Token") or "", body)
                document = was.answer(self.client_address[0])
                if was.method not in {"GET", "LIST"} and state.is_initialized:
                    access.forget_expired(state)
                    state.save()
        except Refused as refusal:
            self._send(refusal.status, refusal.document)
            return
        if isinstance(document, bytes):
            self._send_bytes(200, document, "application/gzip")
        else:
            self._send(204 if document is None else 200, document)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_LIST = _answer  # noqa: N815 - names that http.server calls

    def _send(self, status: int, document: dict[str, Any] | None) -> None:
        if document is not None and ("data" in document or "auth" in document):
            document = {**_ENVELOPE, "request_id": str(uuid.uuid4()), **document}
        self._send_bytes(status, b"" if document is None else json.dumps(document).encode(), "application/json")

    def _send_bytes(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


_ENVELOPE: dict[str, Any] = {
    "request_id": "",
    "lease_id": "",
    "renewable": False,
    "lease_duration": 0,
    "data": None,
    "wrap_info": None,
    "warnings": None,
    "auth": None,
    "mount_type": "",
}


class _Request:
    def __init__(self, state: State, command: str, url: str, token: str, body: bytes) -> None:
        parts = urlsplit(url)
        self.state, self.token, self.content = state, token, body
        self.path = unquote(parts.path).removeprefix("/v1/").rstrip("/")
        self.query = dict(parse_qsl(parts.query))
        is_list = command == "LIST" or (command == "GET" and self.query.get("list") == "true")
        self.method = "LIST" if is_list else {"HEAD": "GET"}.get(command, command)

    def answer(self, address: str) -> dict[str, Any] | bytes | None:
        if self.path in _SNAPSHOT_PATHS:
            return self._snapshot()
        body = self._body()
        open_answer = system.unauthenticated(self.state, self.method, self.path, body)
        if open_answer is not None:
            return open_answer
        self._refuse_while_sealed()
        if self.path == "auth/approle/login" and self.method in {"POST", "PUT"}:
            return access.log_in(self.state, body, address)
        self._authorise()
        return self._route(body)

    def _body(self) -> dict[str, Any]:
        try:
            body: dict[str, Any] = json.loads(self.content or b"{}")
        except ValueError:
            raise Refused(400, "error parsing JSON: failed to parse JSON input") from None
        return body

    def _refuse_while_sealed(self) -> None:
        if self.state.is_sealed:
            raise Refused(503, "Vault is sealed")

    def _authorise(self) -> None:
        mount, _, rest = self.path.partition("/")
        kind, _, name = rest.partition("/")
        capability = _CAPABILITIES[self.method]
        engine = {_MOUNT: kv, "transit": transit}.get(mount)
        if capability == "update" and engine is not None and kind in {"data", "metadata", "encrypt"}:
            capability = "update" if engine.exists(self.state, kind, name) else "create"
        # A policy for what lies below a folder speaks of `folder/`.
        path = f"{self.path}/" if self.method == "LIST" else self.path
        policies.authorise(self.state, access.token_of(self.state, self.token), path, capability)

    def _snapshot(self) -> bytes | None:
        self._refuse_while_sealed()
        self._authorise()
        if self.method == "GET":
            return system.take_snapshot(self.state)
        system.restore_snapshot(self.state, self.content)
        return None

    def _route(self, body: dict[str, Any]) -> dict[str, Any] | None:
        mount, _, rest = self.path.partition("/")
        kind, _, name = rest.partition("/")
        if mount == _MOUNT:
            if rest == "config":
                return kv.config(self.state, self.method, body)
            return kv.request(self.state, self.method, kind, name, self.query, body)
        if mount == "transit":
            return transit.request(self.state, self.method, kind, name, body)
        if self.path.startswith("sys/policies/acl/"):
            return policies.policy(self.state, self.method, self.path.removeprefix("sys/policies/acl/"), body)
        if self.path == "sys/capabilities-self":
            return policies.capabilities(self.state, access.token_of(self.state, self.token), body)
        if self.path.startswith("auth/token/"):
            return access.token_request(self.state, name, self.token, body)
        if self.path.startswith("auth/approle/role/"):
            role, _, action = name.removeprefix("role/").partition("/")
            return access.role_request(self.state, self.method, role, action, body)
        if mount == "sys":
            return system.authenticated(self.state, self.method, self.path)
        raise Refused(404, f'no handler for route "{self.path}". route entry not found.')
