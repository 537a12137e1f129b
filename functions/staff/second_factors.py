"""Helps somebody back in who has lost both their phone and their recovery codes."""

from penguinmails.auth.principal import StaffPrincipal
from penguinmails.auth.sessions import end_sessions
from penguinmails.db import Tx
from penguinmails.domain.second_factors import remove_second_factor
from penguinmails.errors import Conflict, InvalidStateTransition, NotFound
from staff import repository
from staff.repository import PersonRow


def find_person(tx: Tx, email: str) -> PersonRow:
    """Whom an address signs in. Raises NotFound."""
    person = repository.find_person(tx, email)
    if person is None:
        raise NotFound("Nobody signs in with this address. Check its spelling.")
    return person


def reset(tx: Tx, staff: StaffPrincipal, person: PersonRow) -> None:
    """Take a person's second factor away and end their sessions; they are told by mail. `tx` is inside their account."""
    if person.id == staff.user_id:
        raise Conflict("Nobody resets their own second factor. Remove it with a code, or ask another super admin.")
    if not remove_second_factor(tx, tenant_id=person.tenant_id, user_id=person.id):
        raise InvalidStateTransition("This person has no second factor; the password alone signs them in.")
    end_sessions(tx, person.id, "second_factor_reset")
