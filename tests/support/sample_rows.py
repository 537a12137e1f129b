"""A row in every table, whatever its columns: for tests that ask who may reach it."""

from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from tests.support.catalogue import Column, Table

# First match wins; each makes a new value, so that no unique index minds a second row.
_VALUES: tuple[tuple[str, str], ...] = (
    ("uuid[]", "ARRAY[gen_random_uuid()]"),
    ("uuid", "gen_random_uuid()"),
    ("character varying", "left(gen_random_uuid()::text, {length})"),
    ("character(", "left(gen_random_uuid()::text, {length})"),
    ("text[]", "ARRAY['x']"),
    ("smallint[]", "ARRAY[]::smallint[]"),
    ("bigint[]", "ARRAY[]::bigint[]"),
    ("cidr[]", "ARRAY[]::cidr[]"),
    ("cidr", "'203.0.113.0/24'::cidr"),
    ("text", "gen_random_uuid()::text"),
    ("timestamp with time zone", "now()"),
    ("date", "current_date"),
    ("bytea", "sha256(gen_random_uuid()::text::bytea)"),
    ("jsonb", "'{}'::jsonb"),
    ("tsvector", "array_to_tsvector(ARRAY['x'])"),
    ("inet", "'203.0.113.1'::inet"),
    ("boolean", "false"),
    ("smallint", "(random() * 1000)::smallint"),
    ("integer", "(random() * 1000000)::integer"),
    ("numeric", "(random() * 1000000)::numeric"),
    ("bigint", "(random() * 1000000)::bigint"),
)


def _value(column: Column) -> str:
    for prefix, expression in _VALUES:
        if column.type.startswith(prefix):
            length = column.type.partition("(")[2].rstrip(")") or "36"
            return expression.replace("{length}", length)
    raise NotImplementedError(f"say in {__name__} how to make a value of type {column.type}")


def relax(connection: psycopg.Connection[Any]) -> None:
    """Drop the checks of values, which are not what is tested; row security, keys and privileges stay."""
    for table, check in connection.execute(
        """
        SELECT conrelid::regclass::text, conname FROM pg_constraint
        WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND coninhcount = 0 AND conrelid <> 0
        """
    ).fetchall():
        connection.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.SQL(table), sql.Identifier(check)))


def insert_row(connection: psycopg.Connection[Any], table: Table, tenant_id: UUID, mode: str) -> None:
    """As a superuser and past foreign keys and triggers: one row of a tenant and mode with a value in every column."""
    given = {"tenants": {"id": tenant_id}}.get(table.name, {"tenant_id": tenant_id, "mode": mode})
    columns = [column for column in table.columns if not column.generated]
    values = [sql.Literal(given[c.name]) if c.name in given else sql.SQL(_value(c)) for c in columns]
    connection.execute("SET LOCAL session_replication_role = replica")
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.SQL(table.name), sql.SQL(", ").join(sql.Identifier(c.name) for c in columns), sql.SQL(", ").join(values)
        )
    )
