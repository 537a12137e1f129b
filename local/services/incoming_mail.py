"""The way in for mail: takes it by LMTP (RFC 2033) and hands it to the API, as the mail server in production does.

A mail server's transport map leads here, or to a pipe that posts likewise; what the API refuses is refused here, so that
the mail server tells the sender or tries again.
"""

import time
from dataclasses import dataclass, field
from functools import partial

import aiohttp
from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from local.services.process import LOOPBACK, free_port
from penguinmails.domain.incoming_mail import sign_relayed

_PATIENCE = aiohttp.ClientTimeout(total=30)
_TRY_LATER = "451 4.3.0 the mail cannot be handed over just now"
_ANSWERS = {
    200: "250 2.0.0 taken",
    404: "550 5.1.1 nobody takes mail at this address",
    413: "552 5.3.4 the mail is too large",
}


@dataclass
class IncomingMail:
    """An LMTP server in a thread of this process; `key` and its `version` are what the API knows the mail server by."""

    url: str
    key: bytes = field(repr=False)
    version: int
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        """Start listening."""
        self._controller = Controller(self, hostname=LOOPBACK, port=self.port)
        self._controller.factory = partial(LMTP, self, data_size_limit=10_000_000)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening."""
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """One recipient per mail, so that each has an outcome of its own; mail servers send it again for the others."""
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Hand the mail over."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        try:
            status = await self._post(envelope.mail_from or "", envelope.rcpt_tos[0], content)
        except (aiohttp.ClientError, TimeoutError):
            return _TRY_LATER
        return _ANSWERS.get(status, _TRY_LATER)

    async def _post(self, sender: str, recipient: str, content: bytes) -> int:
        headers = relay_headers(self.key, self.version, sender=sender, recipient=recipient, content=content)
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE) as session,
            session.post(self.url, data=content, headers=headers) as answer,
        ):
            return answer.status


def relay_headers(key: bytes, version: int, *, sender: str, recipient: str, content: bytes) -> dict[str, str]:
    """What goes with a mail: its envelope, and the proof that the mail server sent it."""
    timestamp = str(int(time.time()))
    signature = sign_relayed(key, version, timestamp=timestamp, sender=sender, recipient=recipient, content=content)
    return {
        "Content-Type": "message/rfc822",
        "X-Mail-From": sender,
        "X-Rcpt-To": recipient,
        "X-Relay-Timestamp": timestamp,
        "X-Relay-Signature": signature,
    }
