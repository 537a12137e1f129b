"""The state of the stand-in: sealed or not, KV v2 records with versions, roles and tokens; kept in one file."""

import fnmatch
import json
import os
import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_VERSIONS_KEPT = 10


class Refused(Exception):
    """An answer of Vault's that is not 2xx: its status and its error texts."""

    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(*errors)
        self.status = status
        self.errors = list(errors)


@dataclass
class Store:
    """All state behind one lock; `save` after each change."""

    file: Path
    sealed: bool = False
    records: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    policies: dict[str, dict[str, list[str]]] = field(default_factory=dict[str, dict[str, list[str]]])
    roles: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def load(cls, file: Path) -> "Store":
        """The state of the last run, or an empty one."""
        store = cls(file)
        if file.exists():
            kept = json.loads(file.read_text())
            store.records, store.roles = kept["records"], kept["roles"]
        return store

    def save(self) -> None:
        """Replace the file as a whole, readable by its owner alone."""
        partial = self.file.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as output:
            json.dump({"records": self.records, "roles": self.roles}, output)
        partial.replace(self.file)

    def define_role(self, name: str, policies: dict[str, list[str]], token_seconds: int) -> tuple[str, str]:
        """Give a service account its policies; its role id and secret id, the same after a restart."""
        role = self.roles.setdefault(name, {"role_id": secrets.token_hex(16), "secret_id": secrets.token_hex(16)})
        role["ttl"] = token_seconds
        self.policies[name] = policies
        self.save()
        return role["role_id"], role["secret_id"]

    def log_in(self, role_id: str, secret_id: str) -> tuple[str, int]:
        """A token and its life in seconds."""
        for name, role in self.roles.items():
            if role["role_id"] == role_id and secrets.compare_digest(role["secret_id"], secret_id):
                token = "hvs." + secrets.token_urlsafe(24)
                self.tokens[token] = {"role": name, "expires": time.monotonic() + role["ttl"]}
                return token, role["ttl"]
        raise Refused(400, "invalid role or secret ID")

    def authorise(self, token: str, path: str, capability: str) -> None:
        """Refuse unless the token's policies allow the capability on the path."""
        known = self.tokens.get(token)
        if known is None or known["expires"] < time.monotonic():
            raise Refused(403, "permission denied")
        rules = self.policies[known["role"]]
        if not any(fnmatch.fnmatchcase(path, glob) and capability in allowed for glob, allowed in rules.items()):
            raise Refused(403, "1 error occurred:\n\t* permission denied\n\n")

    def read(self, path: str, version: int | None) -> dict[str, Any]:
        """One version of a record, the latest unless named."""
        record = self.records.get(path)
        number = version or (record["current"] if record else 0)
        found = record["versions"].get(str(number)) if record else None
        if found is None:
            raise Refused(404)
        return {"data": found["data"], "metadata": {**_metadata(number, found["created_time"])}}

    def write(self, path: str, data: dict[str, Any], cas: int | None) -> dict[str, Any]:
        """The next version of a record; refused when `cas` is not the present one."""
        record = self.records.setdefault(path, {"current": 0, "versions": {}})
        if cas is not None and cas != record["current"]:
            raise Refused(400, "check-and-set parameter did not match the current version")
        record["current"] += 1
        number = record["current"]
        created = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        record["versions"][str(number)] = {"data": data, "created_time": created}
        record["versions"].pop(str(number - _VERSIONS_KEPT), None)
        self.save()
        return _metadata(number, created)

    def delete(self, path: str) -> None:
        """Remove a record with all its versions."""
        if self.records.pop(path, None) is not None:
            self.save()


def _metadata(version: int, created: str) -> dict[str, Any]:
    return {
        "created_time": created,
        "custom_metadata": None,
        "deletion_time": "",
        "destroyed": False,
        "version": version,
    }
