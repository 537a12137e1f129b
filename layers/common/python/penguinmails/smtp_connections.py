"""Connections to mail servers: encrypted, signed in to, and kept for the process's next mail (RFC 5321, 3207, 8314, 4954).

A certificate is always checked against the host's name, and nothing is sent in the clear where TLS was asked for: a server
that does not offer STARTTLS is refused. A connection belongs to one server of one tenant and is never another's.
"""

import re
import smtplib
import socket
import ssl
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

Security = Literal["starttls", "tls", "none"]
Cause = Literal["host", "port", "security", "password"]
_TIMEOUT_SECONDS = 15.0
_CHECK_SECONDS = 5.0
_FRESH_SECONDS = 1.0
_MOST_KEPT = 8
_MOST_ADDRESSES = 2
_REST_SECONDS = 30.0
_MOST_RESTING = 1_000
_ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A server that takes mails over, and how it is signed in to; without a user name it is not."""

    tenant_id: UUID | None
    """Whose it is; None for the platform's."""
    host: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class ServerUnusable(Exception):
    """No mail can be handed to the server now; `needs_repair` says that waiting alone changes nothing.

    `cause` is the setting that has to do with it. The reason never quotes a server, which may repeat what it was told.
    """

    def __init__(self, reason: str, *, cause: Cause, needs_repair: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cause: Cause = cause
        self.needs_repair = needs_repair


@dataclass(slots=True)
class _Kept:
    """An open connection, and when it last carried a mail (monotonic seconds)."""

    connection: smtplib.SMTP
    used_at: float


_kept: OrderedDict[MailServer, _Kept] = OrderedDict()
_resting: dict[MailServer, tuple[float, ServerUnusable]] = {}
"""Tenants' servers that have just failed, and until when they are left alone."""


class _Connection(smtplib.SMTP):
    """A connection to an address that was vetted, within TLS from its first byte where the server wants it so."""

    def __init__(self, server: MailServer, timeout: float) -> None:
        self._server = server
        super().__init__(server.host, server.port, timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = _open_socket(self._server, host, port, timeout)
        if self._server.security != "tls":
            return plain
        try:
            return _trust().wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise


def _open_socket(server: MailServer, host: str, port: int, timeout: float) -> socket.socket:
    if server.tenant_id is None:
        return socket.create_connection((host, port), timeout)
    # Loaded where accounts have servers of their own.
    from penguinmails.domain.endpoints import RefusedAddress, vet

    addresses = list(
        dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    )
    try:
        vet(addresses, host=host)
    except RefusedAddress as refusal:
        raise ServerUnusable(f"the mail server cannot be used: {refusal}", cause="host", needs_repair=True) from None
    failure = OSError("no address")
    for address in addresses[:_MOST_ADDRESSES]:
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            failure = error
    raise failure


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """The machine's authorities; the certificate must be the host's, TLS at least 1.2."""
    return ssl.create_default_context()


def connected(server: MailServer) -> smtplib.SMTP:
    """A connection that is ready for a mail. Raises ServerUnusable.

    A tenant's server that has just failed is left alone for half a minute: waiting for it would hold up other tenants' mail,
    and a wrong password, tried again and again, locks its mailbox or our address.
    """
    kept = _kept.get(server)
    if kept is not None:
        _kept.move_to_end(server)
        if time.monotonic() - kept.used_at < _FRESH_SECONDS or _is_alive(kept.connection):
            return kept.connection
        close_connection(server)
    for other in [other for other in _kept if other.tenant_id == server.tenant_id]:
        # The server was changed, or its password: what was opened with the old one is of no use any more.
        close_connection(other)
    connection = _opened_now(server)
    while len(_kept) >= _MOST_KEPT:
        _kept.popitem(last=False)[1].connection.close()
    _kept[server] = _Kept(connection, 0.0)
    return connection


def _opened_now(server: MailServer) -> smtplib.SMTP:
    until, known = _resting.get(server, (0.0, None))
    if known is not None and time.monotonic() < until:
        raise ServerUnusable(known.reason, cause=known.cause, needs_repair=known.needs_repair)
    try:
        connection = _open(server, _TIMEOUT_SECONDS)
    except ServerUnusable as trouble:
        if server.tenant_id is not None:
            if len(_resting) >= _MOST_RESTING:
                _resting.clear()
            _resting[server] = (time.monotonic() + _REST_SECONDS, trouble)
        raise
    _resting.pop(server, None)
    return connection


def note_use(server: MailServer) -> None:
    """The connection has just carried a mail, so that it need not be asked whether it is alive."""
    if server in _kept:
        _kept[server].used_at = time.monotonic()


def close_connection(server: MailServer) -> None:
    """End a server's kept connection; the next mail opens a new one."""
    kept = _kept.pop(server, None)
    if kept is not None:
        kept.connection.close()


def close_all() -> None:
    """End every kept connection and forget which servers have failed, for the end of the process."""
    for server in list(_kept):
        close_connection(server)
    _resting.clear()
    _trust.cache_clear()


def check(server: MailServer) -> None:
    """Connect, sign in, and leave again; nothing is sent. Raises ServerUnusable."""
    connection = _open(server, _CHECK_SECONDS)
    try:
        connection.quit()
    except (OSError, smtplib.SMTPException):
        connection.close()


def _open(server: MailServer, timeout: float) -> smtplib.SMTP:
    try:
        connection = _Connection(server, timeout)
    except (OSError, smtplib.SMTPException) as error:
        raise _unusable(server, error) from None
    try:
        connection.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            _start_tls(connection)
        if server.username is not None:
            _sign_in(connection, server.username, server.password or "")
    except ServerUnusable:
        connection.close()
        raise
    except (OSError, smtplib.SMTPException) as error:
        connection.close()
        raise _unusable(server, error) from None
    return connection


def _start_tls(connection: smtplib.SMTP) -> None:
    if not connection.has_extn("starttls"):
        raise ServerUnusable(
            "the mail server offers no STARTTLS, and nothing is sent to it in the clear",
            cause="security",
            needs_repair=True,
        )
    connection.starttls(context=_trust())
    connection.ehlo()


def _sign_in(connection: smtplib.SMTP, username: str, password: str) -> None:
    try:
        connection.login(username, password)
    except smtplib.SMTPAuthenticationError as error:
        raise ServerUnusable(
            f"the mail server does not take the user name and password ({_code(error)})",
            cause="password",
            needs_repair=error.smtp_code >= 500,
        ) from None
    except smtplib.SMTPNotSupportedError:
        raise ServerUnusable(
            "the mail server offers no way to sign in that we know (PLAIN, LOGIN, CRAM-MD5)",
            cause="security",
            needs_repair=True,
        ) from None


def _unusable(server: MailServer, error: Exception) -> ServerUnusable:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = f"the mail server's certificate is not valid for {server.host} ({error.verify_message.rstrip('.')})"
        return ServerUnusable(reason, cause="host", needs_repair=True)
    if isinstance(error, ssl.SSLError):
        reason = f"the mail server does not speak TLS on port {server.port} ({error.reason or 'no handshake'})"
        return ServerUnusable(reason, cause="security", needs_repair=False)
    if isinstance(error, smtplib.SMTPResponseException):
        return ServerUnusable(f"the mail server does not serve us ({_code(error)})", cause="host", needs_repair=False)
    cause: Cause = "host" if isinstance(error, socket.gaierror) else "port"
    return ServerUnusable(
        f"the mail server cannot be reached ({type(error).__name__})", cause=cause, needs_repair=False
    )


def _code(error: smtplib.SMTPResponseException) -> str:
    answer: Any = error.smtp_error
    found = _ENHANCED.match(answer if isinstance(answer, bytes) else str(answer).encode())
    return f"{error.smtp_code} {found.group().decode()}" if found else f"{error.smtp_code}"


def _is_alive(connection: smtplib.SMTP) -> bool:
    """Servers close idle connections; asking first means that nothing of a mail is sent into a closed one."""
    try:
        return connection.rset()[0] < 400
    except (OSError, smtplib.SMTPException):
        return False
