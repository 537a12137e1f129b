"""What the mail providers' sandboxes have taken, and how addresses make them act up.

In the part of a recipient before the @: `invalid` and `inactive` are refused, `toofast` gets 429, `outage` 503; `bounce`,
`softbounce` and `complain` are taken and then reported so; every other mail is reported as delivered. A sender with
`unconfirmed` before the @ is none that the account has confirmed.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

API_KEY_PREFIX = "sandbox-"
"""Every key that begins so is one of a customer of the sandbox."""
Fate = Literal["delivered", "bounce", "softbounce", "complain"]
_FATES: tuple[Fate, ...] = ("softbounce", "bounce", "complain")


@dataclass(frozen=True, slots=True)
class SentMail:
    """One mail as it was taken; `variables` is what the sender wants back with every report."""

    provider: Literal["postmark", "mailgun"]
    id: str
    api_key: str
    recipient: str
    sender: str
    subject: str
    text: str
    html: str | None
    headers: dict[str, str]
    variables: dict[str, str]
    attachments: list[tuple[str, str, bytes]]
    stream: str | None = None
    """Postmark's message stream."""

    @property
    def fate(self) -> Fate:
        """What becomes of it."""
        name = self.recipient.partition("@")[0]
        return next((fate for fate in _FATES if fate in name), "delivered")


@dataclass(frozen=True, slots=True)
class Hook:
    """Where an account wants its reports posted; Postmark sends `user` and `password` along."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass
class SentMails:
    """The memory of the sandboxes; several threads may look at it."""

    mails: deque[SentMail] = field(default_factory=lambda: deque(maxlen=5_000))
    hooks: dict[str, list[Hook]] = field(default_factory=dict[str, list[Hook]])
    reports: deque[tuple[str, dict[str, Any]]] = field(default_factory=lambda: deque(maxlen=5_000))
    """URL and body of what was reported."""
    requests: deque[int] = field(default_factory=lambda: deque(maxlen=5_000))
    """How many mails each request held."""
    revoked: set[str] = field(default_factory=set[str])
    """Keys that are taken no more."""
    _lock: Any = field(default_factory=threading.Lock)

    def add(self, mail: SentMail) -> None:
        """Keep a mail."""
        with self._lock:
            self.mails.append(mail)

    def of(self, provider: str, api_key: str) -> list[SentMail]:
        """Mails of an account, oldest first."""
        with self._lock:
            return [mail for mail in self.mails if (mail.provider, mail.api_key) == (provider, api_key)]

    def to(self, recipient: str) -> list[SentMail]:
        """Mails to an address, oldest first."""
        with self._lock:
            return [mail for mail in self.mails if mail.recipient == recipient]
