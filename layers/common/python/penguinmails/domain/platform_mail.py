"""Mail that the platform itself sends to its users: what is queued, and what it says.

A queued mail names its type and its user only. The token of its link is made when the mail is sent, and only its hash
is stored, so no table and no queue ever holds a working link.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from penguinmails.db import Tx, jsonb
from penguinmails.events import outbox
from penguinmails.ids import new_uuid7
from penguinmails.settings import get_settings
from penguinmails.tracing import FIELD, carried

MailType = Literal[
    "verify_email",
    "reset_password",
    "account_exists",
    "key_age",
    "key_expiry",
    "key_alert",
    "second_factor_added",
    "second_factor_removed",
    "invitation",
    "staff_added",
    "account_closing",
    "webhook_warning",
    "webhook_paused",
    "webhook_exhausted",
    "domain_lost",
    "provider_refused",
    "mail_server_refused",
    "monthly_report",
]
LinkPurpose = Literal["verify_email", "reset_password"]


def queue_mail(
    tx: Tx, *, user_id: UUID, mail_type: MailType, dedupe_key: str, variables: Mapping[str, str] | None = None
) -> None:
    """Queue a mail in the transaction of its cause; a second one with the same dedupe key is not sent.

    `variables` is what its text names; never a secret.
    """
    _insert_mail(tx, mail_type, dedupe_key, variables or {}, user_id=user_id)


def owners_and_admins(tx: Tx) -> list[UUID]:
    """Who is told when something of the account is in trouble."""
    return tx.all(
        """
        SELECT id FROM users
        WHERE role IN ('owner', 'admin') AND deleted_at IS NULL AND email_verified_at IS NOT NULL ORDER BY id
        """,
        {},
    )


def tell_owners_and_admins(tx: Tx, mail_type: MailType, variables: Mapping[str, str]) -> None:
    """Queue a mail to each of them about something that has just happened; whoever calls sees that it is told once."""
    for user_id in owners_and_admins(tx):
        queue_mail(
            tx, user_id=user_id, mail_type=mail_type, dedupe_key=f"{mail_type}:{new_uuid7()}", variables=variables
        )


def queue_invitation(tx: Tx, *, invitation_id: UUID) -> None:
    """Queue the mail of an invitation, each time with a new link."""
    _insert_mail(tx, "invitation", f"invitation:{new_uuid7()}", {}, invitation_id=invitation_id)


def _insert_mail(
    tx: Tx,
    mail_type: MailType,
    dedupe_key: str,
    variables: Mapping[str, str],
    *,
    user_id: UUID | None = None,
    invitation_id: UUID | None = None,
) -> None:
    mail_id = new_uuid7()
    inserted = tx.run(
        """
        INSERT INTO mail_outbox (id, tenant_id, user_id, invitation_id, type, dedupe_key, variables, traceparent)
        VALUES (%(id)s, %(tenant_id)s, %(user_id)s, %(invitation_id)s, %(type)s, %(dedupe_key)s, %(variables)s,
                %(traceparent)s)
        ON CONFLICT (tenant_id, dedupe_key) DO NOTHING
        """,
        {
            "id": mail_id,
            "tenant_id": tx.tenant_id,
            "user_id": user_id,
            "invitation_id": invitation_id,
            "type": mail_type,
            "dedupe_key": dedupe_key,
            "variables": jsonb(dict(variables)),
            "traceparent": carried().get(FIELD),
        },
    )
    if inserted:
        outbox.enqueue(tx, "platform_mail", {"mail_id": mail_id})


@dataclass(frozen=True, slots=True)
class MailText:
    """Subject and plain text of a mail."""

    subject: str
    text: str


def compose(mail_type: MailType, *, name: str, token: str | None, variables: Mapping[str, str]) -> MailText:
    """The words of a mail; `token` is put into the link's fragment, which browsers never send to a server."""
    base = get_settings().public_url
    if mail_type in _WITH_LINK:
        subject, text = _WITH_LINK[mail_type]
        return MailText(subject, text.format(**variables, name=name, base=base, token=token))
    if mail_type in _NOTICES:
        subject, text = _NOTICES[mail_type]
        return MailText(subject, f"Hello {name},\n\n{text}If this was not you, choose a new password at {base} now.\n")
    if mail_type in _ABOUT_KEYS:
        subject, text = _ABOUT_KEYS[mail_type]
        key = "{key_name} ({masked_key})".format_map(variables)
        return MailText(subject, f"Hello {name},\n\n" + text.format(**variables, key=key, base=base))
    if mail_type in _NOTES:
        subject, text = _NOTES[mail_type]
        return MailText(subject.format(**variables), f"Hello {name},\n\n" + text.format(**variables, base=base))
    return MailText(
        "You already have an account",
        f"Hello {name},\n\nsomebody, probably you, tried to sign up with this address, but it has an account already. "
        f"Sign in at {base}, or ask there for a new password.\n",
    )


