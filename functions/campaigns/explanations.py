"""Why a recipient got a mail, did not, or waits: in one sentence that says what would change it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from campaigns.recipient_rows import MailRow, RecipientRow

SENTENCES = {
    # They came to the end, or left.
    "completed": "They came to the end of the campaign: every mail that was meant for them was sent.",
    "unsubscribed": "The contact has opted out, so no mail of the campaign is sent to them any more.",
    "bounced": "Mail to the contact's address bounced, so no further mail is sent to it.",
    "bounced_with_answer": "Mail to the contact's address bounced, so no further mail is sent to it. The mail server said: "
    "{error}.",
    "suppressed": "The address stands on a suppression list, so it is not written to.",
    "address_unsupported": "Postmark takes no address with characters beyond ASCII before the @. Send to it by another "
    "provider.",
    "replied": "The contact answered, and the campaign's pause_on_reply is on.",
    "failed": "The mail server refused the mail for good: {error}.",
    "cancelled": "The mail was taken back before it was sent.",
    "campaign_ended": "The campaign's end_date came before the next mail.",
    "exit_step": "A step of the campaign ends the journey here.",
    "step_removed": "The step that they stood at is no longer part of the campaign.",
    "sent_before": "They had got the mail of this step before.",
    "text_unusable": "The text of the mail cannot be filled in with the contact's fields. Try it with the preview.",
    "missing_field": "The mail's text needs {name}, which the contact does not have. Give the text a default, or fill the field.",
    "left": "They left the campaign.",
    # The campaign does not send.
    "domain_lost": "The campaign was stopped when the domain of its sender was verified no more. Verify the domain again, then "
    "start the campaign, and they go on where they stand.",
    "provider_refused": "The campaign was stopped when its provider took no mail any more: {detail}. Put right what it names, "
    "then start the campaign, and they go on where they stand.",
    "paused": "The campaign is paused. Start it again, and they go on where they stand.",
    "not_active": "The campaign is {status}; they get its first mail once it is active.",
    # Their mail is on its way.
    "prepared": "Their next mail is being prepared.",
    "mail_state": "The mail of step {step} is {status}.",
    "mail_sending": "The mail of step {step} is being handed to the mail server.",
    "mail_refused": "The mail of step {step} is {status}. The mail server refused it for now ({error}); it is tried again at "
    "{until}.",
    "mail_pace": "The mail of step {step} waits: pace. So many mails are to leave that the plan's emails per second are taken "
    "until then; it goes on at {until}.",
    "mail_window": "The mail of step {step} is queued. It leaves once the sending window opens, at {until}.",
    "mail_daily_limit": "The mail of step {step} is queued. It waits for tomorrow: the sending mailbox has used up the "
    "campaign's daily limit.",
    # A step lets them wait.
    "awaiting_test": "They take no part in the A/B test, and get the version that has won it by {until}.",
    "best_time": "They get the mail of step {step} at {until}, the time of day at which they last opened one.",
    "waiting": "A step of the campaign lets them wait until {until}; then step {step} follows.",
    # They are next.
    "window": "They are next, and wait for the sending window, which opens at {until}.",
    "daily_limit": "They are next, and wait for tomorrow: the sending mailbox has used up the campaign's daily limit.",
    "month": "They are next, and wait for the next calendar month (UTC), or for a larger plan: the plan's emails are used up.",
    "pace": "They are next, and wait: pace. So many mails are to leave that the plan's emails per second are taken; it goes on "
    "at {until}.",
    "next": "They are next: the planner takes recipients up each minute, those who wait longest first.",
}
"""Every explanation that there is, by its code."""
_MAIL_RESTS = timedelta(minutes=5)
"""A mail that nobody looks at for longer is not on its way to a worker."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps the whole campaign from sending at this moment, and until when if that is known."""

    code: Literal["daily_limit", "month", "pace"]
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a recipient stands where they do: code, sentence, and until when their mail waits for the pace."""

    code: str
    sentence: str
    paced_until: datetime | None = None


def shown_status(row: RecipientRow) -> str:
    """The state of a recipient; open ones of a paused campaign are paused."""
    return "paused" if row.campaign_status == "paused" and row.finished_at is None else row.status


def explain(
    row: RecipientRow, mails: list[MailRow], *, now: datetime, opening: datetime, obstacle: Obstacle | None
) -> Explanation:
    """The explanation; `opening` is when the sending window opens next, or now while it is open."""
    if row.status == "completed":
        return _say("completed")
    if row.status == "exited":
        return _left(row, mails)
    if row.campaign_status != "active":
        return _at_rest(row)
    if row.next_email_at is None:
        return _in_flight(mails, now=now, opening=opening, obstacle=obstacle)
    if row.next_email_at > now:
        code = row.reason if row.reason in {"awaiting_test", "best_time"} else "waiting"
        return _say(code, until=row.next_email_at, step=row.step)
    return _next(now, opening, obstacle)


def _at_rest(row: RecipientRow) -> Explanation:
    if row.paused_reason in {"domain_lost", "provider_refused"}:
        return _say(row.paused_reason, detail=row.paused_detail)
    return _say("paused" if row.campaign_status == "paused" else "not_active", status=row.campaign_status)


def _next(now: datetime, opening: datetime, obstacle: Obstacle | None) -> Explanation:
    if opening > now:
        return _say("window", until=opening)
    return _say(obstacle.code, until=obstacle.until) if obstacle is not None else _say("next")


def _left(row: RecipientRow, mails: list[MailRow]) -> Explanation:
    code, _, name = (row.reason or "").partition(":")
    error = next((mail.error for mail in reversed(mails) if mail.error), None)
    if code == "bounced" and error is not None:
        code = "bounced_with_answer"
    return _say(code if code in SENTENCES else "left", name=name, error=error or "no reason was given")


def _in_flight(mails: list[MailRow], *, now: datetime, opening: datetime, obstacle: Obstacle | None) -> Explanation:
    if not mails:
        return _say("prepared")
    mail = mails[-1]
    step, status = mail.step, mail.status
    if mail.error is not None and mail.next_sweep_at is not None:
        return _say("mail_refused", step=step, status=status, error=mail.error, until=mail.next_sweep_at)
    if status == "queued":
        if mail.paced_until is not None and mail.paced_until > now:
            return _say("mail_pace", step=step, until=mail.paced_until, paced_until=mail.paced_until)
        if opening > now:
            return _say("mail_window", step=step, until=opening)
        is_at_rest = mail.next_sweep_at is not None and mail.next_sweep_at > now + _MAIL_RESTS
        if is_at_rest and obstacle is not None and obstacle.code == "daily_limit":
            return _say("mail_daily_limit", step=step)
    return _say("mail_sending" if status == "sending" else "mail_state", step=step, status=status)


def _say(
    code: str, *, until: datetime | None = None, paced_until: datetime | None = None, **values: object
) -> Explanation:
    moment = until.isoformat(timespec="seconds").replace("+00:00", "Z") if until is not None else ""
    return Explanation(code, SENTENCES[code].format(**values, until=moment), paced_until)
