"""The mail catcher: takes every mail by SMTP, delivers none, and shows them in memory and as files.

Addresses can act up: `reject@...` is refused for good (550), `tempfail@...` for now (451), anywhere in a recipient's name.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.policy import default
from itertools import count
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from local.services.process import LOOPBACK, free_port

_KEPT = 5_000


@dataclass(frozen=True, slots=True)
class CaughtMail:
    """One mail as it was received."""

    id: int
    received_at: str
    sender: str
    recipients: list[str]
    subject: str
    message_id: str
    headers: dict[str, str]
    text: str
    html: str | None
    attachments: list[tuple[str, str, bytes]]
    """Name, media type and content of each file."""
    content: bytes = field(repr=False, default=b"")
    """The whole mail as it came."""


def _part(message: Message, kind: str) -> str | None:
    for part in message.walk():
        if part.get_content_type() == kind:
            return str(part.get_content())  # pyright: ignore[reportAttributeAccessIssue]
    return None


def _files(message: Message) -> list[tuple[str, str, bytes]]:
    return [
        (part.get_filename() or "", part.get_content_type(), part.get_payload(decode=True))  # pyright: ignore[reportReturnType]
        for part in message.walk()
        if part.get_content_disposition() == "attachment"
    ]


@dataclass
class MailCatcher:
    """An SMTP server in a thread of this process."""

    port: int = field(default_factory=free_port)
    _mails: deque[CaughtMail] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _numbers: Any = field(default_factory=lambda: count(1))
    _arrived: threading.Condition = field(default_factory=threading.Condition)

    is_running: bool = False

    def start(self) -> None:
        """Start listening."""
        self._controller = Controller(self, hostname=LOOPBACK, port=self.port)
        self._controller.start()
        self.is_running = True

    def stop(self) -> None:
        """Stop listening; what was caught stays readable."""
        if self.is_running:
            self.is_running = False
            self._controller.stop()

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Accept a recipient, or act as its address asks."""
        name = address.partition("@")[0]
        if "reject" in name:
            return "550 5.1.1 no such mailbox"
        if "tempfail" in name:
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail."""
        message = message_from_bytes(envelope.content or b"", policy=default)  # pyright: ignore[reportArgumentType]
        mail = CaughtMail(
            id=next(self._numbers),
            received_at=datetime.now(UTC).isoformat(),
            sender=envelope.mail_from or "",
            recipients=list(envelope.rcpt_tos),
            subject=str(message["Subject"] or ""),
            message_id=str(message["Message-ID"] or ""),
            headers={name: str(value) for name, value in message.items()},
            text=_part(message, "text/plain") or "",
            html=_part(message, "text/html"),
            attachments=_files(message),
            content=bytes(envelope.content or b""),  # pyright: ignore[reportArgumentType]
        )
        with self._arrived:
            self._mails.append(mail)
            self._arrived.notify_all()
        return f"250 OK caught as {mail.id}"

    def mails_to(self, recipient: str) -> list[CaughtMail]:
        """What was caught for an address, oldest first."""
        return [mail for mail in self._mails if recipient in mail.recipients]

    def all_mails(self) -> list[CaughtMail]:
        """Everything that is kept, oldest first."""
        return list(self._mails)

    def wait_for(self, recipient: str, seconds: float = 10) -> CaughtMail:
        """The first mail to an address; raises TimeoutError when none comes."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: bool(self.mails_to(recipient)), seconds):
                raise TimeoutError(f"no mail to {recipient} within {seconds} s")
        return self.mails_to(recipient)[0]
