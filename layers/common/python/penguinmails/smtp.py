"""Hands one mail to an SMTP server (RFC 5321)."""

import smtplib
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import formatdate, parseaddr
from functools import lru_cache
from typing import Any, Literal

from penguinmails.domain.bounces import Bounce, Stage, bounce_of
from penguinmails.domain.mail_addresses import is_international
from penguinmails.logging import count, logger
from penguinmails.mime import OutgoingMail, plain_lines
from penguinmails.smtp_connections import MailServer, ServerUnusable, close_connection, connected, note_use

_SEVEN_BIT = SMTP.clone(cte_type="7bit")
"""A relay that has to encode a body anew would break its signature (RFC 6376, section 5.3)."""
_INTERNATIONAL = _SEVEN_BIT.clone(utf8=True)
"""For addresses that have no ASCII form (RFC 6532); the bodies stay as they are."""
_AUTHENTICATION_REQUIRED = 530
_STAGES: tuple[Stage, ...] = ("sender", "recipient", "content")


Scope = Literal["mail", "moment", "account"]


class MailRefused(Exception):
    """The server did not take the mail; `is_permanent` says whether it never will (5xx).

    `bounce` is what a permanent refusal says about the recipient; None when it came from elsewhere. `retry_after` is how
    many seconds whoever refuses for now asks for. `scope` says what else would be refused: nothing but this `mail`, any mail
    at this `moment`, or any mail of the same sender until somebody repairs the `account`.
    """

    def __init__(
        self,
        reason: str,
        *,
        is_permanent: bool,
        bounce: Bounce | None = None,
        retry_after: int | None = None,
        scope: Scope = "mail",
    ) -> None:
        super().__init__(reason)
        self.reason = reason[:500]
        self.is_permanent = is_permanent
        self.bounce: Bounce | None = bounce
        self.retry_after = retry_after
        self.scope: Scope = scope


def send(mail: OutgoingMail, server: MailServer, seal: Callable[[bytes], bytes] = bytes) -> str:
    """The server's answer to the content once it has taken the mail over. `seal` is given the message as it is written.

    Raises MailRefused. A connection that breaks after the content was sent leaves open whether the server took it;
    that is reported as a temporary refusal, so the mail may arrive twice rather than never.
    """
    addresses = (parseaddr(mail.sender)[1], mail.recipient, parseaddr(mail.reply_to or "")[1])
    policy = _INTERNATIONAL if any(map(is_international, addresses)) else _SEVEN_BIT
    content = plain_lines(mail.plain_headers) + _message(mail, policy).as_bytes(policy=policy)
    return send_content(mail.return_path or mail.sender, mail.recipient, seal(content), server)


def send_content(sender: str, recipient: str, content: bytes, server: MailServer) -> str:
    """`send` for a message that is written already, its lines ending in CRLF."""
    try:
        answer = _hand_over(connected(server), _address_of(sender), recipient, content)
    except ServerUnusable as trouble:
        raise _unusable(server, trouble) from None
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error, None) from None
    except (OSError, smtplib.SMTPException) as error:
        close_connection(server)
        raise MailRefused(f"the mail server cannot be reached ({type(error).__name__})", is_permanent=False) from None
    note_use(server)
    return answer


def _unusable(server: MailServer, trouble: ServerUnusable) -> MailRefused:
    """No mail is lost to a server that cannot be used: with the platform's, it is for us to put that right."""
    if not trouble.needs_repair:
        return MailRefused(trouble.reason, is_permanent=False)
    if server.tenant_id is None:
        logger.error("the platform's mail server cannot be used", extra={"reason": trouble.reason})
        count("mail_server_refused_total")
    scope = "account" if server.tenant_id is not None else "moment"
    return MailRefused(trouble.reason, is_permanent=False, scope=scope)


def _hand_over(connection: smtplib.SMTP, sender: str, recipient: str, content: bytes) -> str:
    """One mail. The commands before the content go out together where the server takes them so (RFC 2920)."""
    sender, recipient = _checked(sender), _checked(recipient)
    options = ""
    if not (sender.isascii() and recipient.isascii() and content.partition(b"\r\n\r\n")[0].isascii()):
        if not connection.has_extn("smtputf8"):
            raise MailRefused(
                "the mail server takes no addresses with other than ASCII characters before the @ (SMTPUTF8, RFC 6531)",
                is_permanent=True,
            )
        options = " BODY=8BITMIME SMTPUTF8"
    # RSET sets it back to ASCII.
    connection.command_encoding = "utf-8"
    commands = [f"MAIL FROM:<{sender}>{options}", f"RCPT TO:<{recipient}>", "DATA"]
    refusal = (_pipelined if connection.has_extn("pipelining") else _one_by_one)(connection, commands)
    if refusal is not None:
        connection.rset()
        raise _refused(*refusal)
    connection.send(_stuffed(content))
    code, answer = connection.getreply()
    if code >= 400:
        connection.rset()
        raise _refused(code, answer, "content")
    return f"{code} {answer.decode('utf-8', 'replace')}"


def _one_by_one(connection: smtplib.SMTP, commands: Sequence[str]) -> tuple[int, bytes, Stage] | None:
    for command, stage in zip(commands, _STAGES, strict=True):
        code, answer = connection.docmd(command)
        if code >= 400:
            return code, answer, stage
    return None


def _pipelined(connection: smtplib.SMTP, commands: Sequence[str]) -> tuple[int, bytes, Stage] | None:
    connection.send("".join(command + "\r\n" for command in commands))
    answers = [connection.getreply() for _ in commands]
    refusal: tuple[int, bytes, Stage] | None = None
    for (code, answer), stage in zip(answers, _STAGES, strict=True):
        if code >= 400:
            refusal = code, answer, stage
            break
    if refusal is not None and answers[-1][0] == 354:
        # It waits for content although it has no recipient; an end at once gives it nothing to send.
        connection.send(b".\r\n")
        connection.getreply()
    return refusal


def _checked(address: str) -> str:
    if not address.isprintable() or not {"<", ">", " "}.isdisjoint(address):
        raise ValueError("the address cannot be written in a command")
    return address


def _stuffed(content: bytes) -> bytes:
    """The content as DATA takes it (RFC 5321, section 4.5.2); its lines end in CRLF already."""
    content = content.replace(b"\r\n.", b"\r\n..")
    if content.startswith(b"."):
        content = b"." + content
    return content + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")


@lru_cache(maxsize=256)
def _address_of(mailbox: str) -> str:
    return parseaddr(mailbox)[1]


def _refused(code: int, answer: bytes | str, stage: Stage | None) -> MailRefused:
    """The refusal of a stage; None stands for what comes before any mail, which says nothing about a recipient."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    if code == _AUTHENTICATION_REQUIRED:
        # It says nothing about the mail (RFC 4954, section 6).
        return MailRefused(f"{code} {text}", is_permanent=False, scope="moment")
    bounce = bounce_of(code, text, stage) if stage is not None else None
    return MailRefused(f"{code} {text}", is_permanent=code >= 500, bounce=bounce)


def _message(mail: OutgoingMail, policy: "EmailPolicy[Any]") -> EmailMessage:
    message = EmailMessage(policy=policy)
    message["Message-ID"] = mail.message_id
    message["Date"] = formatdate(usegmt=True)
    message["From"] = mail.sender
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    if mail.reply_to:
        message["Reply-To"] = mail.reply_to
    for name, value in mail.headers.items():
        message[name] = value
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    for file in mail.attachments:
        main_type, _, subtype = file.content_type.partition("/")
        message.add_attachment(file.content, maintype=main_type, subtype=subtype, filename=file.file_name)
    return message
