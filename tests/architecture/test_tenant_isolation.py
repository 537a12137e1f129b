"""Row security at work: in every table there is, a tenant neither sees nor touches another one's row."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from database.migrate import migrate
from local.services.postgres import Postgres
from tests.support.catalogue import Table, tables
from tests.support.sample_rows import insert_row, relax

APP = "penguinmails_app"
DATABASE = "tenant_isolation"
ALICE, BOB = uuid4(), uuid4()
MODES = ("live", "test")


@pytest.fixture(scope="module")
def protected(postgres: Postgres) -> list[Table]:
    """The tenants' tables of a database of this module's own, with a row of each tenant and mode in every one."""
    postgres.create_database(DATABASE)
    url = postgres.url(DATABASE)
    migrate(url)
    found = [table for table in tables(url) if table.parent is None and table.row_security]
    with psycopg.connect(url) as connection:
        relax(connection)
        # The platform's own tenant would only be counted along.
        connection.execute("DELETE FROM subscriptions")
        connection.execute("DELETE FROM tenants")
        for table in found:
            for tenant in (ALICE, BOB):
                # A table without a mode may hold only one row of a tenant.
                for mode in MODES if table.has("mode") else MODES[:1]:
                    insert_row(connection, table, tenant, mode)
    return found


@pytest.fixture
def as_app(postgres: Postgres, protected: list[Table]) -> Iterator[psycopg.Connection[Any]]:
    """A fresh connection of the application's role."""
    with psycopg.connect(postgres.url(DATABASE, APP)) as connection:
        yield connection


def become(connection: psycopg.Connection[Any], tenant: UUID, mode: str = "live") -> None:
    """Tell row security who asks, until the transaction ends."""
    connection.execute(
        "SELECT set_config('app.current_tenant_id', %s, true), set_config('app.current_mode', %s, true)",
        [str(tenant), mode],
    )


def allowed(tables_: list[Table], privilege: str) -> list[Table]:
    return [table for table in tables_ if privilege in table.privileges.get(APP, ())]


def owner_column(table: Table) -> sql.Identifier:
    return sql.Identifier("id" if table.name == "tenants" else "tenant_id")


def count(connection: psycopg.Connection[Any], table: Table) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.SQL(table.name))).fetchone()
    assert row is not None
    return row[0]


def test_there_are_rows_to_be_kept_apart(postgres: Postgres, protected: list[Table]) -> None:
    assert len(protected) >= 25
    with psycopg.connect(postgres.url(DATABASE)) as connection:
        for table in protected:
            assert count(connection, table) == (4 if table.has("mode") else 2), table.name


def test_without_a_tenant_a_fresh_connection_sees_no_rows(
    as_app: psycopg.Connection[Any], protected: list[Table]
) -> None:
    seen = {table.name: count(as_app, table) for table in allowed(protected, "SELECT")}

    assert {name for name, rows in seen.items() if rows} == set()


def test_without_a_tenant_a_reused_connection_sees_no_rows(
    as_app: psycopg.Connection[Any], protected: list[Table]
) -> None:
    become(as_app, ALICE)
    assert all(count(as_app, table) for table in allowed(protected, "SELECT"))
    as_app.commit()

    seen = {table.name: count(as_app, table) for table in allowed(protected, "SELECT")}

    assert {name for name, rows in seen.items() if rows} == set()


@pytest.mark.parametrize("mode", MODES)
def test_a_tenant_sees_its_own_rows_of_its_mode_alone(
    as_app: psycopg.Connection[Any], protected: list[Table], mode: str
) -> None:
    become(as_app, ALICE, mode)
    for table in allowed(protected, "SELECT"):
        owners = as_app.execute(
            sql.SQL("SELECT {} FROM {}").format(owner_column(table), sql.SQL(table.name))
        ).fetchall()
        assert {owner for (owner,) in owners} == {ALICE}, table.name
        separate = any("app.current_mode" in policy.using for policy in table.policies)
        if separate:
            modes = as_app.execute(sql.SQL("SELECT mode FROM {}").format(sql.SQL(table.name))).fetchall()
            assert modes == [(mode,)], table.name


@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_a_tenant_changes_and_deletes_nothing_of_another(
    as_app: psycopg.Connection[Any], protected: list[Table], verb: str
) -> None:
    statement = {"UPDATE": "UPDATE {table} SET {column} = {column}", "DELETE": "DELETE FROM {table}"}[verb]
    writable = allowed(protected, verb)
    assert writable
    for table in writable:
        become(as_app, BOB)
        names = {"table": sql.SQL(table.name), "column": owner_column(table), "alice": sql.Literal(ALICE)}
        touched = as_app.execute(sql.SQL(statement + " WHERE {column} = {alice}").format(**names)).rowcount
        assert touched == 0, table.name
        assert as_app.execute(sql.SQL(statement).format(**names)).rowcount >= 1, f"{table.name}: not even its own"
        as_app.rollback()


def test_a_tenant_cannot_give_its_row_to_another(as_app: psycopg.Connection[Any], protected: list[Table]) -> None:
    for table in allowed(protected, "UPDATE"):
        become(as_app, BOB)
        move = sql.SQL("UPDATE {} SET {} = {}").format(sql.SQL(table.name), owner_column(table), sql.Literal(ALICE))
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            as_app.execute(move)
        as_app.rollback()


def test_a_tenant_cannot_write_a_row_of_another_or_of_the_other_mode(
    postgres: Postgres, as_app: psycopg.Connection[Any], protected: list[Table]
) -> None:
    with psycopg.connect(postgres.url(DATABASE)) as superuser:
        for table in allowed(protected, "INSERT"):
            row = superuser.execute(
                sql.SQL("SELECT to_jsonb(t) FROM {} t WHERE {} = {}").format(
                    sql.SQL(table.name), owner_column(table), sql.Literal(ALICE)
                )
            ).fetchone()
            assert row is not None
            _refuse_insert(as_app, table, row[0], BOB, "live")
            if any("app.current_mode" in policy.using for policy in table.policies):
                _refuse_insert(as_app, table, {**row[0], "mode": "test"}, ALICE, "live")


def _refuse_insert(
    connection: psycopg.Connection[Any], table: Table, row: dict[str, Any], caller: UUID, mode: str
) -> None:
    columns = sql.SQL(", ").join(sql.Identifier(c.name) for c in table.columns if not c.generated)
    become(connection, caller, mode)
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM jsonb_populate_record(NULL::{}, {})").format(
        sql.SQL(table.name), columns, columns, sql.SQL(table.name), sql.Literal(Jsonb(row))
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        connection.execute(statement)
    connection.rollback()
