"""A webhook's record in Vault: its signing secret, the one before for a while, and the values of its own headers.

PostgreSQL says which version of the record holds, so a change whose transaction fails after the write changes nothing.
"""

from datetime import timedelta
from typing import Any

from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain.secret_rotations import rotation
from penguinmails.domain.webhook_signature import new_secret
from penguinmails.errors import Conflict
from penguinmails.vault import read_secret, write_secret
from webhooks import repository
from webhooks.repository import WebhookRow


def rotate(tx: Tx, row: WebhookRow, *, overlap_hours: int) -> str:
    """Make a new secret and return it; for the overlap posts are signed with both, the new one first."""
    record, newest = _read(row)
    until = clock.now() + timedelta(hours=overlap_hours) if overlap_hours else None
    secret = new_secret()
    changed: dict[str, Any] = {"secret": secret, "headers": record.get("headers", {})}
    if until is not None:
        changed |= {"previous": record["secret"], "previous_until": until.isoformat()}
    with rotation(tx, "webhook"):
        version = write_secret(row.secret_ref, changed, expected_version=newest)
    repository.keep_secret(tx, row.id, version=version, last3=secret[-3:], previous_until=until)
    return secret


def replace_headers(tx: Tx, row: WebhookRow, headers: dict[str, str]) -> None:
    """Send these headers from now on; none when it is empty."""
    record, newest = _read(row)
    version = write_secret(row.secret_ref, {**record, "headers": headers}, expected_version=newest)
    repository.keep_headers(tx, row.id, version=version, names=sorted(headers))


def _read(row: WebhookRow) -> tuple[dict[str, Any], int]:
    """The record that holds, and the number of the newest version, which a failed change may have left."""
    newest = read_secret(row.secret_ref)
    held = (
        newest
        if newest and newest.version == row.secret_version
        else read_secret(row.secret_ref, version=row.secret_version)
    )
    if newest is None or held is None:
        raise Conflict("The webhook's secret is gone from the secret store. Delete the webhook and add it anew.")
    return held.data, newest.version
