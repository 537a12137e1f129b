"""What a mail server's refusal says about an address: only a missing mailbox bars it."""

import pytest

from penguinmails.domain.bounces import Bounce, Stage, bounce_of

REPLIES: list[tuple[int, str, Stage, Bounce | None]] = [
    # Tried again.
    (421, "4.3.2 closing the channel", "recipient", None),
    (450, "4.2.0 greylisted, come back in five minutes", "recipient", None),
    (451, "4.7.1 please try again later", "content", None),
    (452, "4.2.2 the mailbox is full", "recipient", None),
    # No such mailbox.
    (550, "5.1.1 no such user", "recipient", "hard"),
    (550, "5.1.2 no such host", "recipient", "hard"),
    (550, "5.1.10 the domain accepts no mail (RFC 7505)", "recipient", "hard"),
    (551, "5.1.6 the mailbox has moved", "recipient", "hard"),
    (550, "5.2.1 the mailbox is disabled", "recipient", "hard"),
    (554, "5.1.1 delivery error: this user does not have an account", "content", "hard"),
    (550, "no such user here", "recipient", "hard"),
    (553, "mailbox name not allowed", "recipient", "hard"),
    # A mailbox that is there, and will not take this mail.
    (552, "5.2.2 over quota", "recipient", "soft"),
    (552, "5.3.4 message too big", "content", "soft"),
    (550, "5.7.1 message refused by policy", "recipient", "soft"),
    (550, "5.7.26 the mail is not authenticated: SPF and DKIM failed", "content", "soft"),
    (554, "5.7.1 listed by a blocklist", "recipient", "soft"),
    (554, "transaction failed", "content", "soft"),
    (550, "blocked because of spam", "recipient", "soft"),
    (550, "relaying denied", "recipient", "soft"),
    (550, "mailbox unavailable", "content", "soft"),
    (501, "5.5.4 syntax error", "recipient", "soft"),
    # The sender is refused, which says nothing about the recipient.
    (550, "5.1.1 no such sender", "sender", "soft"),
    (553, "sender address rejected", "sender", "soft"),
]


@pytest.mark.parametrize(("code", "text", "stage", "expected"), REPLIES)
def test_a_reply_bars_an_address_only_when_it_says_that_the_mailbox_is_missing(
    code: int, text: str, stage: Stage, expected: Bounce | None
) -> None:
    assert bounce_of(code, text, stage) == expected
