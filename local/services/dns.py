"""The DNS sandbox: answers for whatever names a zone file holds, and for no other.

The file is JSON, `{"name": {"TXT": ["..."], "CNAME": ["..."]}}`, and is read with every question, so that a record counts as
published the moment it is saved.
"""

import json
import socketserver
import threading
from pathlib import Path
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from local.services.process import LOOPBACK

_TTL_SECONDS = 60
_STRING = 255


class DnsSandbox:
    """A name server in a thread of this process. Names that end in `.unreachable.example` are answered with SERVFAIL."""

    def __init__(self, zone: Path, port: int = 0) -> None:
        """`port` 0 takes a free one."""
        self.zone = zone
        self.port = port
        self._server: socketserver.ThreadingUDPServer | None = None

    def start(self) -> None:
        """Start listening."""
        sandbox = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                content, socket = self.request
                answer = sandbox.answer(content)
                if answer is not None:
                    socket.sendto(answer, self.client_address)

        self._server = socketserver.ThreadingUDPServer((LOOPBACK, self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, name="dns", daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def resolver(self) -> str:
        """The value of DNS_RESOLVERS that leads here."""
        return f"{LOOPBACK}:{self.port}"

    def publish(self, name: str, kind: str, *values: str) -> None:
        """Set the records of one kind of a name; none takes them away."""
        zone = self._read()
        zone.setdefault(name.lower(), {})[kind] = list(values)
        self.zone.write_text(json.dumps(zone, indent=1, sort_keys=True))

    def answer(self, content: bytes) -> bytes | None:
        """The answer to a question in its wire form; None for what is no question."""
        try:
            query = dns.message.from_wire(content)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        records = self._read().get(name)
        if name.endswith(".unreachable.example"):
            response.set_rcode(dns.rcode.SERVFAIL)
        elif records is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif records.get(kind):
            texts = [_wire_text(kind, value) for value in records[kind]]
            response.answer.append(dns.rrset.from_text(question.name, _TTL_SECONDS, "IN", kind, *texts))
        return response.to_wire()

    def _read(self) -> dict[str, Any]:
        return json.loads(self.zone.read_text()) if self.zone.exists() else {}


def _wire_text(kind: str, value: str) -> str:
    """A record as zone files have it; a TXT record's strings hold 255 bytes each."""
    if kind != "TXT":
        return value.removesuffix(".") + "."
    escaped = [value[i : i + _STRING].replace("\\", "\\\\").replace('"', '\\"') for i in range(0, len(value), _STRING)]
    return " ".join(f'"{part}"' for part in escaped)