_WITH_LINK: dict[str, tuple[str, str]] = {
    "verify_email": (
        "Confirm your e-mail address",
        "Hello {name},\n\nplease confirm your e-mail address:\n\n{base}/verify-email#token={token}\n\n"
        "The link works once, within 24 hours. If you did not sign up, ignore this mail.\n",
    ),
    "reset_password": (
        "Choose a new password",
        "Hello {name},\n\nchoose a new password here:\n\n{base}/reset-password#token={token}\n\n"
        "The link works once, within one hour. If you did not ask for it, ignore this mail: nothing has changed.\n",
    ),
    "invitation": (
        "You are invited",
        "Hello,\n\n{inviter} invites you to {company} on PenguinMails:\n\n"
        "{base}/accept-invitation#token={token}\n\n"
        "The link works once, within seven days. If you do not know them, ignore this mail.\n",
    ),
    "staff_added": (
        "You have joined the staff of PenguinMails",
        "Hello {name},\n\nchoose a password here:\n\n{base}/reset-password#token={token}\n\n"
        "The link works once, within 24 hours; later, ask for a new password at the sign-in page. Then sign in and set "
        "up an authenticator app: without a second factor nothing else works.\n",
    ),
}
_ABOUT_KEYS: dict[str, tuple[str, str]] = {
    "key_age": (
        "An API key is due for renewal",
        "the API key {key} has had the same secret since {since}. Replacing a key from time to time limits what a lost "
        "one can do: make a new secret at {base}/api-keys, and put it where the old one is used. This is advice; the "
        "key goes on working.\n",
    ),
    "key_expiry": (
        "An API key is about to expire",
        "the API key {key} stops working on {expires_at} (UTC). Move its expiry at {base}/api-keys, or make a new key "
        "and switch to it before then.\n",
    ),
    "key_alert": (
        "Many requests of an API key fail",
        "in the last five minutes the API key {key} made {requests} requests; {errors} of them failed, {limited} were "
        "refused because of the rate limit. See which at {base}/api-keys. If these calls are not yours, revoke the "
        "key.\n",
    ),
}
_NOTES: dict[str, tuple[str, str]] = {
    "account_closing": (
        "Your account is going to be closed",
        "an owner of your account has closed it. Nothing is sent any more, and on {closes_at} (UTC) everything in it is "
        "erased for good. Until then you can export your data, or keep the account, at {base}.\n",
    ),
    "webhook_warning": (
        "A webhook keeps failing",
        "the last {failures} posts to the webhook {webhook} have failed; that is {percent} % of the way to where it is "
        "switched off. What its endpoint answered is in the delivery log: {base}/webhooks.\n",
    ),
    "webhook_paused": (
        "A webhook was switched off",
        "the webhook {webhook} was switched off after {failures} failed posts in a row. Its events are held for 30 days "
        "and nothing is lost: repair the endpoint, then resume the webhook at {base}/webhooks. The first post decides "
        "whether the others follow.\n",
    ),
    "domain_lost": (
        "A domain is no longer verified",
        "DNS no longer has what proves that {domain} is yours ({reason}), so nothing is sent from it. {campaigns} campaigns "
        "that send from it were stopped. Publish the records that {base}/domains lists; the domain is checked every hour. "
        "Then start the campaigns again.\n",
    ),
    "provider_refused": (
        "A campaign was stopped: {provider} takes no mail",
        "{provider} takes no mail of the campaign {campaign} any more; it says: {reason}. The campaign was stopped and nothing "
        "of it is lost: put right at {provider} what it names, or set the account up anew at {base}/providers. Then start the "
        "campaign again.\n",
    ),
    "mail_server_refused": (
        "Your mail server takes no mail",
        "your account's own mail server {host} takes no mail: {reason}. Nothing is lost: single mails wait for up to three "
        "days, campaigns that send by it are stopped. We look after this server and know of it; once it works again, start "
        "the campaigns again. {base}/providers shows its state.\n",
    ),
    "monthly_report": (
        "The platform's figures of {month}",
        "this is what was measured in {month} (UTC):\n\n{figures}\n"
        "How each is counted, and those of other months: GET {base}/api/v1/admin/metrics?month={month}.\n",
    ),
    "webhook_exhausted": (
        "A webhook delivery was given up",
        "a delivery to the webhook {webhook} has failed for the last time; its last {failures} posts have failed. Look at "
        "the delivery log, and try failed deliveries again there: {base}/webhooks. We write about this webhook once a "
        "day at most.\n",
    ),
}
_NOTICES: dict[str, tuple[str, str]] = {
    "second_factor_added": (
        "Your account asks for a code now",
        "from now on signing in asks for a code of the authenticator app that you have just set up. Keep the recovery "
        "codes where you find them without your phone.\n\n",
    ),
    "second_factor_removed": (
        "Your account no longer asks for a code",
        "the second factor of your account was removed; the password alone signs you in.\n\n",
    ),
}
