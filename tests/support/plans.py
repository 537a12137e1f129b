"""What statements have read, by PostgreSQL's own count."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from penguinmails import db
from penguinmails.db import Tx


def rows_read(plan: dict[str, Any]) -> Counter[str]:
    """The rows that every scan in a plan has touched, those that a filter threw away included, by table or index."""
    if "Actual Rows" not in plan:
        # Made for its estimate alone.
        return Counter()
    below = sum(map(rows_read, plan.get("Plans", ())), Counter[str]())
    if "Relation Name" not in plan and "Index Name" not in plan:
        return below
    removed = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    own = round((plan["Actual Rows"] + removed) * plan["Actual Loops"])
    if plan["Node Type"] == "Bitmap Heap Scan":
        # Below it are the places of rows in an index, of which no more are rows than it then reads.
        return Counter({plan["Relation Name"]: own})
    return below + Counter({plan.get("Index Name") or plan["Relation Name"]: own})


@contextmanager
def counted_reads(monkeypatch: pytest.MonkeyPatch, *tables: str) -> Iterator[list[tuple[int, str]]]:
    """For each statement that names one of the tables: how many of their rows it reads, and what it is."""
    counted: list[tuple[int, str]] = []
    real = Tx._execute

    def explained(self: Tx, statement: Any, params: Any, factory: Any) -> Any:
        if any(table in statement for table in tables):
            self.connection.execute("SAVEPOINT before")
            (plan,) = self.connection.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement, params).fetchone() or ()
            read = sum(rows for name, rows in rows_read(plan[0]["Plan"]).items() if name.startswith(tables))
            counted.append((read, " ".join(statement.split())))
            self.connection.execute("ROLLBACK TO SAVEPOINT before")
        return real(self, statement, params, factory)

    with monkeypatch.context() as patched:
        patched.setattr(Tx, "_execute", explained)
        yield counted


def analyze(*tables: str) -> None:
    """As autovacuum does, which never looks at a partition that is empty."""
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"], autocommit=True) as connection:
        partitions = connection.execute(
            "SELECT relid::text FROM unnest(%s::regclass[]) AS t (name) CROSS JOIN LATERAL pg_partition_tree(t.name)"
            " WHERE isleaf",
            [list(tables)],
        ).fetchall()
        for (name,) in partitions:
            if connection.execute(f"SELECT FROM {name} LIMIT 1").fetchone() is not None:
                connection.execute(f"ANALYZE {name}")


@contextmanager
def reported_plans() -> Iterator[list[dict[str, Any]]]:
    """The plans of what the application's role runs in the block, as the database itself reports them (auto_explain)."""
    reported: list[dict[str, Any]] = []
    settings = {
        "session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0",
        "auto_explain.log_analyze": "on", "auto_explain.log_timing": "off", "auto_explain.log_format": "json",
        "auto_explain.log_nested_statements": "on", "client_min_messages": "log",
    }  # fmt: skip
    with psycopg.connect(os.environ["MIGRATIONS_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("LOAD 'auto_explain'")
        for name, value in settings.items():
            connection.execute(f"ALTER ROLE penguinmails_app SET {name} = '{value}'".encode())
        db.close_connection("app")
        with db.transaction() as tx:
            tx.connection.add_notice_handler(lambda notice: _keep(notice.message_primary or "", reported))
        yield reported
        db.close_connection("app")
        connection.execute("ALTER ROLE penguinmails_app RESET ALL")


def _keep(message: str, reported: list[dict[str, Any]]) -> None:
    _, _, document = message.partition("plan:")
    if document:
        reported.append(json.loads(document))
