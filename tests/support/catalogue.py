"""The database as its own catalogue describes it."""

from dataclasses import dataclass
from functools import lru_cache

import psycopg


@dataclass(frozen=True)
class Column:
    """A column; `type` as in `format_type`, e.g. `character varying(50)`."""

    name: str
    type: str
    not_null: bool
    generated: bool


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key; the two column lists belong together."""

    name: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """A row-security policy."""

    name: str
    roles: tuple[str, ...]
    using: str
    check: str


@dataclass(frozen=True)
class Table:
    """A table of the schema `public`; a partition names its parent."""

    name: str
    parent: str | None
    row_security: bool
    forced: bool
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...]
    policies: tuple[Policy, ...]
    unique: dict[str, tuple[str, ...]]
    """Unique indexes and what they are over; expressions are left out."""
    privileges: dict[str, frozenset[str]]
    """What each role may do, column privileges included."""

    def has(self, column: str) -> bool:
        """Whether there is such a column."""
        return any(c.name == column for c in self.columns)


_TABLES = """
SELECT c.oid::regclass::text, (SELECT p.inhparent::regclass::text FROM pg_inherits p WHERE p.inhrelid = c.oid),
       c.relrowsecurity, c.relforcerowsecurity, c.oid
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1
"""
_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attnotnull, attgenerated <> ''
FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_NAMES = """ARRAY(
  SELECT attname::text FROM unnest({keys}) WITH ORDINALITY k (number, place)
  JOIN pg_attribute a ON a.attrelid = {of} AND a.attnum = k.number ORDER BY place)"""
_FOREIGN_KEYS = f"""
SELECT conname, {_NAMES.format(keys="conkey", of="conrelid")}, confrelid::regclass::text,
       {_NAMES.format(keys="confkey", of="confrelid")}
FROM pg_constraint WHERE conrelid = %s AND contype = 'f' AND conparentid = 0
"""  # noqa: S608 - made of the literals above
_POLICIES = """
SELECT polname, ARRAY(SELECT CASE WHEN r = 0 THEN 'public' ELSE r::regrole::text END FROM unnest(polroles) r),
       coalesce(pg_get_expr(polqual, polrelid), ''), coalesce(pg_get_expr(polwithcheck, polrelid), '')
FROM pg_policy WHERE polrelid = %s ORDER BY polname
"""
_UNIQUE = f"""
SELECT i.indexrelid::regclass::text, {_NAMES.format(keys="i.indkey::smallint[]", of="i.indrelid")}
FROM pg_index i WHERE i.indrelid = %s AND i.indisunique
"""  # noqa: S608 - made of the literals above
_PRIVILEGES = """
SELECT CASE WHEN p.grantee = 0 THEN 'public' ELSE p.grantee::regrole::text END, p.privilege_type
FROM (SELECT (aclexplode(relacl)).* FROM pg_class WHERE oid = %(table)s
      UNION ALL SELECT (aclexplode(attacl)).* FROM pg_attribute WHERE attrelid = %(table)s) p
"""


@lru_cache(maxsize=4)
def tables(database_url: str) -> tuple[Table, ...]:
    """All tables, partitions included."""
    with psycopg.connect(database_url) as connection:
        return tuple(_table(connection, *row) for row in connection.execute(_TABLES).fetchall())


def _table(
    connection: psycopg.Connection, name: str, parent: str | None, row_security: bool, forced: bool, oid: int
) -> Table:
    privileges: dict[str, set[str]] = {}
    for role, privilege in connection.execute(_PRIVILEGES, {"table": oid}).fetchall():
        privileges.setdefault(role, set()).add(privilege)
    return Table(
        name,
        parent,
        row_security,
        forced,
        tuple(Column(*row) for row in connection.execute(_COLUMNS, [oid]).fetchall()),
        tuple(
            ForeignKey(key, tuple(columns), target, tuple(target_columns))
            for key, columns, target, target_columns in connection.execute(_FOREIGN_KEYS, [oid]).fetchall()
        ),
        tuple(
            Policy(policy, tuple(roles), using, check)
            for policy, roles, using, check in connection.execute(_POLICIES, [oid]).fetchall()
        ),
        {index: tuple(columns) for index, columns in connection.execute(_UNIQUE, [oid]).fetchall()},
        {role: frozenset(granted) for role, granted in privileges.items()},
    )
