"""The text of an API key: `pm_live_` or `pm_test_` and 32 base62 characters."""

import re
from dataclasses import dataclass

from penguinmails.db import Mode
from penguinmails.ids import random_base62
from penguinmails.platform_secrets import current_key, key_versions, keyed_digest

SECRET_LENGTH = 32
PATTERN = re.compile(r"pm_(live|test)_[A-Za-z0-9]{32}")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made. Its plaintext is shown once and kept nowhere."""

    plaintext: str
    prefix: str
    last4: str
    digest: bytes
    digest_version: int

    def __repr__(self) -> str:
        return f"NewKey({self.prefix}...{self.last4})"


def make_key(mode: Mode) -> NewKey:
    """32 independent uniform draws from 62 characters: 190 bits."""
    secret = random_base62(SECRET_LENGTH)
    plaintext = f"pm_{mode}_{secret}"
    version, _key = current_key("digest_peppers")
    digest = keyed_digest("digest_peppers", plaintext.encode(), version)
    return NewKey(plaintext, f"pm_{mode}_{secret[:3]}", secret[-4:], digest, version)


def digests_of(plaintext: str) -> list[bytes]:
    """The digests under which the key may be stored, that of the current pepper first."""
    versions = reversed(key_versions("digest_peppers"))
    return [keyed_digest("digest_peppers", plaintext.encode(), version) for version in versions]


def masked(prefix: str, last4: str) -> str:
    """What a key looks like after it was shown once, e.g. `pm_live_a1b...o5p6`."""
    return f"{prefix}...{last4}"
