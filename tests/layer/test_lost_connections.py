"""A connection that breaks in mid-transaction: what the caller is told is true, and the next transaction works."""

import psycopg
import pytest

from local.services.postgres import Postgres
from penguinmails.db import Tx, transaction
from penguinmails.errors import ServiceUnavailable
from tests.support.tenants import TestTenant


def cut(postgres: Postgres, tx: Tx) -> None:
    """End the server's side of a transaction's connection, as a restart does."""
    with psycopg.connect(postgres.url("penguinmails"), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [tx.connection.info.backend_pid])


def test_a_connection_that_breaks_before_the_end_has_changed_nothing_and_says_so(
    postgres: Postgres, tenant: TestTenant
) -> None:
    with (
        pytest.raises(ServiceUnavailable, match="Nothing was changed") as refusal,
        transaction(tenant_id=tenant.id) as tx,
    ):
        tx.run("UPDATE tenants SET name = 'changed' WHERE id = %(id)s", {"id": tenant.id})
        cut(postgres, tx)
        tx.run("UPDATE tenants SET name = 'changed again' WHERE id = %(id)s", {"id": tenant.id})

    assert refusal.value.headers["Retry-After"] == "2"
    with transaction(tenant_id=tenant.id) as tx:
        assert tx.one("SELECT name FROM tenants WHERE id = %(id)s", {"id": tenant.id}) == "Test tenant"


def test_a_connection_that_breaks_in_the_commit_leaves_the_outcome_open_and_says_so(
    postgres: Postgres, tenant: TestTenant
) -> None:
    with pytest.raises(ServiceUnavailable, match="may or may not be in effect"), transaction(tenant_id=tenant.id) as tx:
        cut(postgres, tx)


def test_a_connection_that_broke_while_idle_is_replaced_without_a_word(postgres: Postgres, tenant: TestTenant) -> None:
    with transaction(tenant_id=tenant.id) as tx:
        first = tx
    cut(postgres, first)

    with transaction(tenant_id=tenant.id) as tx:
        assert tx.one("SELECT name FROM tenants WHERE id = %(id)s", {"id": tenant.id}) == "Test tenant"


def test_a_statement_that_takes_too_long_is_told_apart_from_a_database_that_is_away(tenant: TestTenant) -> None:
    with (
        pytest.raises(ServiceUnavailable, match="took longer") as refusal,
        transaction(tenant_id=tenant.id) as tx,
    ):
        tx.run("SET LOCAL statement_timeout = '10ms'", {})
        tx.one("SELECT pg_sleep(5)", {})

    assert refusal.value.headers["Retry-After"] == "30"
