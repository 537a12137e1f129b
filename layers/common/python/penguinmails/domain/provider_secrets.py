"""Credentials of provider accounts, read from Vault and remembered for a minute."""

import time
from typing import Any

from penguinmails.vault import read_secret

_KNOWN_FOR_SECONDS = 60
_MOST_KNOWN = 1_000
_known: dict[tuple[str, int | None], tuple[float, dict[str, Any]]] = {}


def provider_secret(path: str, version: int | None = None) -> dict[str, Any] | None:
    """A record's content, None when there is none; `version` makes sure that no older one is remembered.

    Raises VaultUnavailable.
    """
    good_until, content = _known.get((path, version), (0.0, {}))
    if good_until > time.monotonic():
        return content
    found = read_secret(path)
    if found is None:
        return None
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[path, version] = (time.monotonic() + _KNOWN_FOR_SECONDS, found.data)
    return found.data
