"""A change of what all keys of a tenant may do reaches the key that is being made at that moment."""

import os
import threading
import time
from typing import Any
from uuid import UUID

import psycopg
import pytest

from api_keys import service as api_keys_service
from api_keys.app import handler as api_keys
from penguinmails.db import close_connection, transaction
from penguinmails.domain.key_changes import announce_tenant_change
from tests.support.people import signed_in
from tests.support.tenants import TestTenant


class Suspension:
    """Suspends a tenant in a thread and by a connection of its own."""

    def __init__(self, tenant_id: UUID) -> None:
        self._tenant_id = tenant_id
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with transaction(role="jobs") as tx:
            announce_tenant_change(tx, self._tenant_id)
            tx.run("UPDATE tenants SET status = 'suspended' WHERE id = %(id)s", {"id": self._tenant_id})

    def start_and_wait_until_it_waits(self) -> None:
        """Returns once the suspension stands in line, or is through already."""
        close_connection("jobs")
        self.thread.start()
        with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"], autocommit=True) as connection:
            while self.thread.is_alive():
                if connection.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone():
                    return
                time.sleep(0.01)


def test_a_key_that_is_being_made_is_not_missed(tenant: TestTenant, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, suspension = signed_in(tenant), Suspension(tenant.id)
    write_secret: Any = api_keys_service.write_secret

    def write_while_somebody_suspends(*arguments: Any, **options: Any) -> int:
        suspension.start_and_wait_until_it_waits()
        return write_secret(*arguments, **options)

    monkeypatch.setattr(api_keys_service, "write_secret", write_while_somebody_suspends)
    body = {"name": "in the middle", "permissions": ["manage_contacts"], "environment": "live"}

    made = owner.call(api_keys, "POST", "/api/v1/platform/api-keys", headers=owner.step_up(), json=body)
    suspension.thread.join()
    close_connection("jobs")

    assert made.status == 201, made.body
    with transaction(tenant_id=tenant.id) as tx:
        generations = tx.all("SELECT generation FROM api_keys WHERE name = 'in the middle'", {})
        assert tx.one("SELECT status FROM tenants", {}) == "suspended"
    assert generations == [2], "one when it was made, one for the suspension"
