"""`sys/...`: initialising, sealing, health, mounts and snapshots."""

import hashlib
import io
import json
import secrets
import tarfile
from base64 import b64decode, b64encode
from typing import Any

from local.vault_standin.access import new_token
from local.vault_standin.state import Refused, State, timestamp

VERSION = "1.21.2"
_MOUNTS = {"secret/": ("kv", {"version": "2"}), "transit/": ("transit", None), "sys/": ("system", None)}
_AUTH_METHODS = {"approle/": "approle", "token/": "token"}


def unauthenticated(state: State, method: str, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """What answers without a token, and mostly while sealed; None when `path` is not of that kind."""
    is_write = method in {"POST", "PUT"}
    if path == "sys/init":
        return _initialize(state, body) if is_write else {"initialized": state.is_initialized}
    if path == "sys/unseal" and is_write:
        return _unseal(state, body)
    if path == "sys/seal-status":
        return _seal_status(state)
    if path == "sys/health":
        return _health(state)
    if path == "sys/leader":
        if state.is_sealed:
            raise Refused(503, "Vault is sealed")
        return {"ha_enabled": True, "is_self": True, "performance_standby": False}
    return None


def _initialize(state: State, body: dict[str, Any]) -> dict[str, Any]:
    if state.is_initialized:
        raise Refused(400, "Vault is already initialized")
    if (body.get("secret_shares"), body.get("secret_threshold")) != (1, 1):
        raise Refused(400, "the stand-in has one unseal key: secret_shares and secret_threshold are 1")
    key = secrets.token_bytes(32)
    state.content["operator"] = {"unseal_key_sha256": hashlib.sha256(key).hexdigest()}
    root = new_token(state, policies=["root"], seconds=0, max_seconds=0, name="root")
    state.save()
    return {"keys": [key.hex()], "keys_base64": [b64encode(key).decode()], "root_token": root}


def _unseal(state: State, body: dict[str, Any]) -> dict[str, Any]:
    if not state.is_initialized:
        raise Refused(400, "Vault is not initialized")
    given = _key_bytes(str(body.get("key") or ""))
    if hashlib.sha256(given).hexdigest() != state.content["operator"]["unseal_key_sha256"]:
        raise Refused(400, "Unseal failed, invalid key")
    state.is_sealed = False
    return _seal_status(state)


def _key_bytes(text: str) -> bytes:
    if not text:
        raise Refused(400, "'key' must be specified in request body as JSON, or 'reset' set to true")
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise Refused(400, "'key' must be a valid hex or base64 string") from None


def _seal_status(state: State) -> dict[str, Any]:
    return {
        "type": "shamir",
        "initialized": state.is_initialized,
        "sealed": state.is_sealed,
        "t": 1,
        "n": 1,
        "progress": 0,
        "nonce": "",
        "version": VERSION,
        "storage_type": "stand-in",
    }


def _health(state: State) -> dict[str, Any]:
    report = {
        "initialized": state.is_initialized,
        "sealed": state.is_sealed,
        "standby": state.is_sealed,
        "version": VERSION,
        "cluster_name": "stand-in",
    }
    if not state.is_initialized:
        raise Refused(501, document=report)
    if state.is_sealed:
        raise Refused(503, document=report)
    return report


def authenticated(state: State, method: str, path: str) -> dict[str, Any] | None:
    """`sys/seal`, the lists of what is mounted, and whether this is the node that serves."""
    if path == "sys/seal" and method in {"POST", "PUT"}:
        state.is_sealed = True
        return None
    if path == "sys/mounts" and method == "GET":
        return {"data": {name: {"type": kind, "options": options} for name, (kind, options) in _MOUNTS.items()}}
    if path == "sys/auth" and method == "GET":
        return {"data": {name: {"type": kind} for name, kind in _AUTH_METHODS.items()}}
    if path == "sys/ha-status" and method == "GET":
        return {"data": {"nodes": [{"hostname": "stand-in", "active_node": True}]}}
    if path == "sys/metrics" and method == "GET":
        return {"Counters": [], "Gauges": [{"Name": "vault.core.unsealed", "Value": 1}], "Samples": []}
    raise Refused(404, "unsupported path")


def take_snapshot(state: State) -> bytes:
    """A gzipped tar with the members that a Raft snapshot has; its content is the stand-in's own."""
    content = json.dumps(state.content).encode()
    meta = json.dumps({"Version": 1, "ID": "stand-in", "Created": timestamp(), "Size": len(content)}).encode()
    sums = "".join(
        f"{hashlib.sha256(part).hexdigest()}  {name}\n" for name, part in (("meta.json", meta), ("state.bin", content))
    )
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w:gz") as archive:
        for name, part in (("meta.json", meta), ("state.bin", content), ("SHA256SUMS", sums.encode())):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(part), 0o600
            archive.addfile(member, io.BytesIO(part))
    return output.getvalue()


def restore_snapshot(state: State, snapshot: bytes) -> None:
    """Replace everything by what a snapshot holds, if its checksums are right."""
    try:
        with tarfile.open(fileobj=io.BytesIO(snapshot), mode="r:gz") as archive:
            parts = {member.name: _content(archive, member) for member in archive.getmembers()}
        for line in parts["SHA256SUMS"].decode().splitlines():
            digest, _, name = line.partition("  ")
            if hashlib.sha256(parts[name]).hexdigest() != digest:
                raise ValueError(name)
        state.content = json.loads(parts["state.bin"])
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError):
        raise Refused(400, "failed to read snapshot file: the archive is damaged") from None


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    source = archive.extractfile(member)
    return b"" if source is None else source.read()
