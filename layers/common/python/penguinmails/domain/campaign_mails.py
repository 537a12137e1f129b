"""Mails of campaigns between the planner, which stores them in batches, and the workers that send them so."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

MAILS_PER_MESSAGE = 100
"""Most mails that one worker takes on together. When it is killed, as many may be sent a second time."""


def message(mails: Sequence[tuple[UUID, int]]) -> dict[str, Any]:
    """The queue message that asks for one attempt for each mail, the one after so many others."""
    return {"emails": [[email_id.hex, attempts] for email_id, attempts in mails]}


def messages(mails: Sequence[tuple[UUID, int]], size: int = MAILS_PER_MESSAGE) -> list[dict[str, Any]]:
    """As few queue messages as the mails fit in, with up to `size` in each."""
    return [message(mails[start : start + size]) for start in range(0, len(mails), size)]
