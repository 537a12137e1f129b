"""Handing a mail to the mail server: what single mails and those of campaigns have in common."""

from collections.abc import Callable
from uuid import UUID

from penguinmails.smtp import MailRefused

DELAYS_SECONDS = (60, 300, 900, 3_600, 14_400)
"""How long to wait after each temporary refusal; the one after the last is final."""
MAX_ATTEMPTS = len(DELAYS_SECONDS) + 1
LEASE_SECONDS = 300
"""Longer than any exchange with the mail server; then the sweep gives the email to another worker."""
SUPPRESSED = "the recipient was suppressed after the email was queued"


def message_id(email_id: UUID) -> str:
    """The same on every attempt, so that a receiver recognises a repetition."""
    return f"<{email_id.hex}@penguinmails.com>"


def attempt(attempts: int, hand_over: Callable[[], object]) -> MailRefused | None:
    """Make one attempt, which counts in `attempts`; the refusal, or None when the mail was taken over."""
    if attempts > MAX_ATTEMPTS:
        return MailRefused("every attempt ended without an outcome", is_permanent=True)
    try:
        hand_over()
    except MailRefused as refusal:
        return refusal
    except ValueError as error:  # the standard library could not write the message, and never will
        return MailRefused(f"the message cannot be written: {error}", is_permanent=True)
    return None
