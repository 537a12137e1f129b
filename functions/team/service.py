"""The rules of the team: who may give which role to whom, and how people come and go."""

from datetime import timedelta
from uuid import UUID

from penguinmails import clock
from penguinmails.auth.password_rules import check_password
from penguinmails.auth.passwords import hash_secret
from penguinmails.auth.principal import UserPrincipal
from penguinmails.auth.second_factors import forget_recovery_codes
from penguinmails.auth.sessions import end_sessions
from penguinmails.auth.tokens import token_hash
from penguinmails.db import Tx, UniqueViolation, transaction
from penguinmails.domain.platform_mail import queue_invitation
from penguinmails.domain.tenants import add_user
from penguinmails.errors import Conflict, InsufficientPermissions, InvalidStateTransition, NotFound, ValidationFailed
from penguinmails.ids import new_uuid7
from team import repository
from team.repository import InvitationRow, MailedInvitation, MemberRow

INVITATION_LIFETIME = timedelta(days=7)
_RANK = {"member": 0, "developer": 1, "admin": 2, "owner": 3}


def change_role(tx: Tx, user: UserPrincipal, member_id: UUID, role: str) -> MemberRow:
    """Give a member another role; it holds on their next request."""
    repository.lock_people(tx)
    member = _member_below(tx, user, member_id)
    _refuse_role_above(user, role)
    if member.role == "owner" and role != "owner":
        _keep_an_owner(tx)
    repository.set_role(tx, member_id, role)
    return _existing_member(tx, member_id)


def remove_member(tx: Tx, user: UserPrincipal, member_id: UUID) -> int:
    """Take a person out of the account; sessions end at once. The number of their API keys that go on working."""
    repository.lock_people(tx)
    member = _member_below(tx, user, member_id)
    if member.role == "owner":
        _keep_an_owner(tx)
    end_sessions(tx, member_id, "removed")
    forget_recovery_codes(tx, member_id)
    repository.remove_member(tx, member_id)
    return repository.count_active_keys(tx, member_id)


def invite(tx: Tx, user: UserPrincipal, *, email: str, role: str) -> InvitationRow:
    """Queue the mail that invites somebody. Whether the address has an account elsewhere is not told."""
    _refuse_role_above(user, role)
    if repository.is_member(tx, email):
        raise Conflict("This address belongs to a member already. Change their role instead.")
    repository.close_expired(tx, email)
    invitation_id, expires_at = new_uuid7(), clock.now() + INVITATION_LIFETIME
    try:
        with tx.savepoint():
            repository.insert_invitation(
                tx,
                {
                    "id": invitation_id,
                    "tenant_id": tx.tenant_id,
                    "email": email,
                    "role": role,
                    "invited_by": user.user_id,
                    "expires_at": expires_at,
                },
            )
    except UniqueViolation:
        raise Conflict("An invitation for this address is open. Send it again, or revoke it first.") from None
    queue_invitation(tx, invitation_id=invitation_id)
    return _existing_invitation(tx, invitation_id)


def resend(tx: Tx, user: UserPrincipal, invitation_id: UUID) -> InvitationRow:
    """Mail an invitation again, with a new link and seven more days."""
    row = _existing_invitation(tx, invitation_id)
    _refuse_role_above(user, row.role)
    if row.status not in ("open", "expired"):
        raise InvalidStateTransition(f"The invitation was {row.status}. Invite the address anew.")
    repository.renew_invitation(tx, invitation_id, clock.now() + INVITATION_LIFETIME)
    queue_invitation(tx, invitation_id=invitation_id)
    return _existing_invitation(tx, invitation_id)


def revoke(tx: Tx, invitation_id: UUID) -> InvitationRow:
    """End an open invitation; its link stops working."""
    row = _existing_invitation(tx, invitation_id)
    if row.status in ("accepted", "revoked"):
        raise InvalidStateTransition(f"The invitation was {row.status} already.")
    repository.revoke_invitation(tx, invitation_id)
    return _existing_invitation(tx, invitation_id)


def open_invitation(token: str) -> MailedInvitation:
    """The invitation that a mailed token belongs to. Raises ValidationFailed when it is worth nothing."""
    with transaction() as tx:
        found = repository.find_mailed_invitation(tx, token_hash(token))
    if found is None or found.accepted_at or found.revoked_at or found.expires_at <= clock.now():
        raise _worthless()
    return found


def accept(tx: Tx, invitation: MailedInvitation, *, name: str, password_hash: str) -> UUID:
    """Make the invited person a member; the mail has proved the address. The new user's id."""
    if not repository.accept_invitation(tx, invitation.id):
        raise _worthless()
    try:
        with tx.savepoint():
            return add_user(
                tx, email=invitation.email, name=name, role=invitation.role, password_hash=password_hash, verified=True
            )
    except UniqueViolation:
        raise Conflict(
            "This address signs in to another account already. Ask to be invited with another address."
        ) from None


def hash_password(password: str, *, email: str) -> str:
    """Check a new password by the rules and hash it."""
    check_password(password, email=email)
    return hash_secret(password)


def _existing_member(tx: Tx, member_id: UUID) -> MemberRow:
    row = repository.find_member(tx, member_id)
    if row is None:
        raise NotFound.of("member", member_id)
    return row


def _existing_invitation(tx: Tx, invitation_id: UUID) -> InvitationRow:
    row = repository.find_invitation(tx, invitation_id)
    if row is None:
        raise NotFound.of("invitation", invitation_id)
    return row


def _member_below(tx: Tx, user: UserPrincipal, member_id: UUID) -> MemberRow:
    member = _existing_member(tx, member_id)
    if _RANK[member.role] > _RANK[user.role]:
        raise InsufficientPermissions(f"Only an owner may change an owner; your role is {user.role}.")
    return member


def _refuse_role_above(user: UserPrincipal, role: str) -> None:
    if _RANK[role] > _RANK[user.role]:
        raise InsufficientPermissions(f"Your role is {user.role}; only an owner may make somebody an {role}.")


def _keep_an_owner(tx: Tx) -> None:
    if repository.count_owners(tx) == 1:
        raise Conflict("This is the only owner. Make somebody else an owner first.")


def _worthless() -> ValidationFailed:
    return ValidationFailed.of("token", "is not valid any more; ask whoever invited you for a new mail", "expired")
