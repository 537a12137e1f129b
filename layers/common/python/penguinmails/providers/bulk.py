"""Requests for many mails, some at once: what Mailgun's mails and questions about mails that were tried have in common."""

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from penguinmails.mime import OutgoingMail
from penguinmails.providers.http import CONNECTIONS
from penguinmails.smtp import MailRefused


def each(
    mails: Sequence[tuple[OutgoingMail, UUID]], request: Callable[[OutgoingMail, UUID], str], until: float
) -> list[str | MailRefused | None]:
    """For each mail the answer or the refusal; None for what was not begun.

    Nothing is begun after the moment `until` of the monotonic clock, or after a refusal that all mails would get.
    """
    from concurrent.futures import ThreadPoolExecutor
    from threading import Event

    is_over = Event()

    def one(pair: tuple[OutgoingMail, UUID]) -> str | MailRefused | None:
        if is_over.is_set() or time.monotonic() > until:
            return None
        try:
            return request(*pair)
        except MailRefused as refusal:
            if refusal.scope != "mail":
                is_over.set()
            return refusal

    if not mails:
        return []
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        return list(threads.map(one, mails))
