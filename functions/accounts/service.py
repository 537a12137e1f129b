"""The rules of accounts."""

from uuid import UUID

from accounts import repository
from accounts.repository import LinkRow
from penguinmails import clock
from penguinmails.auth.password_rules import check_password
from penguinmails.auth.passwords import hash_secret, matches
from penguinmails.auth.sessions import end_sessions
from penguinmails.auth.tokens import token_hash
from penguinmails.db import Tx, UniqueViolation, transaction
from penguinmails.domain.platform_mail import MailType, queue_mail
from penguinmails.domain.tenants import create_tenant
from penguinmails.errors import ValidationFailed
from penguinmails.ids import new_uuid4

_MAILS_PER_HOUR_WINDOW = "%Y-%m-%dT%H"


def sign_up(*, email: str, password: str, name: str, company: str) -> UUID | None:
    """Create the account and queue the verification mail; None when the address has an account, whose owner is told.

    Both cases cost one bcrypt, so that the time of the answer tells nothing either.
    """
    check_password(password, email=email)
    hashed = hash_secret(password)
    tenant_id = new_uuid4()
    try:
        with transaction(tenant_id=tenant_id, mode="live") as tx:
            user_id = create_tenant(
                tx, company=company, email=email, name=name, password_hash=hashed, plan="starter", verified=False
            )
            _queue_hourly(tx, user_id, "verify_email")
    except UniqueViolation:
        mail_owner(email, "account_exists")
        return None
    return tenant_id


def mail_owner(email: str, mail_type: MailType) -> None:
    """Send a mail to an address if it has an account (and, for verification, still needs it); at most one an hour."""
    with transaction() as tx:
        login = repository.find_login(tx, email)
    if login is None or (mail_type == "verify_email" and login.email_verified_at is not None):
        return
    with transaction(tenant_id=login.tenant_id, mode="live") as tx:
        _queue_hourly(tx, login.user_id, mail_type)


def _queue_hourly(tx: Tx, user_id: UUID, mail_type: MailType) -> None:
    hour = clock.now().strftime(_MAILS_PER_HOUR_WINDOW)
    queue_mail(tx, user_id=user_id, mail_type=mail_type, dedupe_key=f"{mail_type}:{user_id}:{hour}")


def open_link(token: str, purpose: str) -> LinkRow:
    """The link that a token belongs to. Raises ValidationFailed when it is unknown, used or too old."""
    with transaction() as tx:
        link = repository.find_link(tx, token_hash(token))
    if link is None or link.purpose != purpose or link.used_at is not None or link.expires_at <= clock.now():
        raise ValidationFailed.of("token", "is not valid any more; ask for a new mail", "expired")
    return link


def verify_email(tx: Tx, link: LinkRow) -> None:
    """Accept the proof of an address."""
    _use(tx, link)
    repository.verify_email(tx, link.user_id)


def reset_password(tx: Tx, link: LinkRow, password: str) -> None:
    """Set a new password and end every session; the mail has proved the address as well."""
    check_password(password, email=repository.email_of(tx, link.user_id))
    _use(tx, link)
    repository.set_password(tx, link.user_id, hash_secret(password))
    repository.verify_email(tx, link.user_id)
    end_sessions(tx, link.user_id, "password_reset")


def change_password(tx: Tx, *, user_id: UUID, session_id: UUID, current: str, new: str) -> None:
    """Replace the password of a signed-in user and end all other sessions."""
    if not matches(current, repository.password_hash(tx, user_id)):
        raise ValidationFailed.of("current_password", "is not your password", "wrong_password")
    check_password(new, email=repository.email_of(tx, user_id), field="new_password")
    repository.set_password(tx, user_id, hash_secret(new))
    end_sessions(tx, user_id, "password_changed", but=session_id)


def _use(tx: Tx, link: LinkRow) -> None:
    if not repository.use_link(tx, link.id):
        raise ValidationFailed.of("token", "is not valid any more; ask for a new mail", "expired")
    repository.void_links(tx, link.user_id, link.purpose)
