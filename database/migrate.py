"""Applies the migrations that a database lacks, in order, each in a transaction of its own.

Run with `python -m database.migrate` and MIGRATIONS_DATABASE_URL, as a role that may create roles and tables.
"""

import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import psycopg

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_204_113
_PATIENCE_SECONDS = 60
"""A database that has paused takes about 15 seconds to wake up."""
_LET_ROLES_USE_TOKENS = """
DO $$
DECLARE
  role_name name;
BEGIN
  -- RDS knows this role; its members sign in with tokens of IAM and no longer with passwords.
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
    FOR role_name IN SELECT rolname FROM pg_roles
      WHERE rolcanlogin AND rolname IN ('penguinmails_app', 'penguinmails_jobs', 'penguinmails_import')
    LOOP
      EXECUTE format('GRANT rds_iam TO %I', role_name);
    END LOOP;
  END IF;
END
$$
"""


class MigrationError(Exception):
    """The database and the files disagree; the message says about which migration and what to do."""


def migration_files() -> list[Path]:
    """All migrations in the order of their numbers."""
    return sorted(MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))


def migrate(
    database_url: str, report: Callable[[str], None] = lambda _line: None, *, password: str | None = None
) -> list[str]:
    """Bring the database up to date and return the names that were applied; a second call applies nothing.

    Concurrent callers wait for each other. A file that was changed after it had been applied is refused.
    """
    applied: list[str] = []
    with psycopg.connect(
        database_url, autocommit=True, password=password, connect_timeout=_PATIENCE_SECONDS
    ) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            " name text PRIMARY KEY, checksum text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        done = dict(connection.execute("SELECT name, checksum FROM schema_migrations").fetchall())
        for file in migration_files():
            text = file.read_text()
            checksum = sha256(text.encode()).hexdigest()
            if file.stem in done:
                if done[file.stem] != checksum:
                    raise MigrationError(
                        f"{file.name} was changed after it had been applied here. Migrations are forward-only: restore "
                        "the file and add a new one. (On your own machine, `make reset` starts from nothing.)"
                    )
                continue
            report(f"applying {file.stem}")
            with connection.transaction():
                connection.execute(text)  # pyright: ignore[reportArgumentType, reportCallIssue]
                connection.execute(
                    "INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)", [file.stem, checksum]
                )
            applied.append(file.stem)
        if password is not None:
            connection.execute(_LET_ROLES_USE_TOKENS)
    return applied


def main() -> int:
    """Entry point of `python -m database.migrate`."""
    url = os.environ.get("MIGRATIONS_DATABASE_URL")
    if not url:
        print("Set MIGRATIONS_DATABASE_URL to the database that should be migrated.", file=sys.stderr)  # noqa: T201
        return 2
    try:
        applied = migrate(url, report=print)
    except (MigrationError, psycopg.Error) as error:
        print(f"The migration stopped: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"{len(applied)} migrations applied, the schema is up to date")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
