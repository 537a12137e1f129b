"""An SMTP server that keeps nothing but how often each recipient and Message-ID came: cheap enough to measure senders with.

`XREPORT` answers with the totals as JSON, on a connection of its own: mails, recipients, recipients who got more than
one, the most that one got, and recipients who got mails of different Message-IDs.
"""

import asyncio
import contextlib
import json
import re
import sys
from collections import defaultdict

_MESSAGE_ID = re.compile(rb"^Message-ID: (\S+)", re.MULTILINE | re.IGNORECASE)
_END = b"\r\n.\r\n"


class Sink:
    """What all connections of this server received."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.received: defaultdict[bytes, list[bytes]] = defaultdict(list)
        self.mails = 0

    def take(self, recipient: bytes, content: bytes) -> None:
        """Count one mail."""
        found = _MESSAGE_ID.search(content[:2_000])
        self.received[recipient].append(found[1] if found else b"")
        self.mails += 1

    def report(self) -> str:
        """The totals as JSON."""
        repeated = [ids for ids in self.received.values() if len(ids) > 1]
        return json.dumps(
            {
                "mails": self.mails,
                "recipients": len(self.received),
                "repeated": len(repeated),
                "most": max(map(len, self.received.values()), default=0),
                "under_different_ids": sum(len(set(ids)) > 1 for ids in repeated),
            }
        )


class _Connection(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = bytearray()
        self._recipient = b""
        self._in_content = False
        self._answers = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._step():
            pass
        # The answers to commands that came together go together (RFC 2920, section 3.2).
        if self._answers:
            self._transport.write(bytes(self._answers))
            self._answers.clear()

    def _step(self) -> bool:
        if self._in_content:
            end = self._buffer.find(_END)
            if end < 0:
                return False
            self._sink.take(self._recipient, bytes(self._buffer[:end]))
            del self._buffer[: end + len(_END)]
            self._in_content = False
            self._answers += b"250 taken\r\n"
            return True
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        self._command(line)
        return True

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"DATA":
            self._in_content = True
            self._answers += b"354 go on\r\n"
        elif verb == b"XREP":
            self._answers += b"250 " + self._sink.report().encode() + b"\r\n"
        elif verb == b"EHLO":
            self._answers += b"250-sink\r\n250 PIPELINING\r\n"
        elif verb == b"QUIT":
            self._transport.write(bytes(self._answers) + b"221 bye\r\n")
            self._answers.clear()
            self._transport.close()
        else:
            if verb == b"RCPT":
                self._recipient = line[8:].strip(b"<> :")
            self._answers += b"250 OK\r\n"


async def _serve(port: int) -> None:
    sink = Sink()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(sink), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1])))
