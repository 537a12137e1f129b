"""Writes database/schema.sql, what all migrations together make: `python -m local.dump_schema [--check]`.

With `--check` nothing is written: the committed file is compared, which is how a forgotten `make schema` is noticed.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from database.migrate import migrate
from local.services.postgres import Postgres, bin_directory

FILE = Path(__file__).resolve().parents[1] / "database" / "schema.sql"
_DATABASE = "schema"
_HEADER = """\
-- The schema that the migrations make, for reading. Written by `make schema`; never applied, never edited by hand.
-- Left out: the monthly partitions, which the upkeep job makes and drops, and the rows that migrations insert.
"""
# Which server and which pg_dump were used, and the key that guards psql against a hostile server, change without need.
_PASSING = re.compile(r"^(?:-- Dumped (?:from|by) .*|\\(?:un)?restrict .*)\n", re.MULTILINE)
_PARTITIONS = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relispartition AND c.relkind = 'r' AND n.nspname = 'public' ORDER BY 1
"""


def dump(database_url: str) -> str:
    """The schema of a migrated database as SQL, the same text whenever it is made from the same migrations."""
    with psycopg.connect(database_url) as connection:
        partitions = [name for (name,) in connection.execute(_PARTITIONS).fetchall()]
    left_out = [f"--exclude-table=public.{name}" for name in partitions]
    command = [str(bin_directory() / "pg_dump"), "--schema-only", "--no-owner", *left_out, database_url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"pg_dump failed: {done.stderr.strip()}")
    text = _PASSING.sub("", done.stdout)
    return _HEADER + re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """0 when the file is what the migrations make."""
    with tempfile.TemporaryDirectory() as folder:
        # The server may run as another user, who must be able to pass.
        Path(folder).chmod(0o755)
        server = Postgres(Path(folder) / "data", durable=False)
        server.start()
        try:
            server.create_database(_DATABASE)
            migrate(server.url(_DATABASE))
            text = dump(server.url(_DATABASE))
        finally:
            server.stop()
    if FILE.exists() and FILE.read_text() == text:
        print("database/schema.sql is up to date")
        return 0
    if "--check" in arguments:
        print(
            "database/schema.sql is not what the migrations make; run 'make schema' and commit the outcome",
            file=sys.stderr,
        )
        return 1
    FILE.write_text(text)
    print("written: database/schema.sql")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
