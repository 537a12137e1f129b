"""The Transit engine: keys that never leave, with versions; AES-256-GCM with associated data."""

import os
import time
from base64 import b64decode, b64encode
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from local.vault_standin.state import Refused, State

_NONCE_BYTES = 12


def exists(state: State, action: str, name: str) -> bool:
    """Whether `encrypt` would use a key that is there, which decides between `create` and `update`."""
    return action in {"encrypt", "keys"} and name in state.content["transit"]


def request(state: State, method: str, action: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """`transit/<action>/<name>`; the actions are keys, keys/<name>/rotate, encrypt, decrypt and rewrap."""
    keys = state.content["transit"]
    if action == "keys":
        return _key_request(keys, method, name)
    if method not in {"POST", "PUT"} or action not in {"encrypt", "decrypt", "rewrap"}:
        raise Refused(404)
    if name not in keys:
        raise Refused(400, "encryption key not found")
    key = keys[name]
    associated_data = _decoded(body.get("associated_data", ""))
    if action == "encrypt":
        if "plaintext" not in body:
            raise Refused(400, "missing plaintext to encrypt")
        return {"data": _encrypt(key, _decoded(body["plaintext"]), associated_data)}
    plaintext = _decrypt(key, body.get("ciphertext", ""), associated_data)
    if action == "decrypt":
        return {"data": {"plaintext": b64encode(plaintext).decode()}}
    return {"data": _encrypt(key, plaintext, associated_data)}


def _key_request(keys: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    name, _, action = path.partition("/")
    if method in {"POST", "PUT"} and not action:
        keys.setdefault(name, {"versions": [_new_version()]})
    elif name not in keys:
        raise Refused(404 if method == "GET" else 400, *([] if method == "GET" else ["no existing key named " + name]))
    elif method in {"POST", "PUT"} and action == "rotate":
        keys[name]["versions"].append(_new_version())
    elif method != "GET" or action:
        raise Refused(404)
    versions = keys[name]["versions"]
    return {
        "data": {
            "allow_plaintext_backup": False,
            "auto_rotate_period": 0,
            "deletion_allowed": False,
            "derived": False,
            "exportable": False,
            "imported_key": False,
            "keys": {str(number): version["created"] for number, version in enumerate(versions, 1)},
            "latest_version": len(versions),
            "min_available_version": 0,
            "min_decryption_version": 1,
            "min_encryption_version": 0,
            "name": name,
            "supports_decryption": True,
            "supports_derivation": True,
            "supports_encryption": True,
            "supports_signing": False,
            "type": "aes256-gcm96",
        }
    }


def _new_version() -> dict[str, Any]:
    return {"key": b64encode(os.urandom(32)).decode(), "created": int(time.time())}


def _encrypt(key: dict[str, Any], plaintext: bytes, associated_data: bytes) -> dict[str, Any]:
    number, nonce = len(key["versions"]), os.urandom(_NONCE_BYTES)
    sealed = _cipher(key, number).encrypt(nonce, plaintext, associated_data)
    return {"ciphertext": f"vault:v{number}:{b64encode(nonce + sealed).decode()}", "key_version": number}


def _decrypt(key: dict[str, Any], ciphertext: str, associated_data: bytes) -> bytes:
    if not ciphertext:
        raise Refused(400, "missing ciphertext to decrypt")
    prefix, _, rest = ciphertext.partition(":v")
    number, _, content = rest.partition(":")
    if prefix != "vault" or not number.isdigit():
        raise Refused(400, "invalid ciphertext: no prefix")
    if int(number) > len(key["versions"]):
        raise Refused(400, "invalid ciphertext: version is too new")
    sealed = _decoded(content)
    try:
        return _cipher(key, int(number)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated_data)
    except (InvalidTag, ValueError):
        raise Refused(400, "cipher: message authentication failed") from None


def _cipher(key: dict[str, Any], number: int) -> AESGCM:
    return AESGCM(b64decode(key["versions"][number - 1]["key"]))


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise Refused(400, "illegal base64 data at input byte 0") from None
