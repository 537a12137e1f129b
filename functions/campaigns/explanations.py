"""Why a recipient got a mail, did not, or waits: in one sentence that says what would change it."""

from datetime import datetime
from typing import Literal

from campaigns.recipient_rows import MailRow, RecipientRow

Obstacle = Literal["daily_limit", "month"]
_OBSTACLES: dict[Obstacle, str] = {
    "daily_limit": "They are next, and wait for tomorrow: the sending mailbox has used up the campaign's daily limit.",
    "month": "They are next, and wait for the next calendar month (UTC), or for a larger plan: the plan's emails are used up.",
}
_LEFT = {
    "unsubscribed": "The contact has opted out, so no mail of the campaign is sent to them any more.",
    "bounced": "Mail to the contact's address bounced, so no further mail is sent to it.",
    "suppressed": "The address stands on a suppression list, so it is not written to.",
    "replied": "The contact answered, and the campaign's pause_on_reply is on.",
    "failed": "The mail server refused the mail for good: {error}.",
    "cancelled": "The mail was taken back before it was sent.",
    "campaign_ended": "The campaign's end_date came before the next mail.",
    "exit_step": "A step of the campaign ends the journey here.",
    "step_removed": "The step that they stood at is no longer part of the campaign.",
    "sent_before": "They had got the mail of this step before.",
    "text_unusable": "The text of the mail cannot be filled in with the contact's fields. Try it with the preview.",
}
_IN_FLIGHT = {
    "queued": "The mail of step {step} is queued.",
    "sending": "The mail of step {step} is being handed to the mail server.",
}


def shown_status(row: RecipientRow) -> str:
    """The state of a recipient; open ones of a paused campaign are paused."""
    return "paused" if row.campaign_status == "paused" and row.finished_at is None else row.status


def explain(
    row: RecipientRow, mails: list[MailRow], *, now: datetime, opening: datetime, obstacle: Obstacle | None
) -> str:
    """The explanation; `opening` is when the sending window opens next, or now while it is open."""
    if row.status == "completed":
        return "They came to the end of the campaign: every mail that was meant for them was sent."
    if row.status == "exited":
        return _left(row, mails)
    if row.campaign_status != "active":
        return _before_or_between(row)
    if row.next_email_at is None:
        return _in_flight(mails, now=now, opening=opening)
    if row.next_email_at > now:
        return _waiting(row)
    return _next(now, opening, obstacle)


def _before_or_between(row: RecipientRow) -> str:
    if row.paused_reason == "domain_lost":
        return (
            "The campaign was stopped when the domain of its sender was verified no more. Verify the domain again, then "
            "start the campaign, and they go on where they stand."
        )
    if row.paused_reason == "provider_refused":
        return (
            f"The campaign was stopped when its provider took no mail any more: {row.paused_detail}. Put right what it names, "
            "then start the campaign, and they go on where they stand."
        )
    if row.campaign_status == "paused":
        return "The campaign is paused. Start it again, and they go on where they stand."
    return f"The campaign is {row.campaign_status}; they get its first mail once it is active."


def _next(now: datetime, opening: datetime, obstacle: Obstacle | None) -> str:
    if opening > now:
        return f"They are next, and wait for the sending window, which opens at {_time(opening)}."
    if obstacle is not None:
        return _OBSTACLES[obstacle]
    return "They are next: the planner takes recipients up each minute, those who wait longest first."


def _left(row: RecipientRow, mails: list[MailRow]) -> str:
    code, _, name = (row.reason or "").partition(":")
    if code == "missing_field":
        return f"The mail's text needs {name}, which the contact does not have. Give the text a default, or fill the field."
    error = next((mail.error for mail in reversed(mails) if mail.error), None)
    said = _LEFT.get(code, "They left the campaign.").format(error=error or "no reason was given")
    return f"{said} The mail server said: {error}." if code == "bounced" and error else said


def _in_flight(mails: list[MailRow], *, now: datetime, opening: datetime) -> str:
    if not mails:
        return "Their next mail is being prepared."
    mail = mails[-1]
    said = _IN_FLIGHT.get(mail.status, "The mail of step {step} is {status}.").format(
        step=mail.step, status=mail.status
    )
    if mail.error is not None and mail.next_sweep_at is not None:
        return f"{said} The mail server refused it for now ({mail.error}); it is tried again at {_time(mail.next_sweep_at)}."
    if mail.status == "queued" and opening > now:
        return f"{said} It leaves once the sending window opens, at {_time(opening)}."
    return said


def _waiting(row: RecipientRow) -> str:
    until = _time(row.next_email_at) if row.next_email_at else ""
    if row.reason == "awaiting_test":
        return f"They take no part in the A/B test, and get the version that has won it by {until}."
    if row.reason == "best_time":
        return f"They get the mail of step {row.step} at {until}, the time of day at which they last opened one."
    return f"A step of the campaign lets them wait until {until}; then step {row.step} follows."


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
