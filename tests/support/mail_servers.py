"""Mail servers of accounts' own: real SMTP with STARTTLS or TLS and AUTH, on loopback."""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from local.services.process import LOOPBACK, free_port
from tests.support.secret_watch import remember


def new_password() -> str:
    """One that no output may hold."""
    password = f"pw-{uuid4().hex}"
    remember("mail server password", password)
    return password


@dataclass(frozen=True)
class TakenMail:
    """A mail, who had signed in, and the connection that it came by (the client's port)."""

    recipient: str
    login: str | None
    is_encrypted: bool
    connection: int
    content: bytes


class _Controller(Controller):
    """Knows its connections, so that they can be ended with the server."""

    def factory(self) -> SMTP:
        """One for each connection."""
        made = super().factory()
        self._made = [*getattr(self, "_made", []), made]
        return made

    def end_connections(self) -> None:
        """End those that clients have left open."""

        async def end() -> None:
            for protocol in self._made:
                transport: Any = protocol.transport
                if transport is not None:
                    transport.abort()
            await asyncio.sleep(0.01)

        asyncio.run_coroutine_threadsafe(end(), self.loop).result()


@dataclass
class OwnServer:
    """Offers STARTTLS, speaks TLS from the first byte, or neither; takes mail from `logins` alone."""

    context: ssl.SSLContext | None
    kind: Literal["starttls", "tls", "none"] = "starttls"
    logins: dict[str, str] = field(default_factory=dict[str, str])
    asks_for_login: bool = True
    mails: list[TakenMail] = field(default_factory=list[TakenMail])
    attempts: int = 0
    """How often somebody has tried to sign in."""
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        """Listen."""
        options: dict[str, Any] = {"auth_require_tls": self.kind == "starttls"}
        if self.asks_for_login:
            options |= {"auth_required": True, "authenticator": self._authenticate}
        if self.kind == "starttls":
            options["tls_context"] = self.context
        own = self.context if self.kind == "tls" else None
        self._controller = _Controller(self, hostname=LOOPBACK, port=self.port, ssl_context=own, **options)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening and end all connections."""
        self._controller.end_connections()
        self._controller.stop()

    def _authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:
        self.attempts += 1
        assert isinstance(data, LoginPassword)
        name, password = data.login.decode(), data.password.decode()
        return AuthResult(success=self.logins.get(name) == password, auth_data=name, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail."""
        transport: Any = server.transport
        for recipient in envelope.rcpt_tos:
            self.mails.append(
                TakenMail(
                    recipient,
                    session.auth_data,
                    transport.get_extra_info("ssl_object") is not None,
                    session.peer[1],
                    bytes(envelope.content or b""),  # pyright: ignore[reportArgumentType]
                )
            )
        return "250 OK"

    def to(self, recipient: str) -> TakenMail:
        """The one mail to an address."""
        (mail,) = [mail for mail in self.mails if mail.recipient == recipient]
        return mail
