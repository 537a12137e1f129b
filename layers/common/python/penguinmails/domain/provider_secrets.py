"""Credentials of providers and mail servers, read from Vault and remembered for a minute."""

import time
from datetime import datetime
from typing import Any

from penguinmails.vault import read_secret

_KNOWN_FOR_SECONDS = 60
_MOST_KNOWN = 1_000
_known: dict[tuple[str, int | None, datetime | None], tuple[float, dict[str, Any] | None]] = {}


def provider_secret(path: str, version: int | None = None, since: datetime | None = None) -> dict[str, Any] | None:
    """A record's content, None when there is none; of a version that is named, or else of the latest.

    Who keeps a version in a row reads what belongs to the row, also when a newer one was written and the row was not. `since`
    is when that row was made: a record that was deleted and written again counts its versions anew. VaultUnavailable.
    """
    known = _known.get((path, version, since))
    if known is not None and known[0] > time.monotonic():
        return known[1]
    found = read_secret(path, version=version)
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    content = found.data if found is not None else None
    _known[path, version, since] = (time.monotonic() + _KNOWN_FOR_SECONDS, content)
    return content


def forget() -> None:
    """Ask Vault again for everything."""
    _known.clear()
