"""What a mail server's final refusal says: that the mailbox does not exist (hard), or anything else (soft).

Reply codes: RFC 5321, section 4.2. Enhanced status codes: RFC 3463 and the IANA registry that it founded.
"""

import re
from typing import Literal

Bounce = Literal["hard", "soft"]
Stage = Literal["sender", "recipient", "content"]
"""Which part of the exchange was refused: MAIL FROM, RCPT TO, or the message itself."""

_ENHANCED = re.compile(r"\b5\.(\d{1,3})\.(\d{1,3})\b")
_NO_SUCH_MAILBOX = {(1, 0), (1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1)}
_ABOUT_THE_MAILBOX = {550, 551, 553}
_POLICY = re.compile(
    r"spam|block|blacklist|denied|policy|reputation|dmarc|\bspf\b|dkim|relay|authenti|rate|limit|quota|full|too (?:large|big)",
    re.IGNORECASE,
)


def bounce_of(code: int, text: str, stage: Stage) -> Bounce | None:
    """What a reply means for the address; None for a temporary refusal (4xx), which is tried again.

    Only a hard bounce may bar an address for good, so whatever is not clearly about the mailbox is soft: policy, size,
    a full mailbox, or a refusal of the sender.
    """
    if code < 500:
        return None
    if stage == "sender":
        return "soft"
    enhanced = _ENHANCED.search(text)
    if enhanced is not None:
        return "hard" if (int(enhanced[1]), int(enhanced[2])) in _NO_SUCH_MAILBOX else "soft"
    is_about_the_mailbox = stage == "recipient" and code in _ABOUT_THE_MAILBOX
    return "hard" if is_about_the_mailbox and not _POLICY.search(text) else "soft"
