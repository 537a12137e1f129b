"""Encryption of single fields of a record before it goes to Vault: AES-256-GCM under a key of the tenant's own.

The tenant's key is derived from a master key by HKDF-SHA-256 (RFC 5869) with 16 random bytes of salt, which are stored
beside the value, and the purpose and the tenant as `info`. The record's path is associated data (NIST SP 800-38D), so a
value that is copied to another record or tenant does not open there.
"""

import os
from base64 import b64decode, b64encode
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = 1
KEY_BYTES = 32
_IV_BYTES = 16
_TAG_BYTES = 16
_SALT_BYTES = 16


class DecryptionFailed(Exception):
    """The value was changed, belongs to another record, or was encrypted with another key."""


@dataclass(frozen=True, slots=True)
class EncryptedField:
    """What is stored in place of a value; the three go into the record side by side."""

    ciphertext: str
    """Base64 of IV (16 bytes), tag (16 bytes) and ciphertext, in this order."""
    kdf_salt: str
    """Base64 of the 16 bytes that the tenant's key was derived with."""
    enc_version: int = VERSION


def encrypt_field(
    plaintext: bytes, master_key: bytes, *, purpose: str, tenant_id: UUID, record_path: str
) -> EncryptedField:
    """Encrypt a value with fresh salt and IV. `master_key` is 32 bytes, else ValueError."""
    salt, iv = os.urandom(_SALT_BYTES), os.urandom(_IV_BYTES)
    cipher = AESGCM(_tenant_key(master_key, salt, purpose, tenant_id))
    sealed = cipher.encrypt(iv, plaintext, record_path.encode())
    content, tag = sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]
    return EncryptedField(b64encode(iv + tag + content).decode(), b64encode(salt).decode())


def decrypt_field(
    field: EncryptedField, master_key: bytes, *, purpose: str, tenant_id: UUID, record_path: str
) -> bytes:
    """Open what `encrypt_field` has made, given the same key, purpose, tenant and path; else DecryptionFailed."""
    if field.enc_version != VERSION:
        raise DecryptionFailed(
            f"The value has format {field.enc_version}, which this release does not know; update it."
        )
    try:
        stored, salt = b64decode(field.ciphertext, validate=True), b64decode(field.kdf_salt, validate=True)
    except ValueError:
        raise DecryptionFailed("The stored value is damaged: it is not base64.") from None
    if len(stored) < _IV_BYTES + _TAG_BYTES or len(salt) != _SALT_BYTES:
        raise DecryptionFailed("The stored value is damaged: a part of it is missing.")
    iv, tag, content = stored[:_IV_BYTES], stored[_IV_BYTES:][:_TAG_BYTES], stored[_IV_BYTES + _TAG_BYTES :]
    try:
        return AESGCM(_tenant_key(master_key, salt, purpose, tenant_id)).decrypt(
            iv, content + tag, record_path.encode()
        )
    except InvalidTag:
        raise DecryptionFailed(
            "The value does not open: it was changed, comes from another record, or needs another master key."
        ) from None


def _tenant_key(master_key: bytes, salt: bytes, purpose: str, tenant_id: UUID) -> bytes:
    if len(master_key) != KEY_BYTES:
        raise ValueError(f"the master key has {KEY_BYTES} bytes, not {len(master_key)}")
    # The tenant is always 36 characters long, so purpose and tenant cannot run into each other.
    info = f"{purpose}{tenant_id}".encode()
    return HKDF(SHA256(), KEY_BYTES, salt, info).derive(master_key)
