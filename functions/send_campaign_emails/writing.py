"""A mail of a campaign as its recipient gets it, and what an attempt to hand it over came to."""

from dataclasses import dataclass
from uuid import UUID

from penguinmails.db import Mode
from penguinmails.domain import campaign_texts
from penguinmails.domain.mail_addresses import on_the_wire
from penguinmails.domain.outgoing import Dressed, dress
from penguinmails.domain.rendering import MissingVariable, TemplateFault
from penguinmails.domain.sending import DELAYS_SECONDS, MAX_ATTEMPTS, message_id
from penguinmails.domain.tracking_links import TrackedMail
from penguinmails.mime import OutgoingMail
from penguinmails.smtp import MailRefused
from send_campaign_emails.repository import PARKED_SECONDS, Claim, Content, Outcome

_BREATH_SECONDS = 60
"""How long a provider is left alone that takes nothing at this moment and does not say for how long."""


@dataclass(frozen=True, slots=True)
class Written:
    """A mail ready to be handed over; `recipient` is the address as the mail carries it."""

    claim: Claim
    recipient: str
    dressed: Dressed

    def outgoing(self) -> OutgoingMail:
        """The mail as a server or provider is given it."""
        return OutgoingMail(
            message_id=message_id(self.claim.id),
            sender=self.claim.from_email,
            recipient=self.recipient,
            subject=self.claim.subject,
            text=self.dressed.text,
            html=self.dressed.html,
            reply_to=self.claim.reply_to,
            plain_headers=self.dressed.headers,
        )


def write(tenant_id: UUID, mode: Mode, claim: Claim, content: Content | None) -> Written:
    """Fill the texts with the contact's fields. Raises ValueError when they cannot be, or are kept no more."""
    if content is None:
        raise ValueError("its text is older than the two years for which texts are kept")
    values = claim.values()
    try:
        html = content.content_html and campaign_texts.fill(content.content_html, values, is_html=True)
        text = campaign_texts.filled_text(content.content_text, html, values)
    except MissingVariable as missing:
        raise ValueError(f"the contact has no {missing.name} any more") from None
    except TemplateFault as fault:
        raise ValueError(fault.message) from None
    mail = TrackedMail(tenant_id, mode, claim.id)
    dressed = dress(mail, text=text, html=html, following=claim.following())
    return Written(claim, on_the_wire(claim.to_email), dressed)


def outcome_of(claim: Claim, refusal: MailRefused | None, *, message_id: str | None = None) -> Outcome:
    """What an attempt came to. What is refused to all mails costs this one no attempt."""
    if refusal is None:
        return Outcome(claim, "sent", message_id=message_id)
    if refusal.scope == "account":
        return Outcome(claim, "untried", refusal.reason, PARKED_SECONDS, blocks_campaign=True)
    if refusal.scope == "moment":
        return Outcome(claim, "untried", refusal.reason, refusal.retry_after or _BREATH_SECONDS)
    if refusal.bounce is not None:
        return Outcome(claim, "bounced", refusal.reason, bounce=refusal.bounce)
    if refusal.is_permanent or claim.attempts >= MAX_ATTEMPTS:
        return Outcome(claim, "failed", refusal.reason)
    return Outcome(claim, "queued", refusal.reason, DELAYS_SECONDS[claim.attempts - 1])
