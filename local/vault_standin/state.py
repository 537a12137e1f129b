"""What the stand-in remembers, in one file that only its owner can read."""

import json
import os
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Refused(Exception):
    """An answer that is not 2xx: its status, and its error texts or (as KV does for deleted versions) a document."""

    def __init__(self, status: int, *errors: str, document: dict[str, Any] | None = None) -> None:
        super().__init__(*errors)
        self.status = status
        self.document = document if document is not None else {"errors": list(errors)}


def _empty() -> dict[str, Any]:
    return {
        "operator": None,
        "policies": {},
        "roles": {},
        "tokens": {},
        "kv": {"config": {"max_versions": 0, "cas_required": False}, "records": {}},
        "transit": {},
    }


@dataclass
class State:
    """Everything, as one JSON document behind one lock. It starts sealed, as Vault does."""

    file: Path
    content: dict[str, Any] = field(default_factory=_empty)
    is_sealed: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def load(cls, file: Path) -> "State":
        """The state of the last run, or an empty one."""
        return cls(file, json.loads(file.read_text())) if file.exists() else cls(file)

    @property
    def is_initialized(self) -> bool:
        """Whether there is an unseal key."""
        return self.content["operator"] is not None

    def save(self) -> None:
        """Replace the file as a whole, so that a crash leaves the old or the new one."""
        partial = self.file.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as output:
            json.dump(self.content, output)
        partial.replace(self.file)


def timestamp() -> str:
    """The present moment as Vault writes it: RFC 3339 with nanoseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
