"""Connections beside that of the process: for what happens at the same time, and to see past row security."""

import atexit
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Literal

import psycopg

from penguinmails.db import Tx
from tests.support.tenants import TestTenant

_PATIENCE_SECONDS = 20


@contextmanager
def connected(role: str, tenant: TestTenant) -> Iterator[Tx]:
    """Transactions on a connection of its own, which the test ends; `role` names the variable that has its address."""
    with psycopg.connect(os.environ[role]) as connection:
        connection.execute(
            "SELECT set_config('app.current_tenant_id', %s, false), set_config('app.current_mode', 'live', false)",
            [str(tenant.id)],
        )
        connection.commit()
        yield Tx(connection, tenant.id, "live")


def as_owner() -> psycopg.Connection:
    """The process's one connection as the owner of the schema; each statement is a transaction. It is not to be closed."""
    return _kept(os.environ["MIGRATIONS_DATABASE_URL"])


def wait_for_a_waiter(lock: Literal["advisory", "transactionid"]) -> None:
    """Until some transaction waits for another one's lock of a kind; that of a row is of its `transactionid`."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    waiting = "SELECT FROM pg_locks WHERE locktype = %s AND NOT granted"
    while not as_owner().execute(waiting, [lock]).fetchall():
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.01)


@lru_cache(maxsize=4)
def _kept(url: str) -> psycopg.Connection:
    connection = psycopg.connect(url, autocommit=True)
    atexit.register(connection.close)
    return connection
