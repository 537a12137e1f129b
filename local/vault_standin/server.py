"""The stand-in's HTTP: Vault's paths, documents, statuses and error texts.

Written after https://developer.hashicorp.com/vault/api-docs; the contract tests hold it against the real server.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.vault_standin.store import Refused, Store

_CAPABILITIES = {"GET": "read", "POST": "update", "PUT": "update", "DELETE": "delete"}
KV_MOUNT = "secret"


def _handler(store: Store) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Vault's paths name tenants; nothing is logged."""

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            try:
                with store.lock:
                    document = _route(store, self.command, self.path, self.headers.get("X-Vault-Token", ""), body)
                self._send(200 if document is not None else 204, document)
            except Refused as refusal:
                self._send(refusal.status, {"errors": refusal.errors})

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - names that http.server calls

        def _send(self, status: int, document: Any) -> None:
            content = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _route(store: Store, method: str, url: str, token: str, body: dict[str, Any]) -> Any:
    parts = urlsplit(url)
    path = parts.path.removeprefix("/v1/")
    if path == "sys/seal-status":
        return {"type": "shamir", "initialized": True, "sealed": store.sealed, "version": "stand-in"}
    if path == "sys/health":
        if store.sealed:
            raise Refused(503, "Vault is sealed")
        return {"initialized": True, "sealed": False, "standby": False, "version": "stand-in"}
    if store.sealed:
        raise Refused(503, "Vault is sealed")
    if path == "auth/approle/login":
        client_token, seconds = store.log_in(body.get("role_id", ""), body.get("secret_id", ""))
        return {"auth": {"client_token": client_token, "lease_duration": seconds, "renewable": True}}
    return _record(store, method, path, parse_qs(parts.query), token, body)


def _record(store: Store, method: str, path: str, query: dict[str, list[str]], token: str, body: dict[str, Any]) -> Any:
    kind, _, name = path.removeprefix(f"{KV_MOUNT}/").partition("/")
    exists = name in store.records
    capability = "create" if method in {"POST", "PUT"} and not exists else _CAPABILITIES[method]
    store.authorise(token, path, capability)
    if kind == "data" and method == "GET":
        version = int(query["version"][0]) if "version" in query else None
        return {"data": store.read(name, version)}
    if kind == "data" and method in {"POST", "PUT"}:
        return {"data": store.write(name, body["data"], (body.get("options") or {}).get("cas"))}
    if kind == "metadata" and method == "DELETE":
        store.delete(name)
        return None
    raise Refused(404)


def serve(store: Store, host: str, port: int) -> ThreadingHTTPServer:
    """A server that is ready to be run in a thread of the caller's."""
    server = ThreadingHTTPServer((host, port), _handler(store))
    server.daemon_threads = True
    return server
