"""What webhooks sign with and send along, kept in memory for five minutes so that deliveries go on while Vault is away."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from penguinmails.vault import read_secret

_LIFE_SECONDS = 300
_MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Credentials:
    """A webhook's secret, the one before it for as long as both are valid, and headers of the customer's own."""

    secret: str = field(repr=False)
    previous: str | None = field(repr=False)
    previous_until: datetime | None
    headers: dict[str, str] = field(repr=False)

    def secrets_at(self, now: datetime) -> list[str]:
        """What posts are signed with at a moment, the newest first."""
        is_both = self.previous is not None and self.previous_until is not None and now < self.previous_until
        return [self.secret, self.previous] if is_both and self.previous is not None else [self.secret]


_kept: dict[tuple[str, int], tuple[float, Credentials]] = {}


def credentials_of(reference: str, version: int) -> Credentials:
    """A version of the record under a path in Vault. Raises LookupError when there is none, VaultUnavailable without an answer.

    A rotation makes a new version, so what is kept in memory is never signed with too long.
    """
    known = _kept.get((reference, version))
    if known is not None and known[0] > time.monotonic():
        return known[1]
    secret = read_secret(reference, version=version)
    if secret is None:
        raise LookupError("the webhook has no secret in Vault")
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    found = _credentials(secret.data)
    _kept[reference, version] = (time.monotonic() + _LIFE_SECONDS, found)
    return found


def _credentials(record: dict[str, Any]) -> Credentials:
    until = record.get("previous_until")
    return Credentials(
        secret=record["secret"],
        previous=record.get("previous"),
        previous_until=datetime.fromisoformat(until) if until else None,
        headers=record.get("headers", {}),
    )
