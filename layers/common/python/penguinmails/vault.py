"""Secrets in HashiCorp Vault: records in a KV version 2 engine, and small values sealed with Vault's own key.

Records: https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2; writes use check-and-set, so two writers cannot
overwrite each other unseen. Sealing, with a key that never leaves Vault:
https://developer.hashicorp.com/vault/api-docs/secret/transit. Every function here raises VaultUnavailable when Vault
cannot be reached or is sealed, and VaultRefused when the service account may not do it.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from penguinmails.errors import Conflict
from penguinmails.settings import get_settings
from penguinmails.vault_client import (
    NothingThere,
    VaultIsSealed,
    VaultRefused,
    VaultUnavailable,
    ask,
    ask_for_health,
    forget_session,
)

__all__ = [
    "Secret",
    "SecretVersionConflict",
    "VaultHealth",
    "VaultIsSealed",
    "VaultRefused",
    "VaultUnavailable",
    "annotate_secret",
    "decrypt",
    "delete_secret",
    "encrypt",
    "forget_session",
    "health",
    "list_kinds",
    "list_secrets",
    "newest_version",
    "read_secret",
    "secret_path",
    "write_secret",
]  # fmt: skip

_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")
_TRANSIT_KEY = "penguinmails"


class SecretVersionConflict(Conflict):
    """Somebody else wrote the secret since it was read."""


@dataclass(frozen=True, slots=True)
class Secret:
    """One version of a record. Its content stays out of logs and error texts."""

    data: dict[str, Any] = field(repr=False)
    version: int
    created_at: datetime
    """When this version was written (UTC)."""


@dataclass(frozen=True, slots=True)
class VaultHealth:
    """What Vault says about itself (https://developer.hashicorp.com/vault/api-docs/system/health)."""

    is_initialized: bool
    is_sealed: bool
    is_standby: bool
    version: str


def secret_path(*segments: str) -> str:
    """A path below the KV mount; raises ValueError for a segment that could lead elsewhere."""
    for segment in segments:
        if not _SEGMENT.fullmatch(segment) or segment in {".", ".."}:
            raise ValueError("a path segment may hold letters, digits, '.', '_' and '-' only")
    return "/".join(segments)


def _below(kind: str, path: str) -> str:
    return f"{get_settings().vault_kv_mount}/{kind}/{secret_path(*path.split('/'))}"


def read_secret(path: str, *, version: int | None = None) -> Secret | None:
    """The latest or the named version of a record; None when there is none or it was deleted."""
    query = None if version is None else {"version": version}
    try:
        found = ask("read a secret", "get", _below("data", path), query=query)["data"]
    except NothingThere:
        return None
    metadata = found["metadata"]
    return Secret(found["data"], metadata["version"], datetime.fromisoformat(metadata["created_time"]))


def write_secret(path: str, data: dict[str, Any], *, expected_version: int) -> int:
    """Write the next version and return its number; `expected_version` is the present one, 0 when there is none.

    Raises SecretVersionConflict when another version is there. After VaultUnavailable the version may have been written:
    read before trying again.
    """
    content = {"data": data, "options": {"cas": expected_version}}
    try:
        return ask("write a secret", "post", _below("data", path), body=content)["data"]["version"]
    except VaultRefused as refusal:
        if "check-and-set" not in refusal.reason:
            raise
        if refusal.was_repeated and _holds(path, data, expected_version + 1):
            return expected_version + 1
    raise SecretVersionConflict("The secret was changed meanwhile. Read it again and retry.")


def _holds(path: str, data: dict[str, Any], version: int) -> bool:
    """Whether our own write arrived although its answer was lost."""
    try:
        present = read_secret(path)
    except VaultRefused:
        return False
    return present is not None and present.version == version and present.data == data


def newest_version(path: str) -> int:
    """The number of a record's latest version, 0 when there is none, for who writes without reading."""
    try:
        return ask("read a version", "get", _below("metadata", path))["data"]["current_version"]
    except NothingThere:
        return 0


def delete_secret(path: str) -> None:
    """Remove a record with all its versions; nothing happens when there is none."""
    ask("delete a secret", "delete", _below("metadata", path))


def annotate_secret(path: str, facts: dict[str, str]) -> None:
    """Set what is known about a record without making a new version of it.

    At most 64 facts of 512 bytes (custom metadata of KV version 2).
    """
    ask("annotate a secret", "post", _below("metadata", path), body={"custom_metadata": facts})


def list_kinds() -> list[str]:
    """The folders of the mount: which kinds of secrets there are."""
    try:
        names: list[str] = ask("list kinds", "list", f"{get_settings().vault_kv_mount}/metadata")["data"]["keys"]
    except NothingThere:
        return []
    return [name.removesuffix("/") for name in names if name.endswith("/")]


def list_secrets(path: str) -> list[str]:
    """Names directly below a path, folders with a '/' at their end; empty when there is none."""
    try:
        return ask("list secrets", "list", _below("metadata", path))["data"]["keys"]
    except NothingThere:
        return []


def encrypt(plaintext: bytes, *, associated_data: bytes) -> str:
    """Seal a small value with Vault's own key; `vault:v<key version>:<base64>`.

    It opens again only together with the same `associated_data`, which says where the value belongs.
    """
    content = {"plaintext": _base64(plaintext), "associated_data": _base64(associated_data)}
    return ask("encrypt", "post", f"transit/encrypt/{_TRANSIT_KEY}", body=content)["data"]["ciphertext"]


def decrypt(ciphertext: str, *, associated_data: bytes) -> bytes:
    """Open what `encrypt` has sealed; VaultRefused when it was changed or belongs elsewhere."""
    content = {"ciphertext": ciphertext, "associated_data": _base64(associated_data)}
    return b64decode(ask("decrypt", "post", f"transit/decrypt/{_TRANSIT_KEY}", body=content)["data"]["plaintext"])


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


def health() -> VaultHealth:
    """How Vault is, asked without a login; raises VaultUnavailable when it does not answer."""
    report = ask_for_health()
    try:
        return VaultHealth(report["initialized"], report["sealed"], report["standby"], report["version"])
    except (KeyError, TypeError):
        raise VaultUnavailable("What answers at VAULT_ADDR is not Vault. Check the address.") from None
