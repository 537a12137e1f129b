"""Counts secrets that take the place of others, by their kind and how it went."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

from penguinmails.db import Tx
from penguinmails.errors import DomainError
from penguinmails.logging import count

Kind = Literal["api_key", "webhook", "dkim", "provider_account"]


@contextmanager
def rotation(tx: Tx, kind: Kind) -> Generator[None]:
    """Around the write of the new secret. A refusal of a wrong request is no failure."""
    try:
        yield
    except Exception as error:
        if not (isinstance(error, DomainError) and error.status < 500):
            count("secret_rotations_total", type=kind, result="failed")
        raise
    tx.after_commit(lambda: count("secret_rotations_total", type=kind, result="succeeded"))
