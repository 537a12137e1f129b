"""The rules of privacy requests."""

from datetime import datetime, timedelta
from uuid import UUID

from penguinmails import clock
from penguinmails.aws import download_link
from penguinmails.db import Tx
from penguinmails.domain.files import require_own
from penguinmails.errors import InvalidStateTransition, NotFound
from penguinmails.ids import new_uuid7
from privacy_requests import repository
from privacy_requests.repository import PrivacyRequestRow

LINK_SECONDS = 300


def create(tx: Tx, *, request_type: str, email: str, reference: str | None, created_by: UUID) -> PrivacyRequestRow:
    """Add a request, which the worker takes up within two minutes."""
    request_id = new_uuid7()
    repository.insert_request(
        tx, request_id, {"type": request_type, "email": email, "reference": reference, "created_by": created_by}
    )
    return existing(tx, request_id)


def existing(tx: Tx, request_id: UUID) -> PrivacyRequestRow:
    """A request. Raises NotFound."""
    found = repository.find_request(tx, request_id)
    if found is None:
        raise NotFound.of("privacy request", request_id)
    return found


def copy_link(tx: Tx, request_id: UUID) -> tuple[str, datetime]:
    """A link to the copy and when it ends. Raises NotFound, InvalidStateTransition when there is no copy."""
    row = existing(tx, request_id)
    if row.type != "access":
        raise InvalidStateTransition("The request is for an erasure; only one for access has a copy.")
    if row.status != "completed" or row.file_key is None or tx.tenant_id is None:
        raise InvalidStateTransition(f"The request is {row.status}; only a completed one has a copy. Make a new one.")
    url = download_link(require_own(row.file_key, tx.tenant_id), file_name="personal-data.json", seconds=LINK_SECONDS)
    return url, clock.now() + timedelta(seconds=LINK_SECONDS)
