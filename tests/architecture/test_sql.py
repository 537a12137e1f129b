"""Every statement of the product fits the migrated schema, and a role of the product may run it."""

import os
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.statements import Statement, statements

ROLES = ("penguinmails_app", "penguinmails_jobs", "penguinmails_import")
PLANNED = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|MERGE|VALUES)\b", re.IGNORECASE)
PARAMETER = re.compile(r"%\((\w+)\)s|%%")


def numbered(text: str) -> str:
    """`%(name)s` as `$n`, the form that the server knows; the same name keeps its number."""
    numbers: dict[str, int] = {}

    def replace(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        return f"${numbers.setdefault(match[1], len(numbers) + 1)}"

    return PARAMETER.sub(replace, text)


@pytest.fixture(scope="module")
def database(platform: None) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"], autocommit=True) as connection:
        yield connection


def attempt(database: psycopg.Connection[Any], statement: str, role: str | None = None) -> str | None:
    """What the server says against a statement, or None."""
    try:
        with database.transaction(force_rollback=True):
            if role:
                database.execute(psycopg.sql.SQL("SET LOCAL ROLE {}").format(psycopg.sql.Identifier(role)))
            database.execute(statement.encode())
    except psycopg.Error as error:
        return str(error)
    return None


def test_statements_are_found_in_every_repository() -> None:
    found = statements()
    folders = {statement.folder for statement in found}

    assert len(found) > 150
    assert {"penguinmails", "contacts", "webhooks", "sweep_outbox", "sessions"} <= folders
    assert any("ORDER BY c.email ASC" in statement.text for statement in found)


def test_every_statement_can_be_prepared(database: psycopg.Connection[Any]) -> None:
    def fault(statement: Statement) -> str | None:
        text = numbered(statement.text)
        said = attempt(database, f"PREPARE checked AS {text}" if PLANNED.match(text) else text)
        database.execute("DEALLOCATE ALL")
        return f"{statement.place}: {said}" if said else None

    assert [found for found in map(fault, statements()) if found] == []


def test_every_statement_may_be_run_by_a_role_of_the_product(database: psycopg.Connection[Any]) -> None:
    """EXPLAIN checks privileges as running does; GENERIC_PLAN takes a statement whose parameters are not known yet."""

    def fault(statement: Statement) -> str | None:
        explain = f"EXPLAIN (GENERIC_PLAN) {numbered(statement.text)}"
        said = [attempt(database, explain, role) for role in ROLES]
        return None if None in said else f"{statement.place}: {said}"

    planned = [statement for statement in statements() if PLANNED.match(statement.text)]
    assert [found for found in map(fault, planned) if found] == []


@pytest.mark.parametrize(
    "wrong",
    ["SELECT nothing_like_it FROM contacts", "SELECT id FROM contacts WHERE email = %(a)s::uuid", "SELEC 1"],
)
def test_a_statement_that_does_not_fit_is_noticed(database: psycopg.Connection[Any], wrong: str) -> None:
    assert attempt(database, f"PREPARE checked AS {numbered(wrong)}") is not None


def test_a_statement_that_no_role_may_run_is_noticed(database: psycopg.Connection[Any]) -> None:
    explain = "EXPLAIN (GENERIC_PLAN) DELETE FROM audit_log"

    assert all("permission denied" in (attempt(database, explain, role) or "") for role in ROLES)
