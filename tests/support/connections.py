"""Transactions beside that of the process, for tests of what happens at the same time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from penguinmails.db import Tx
from tests.support.tenants import TestTenant


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
