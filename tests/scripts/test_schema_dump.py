"""The dump of the schema, from which a reader learns what the migrations add up to."""

import os
import re

import psycopg

from database.migrate import migrate
from local.dump_schema import FILE, dump
from local.services.postgres import Postgres
from tests.support.catalogue import tables


def test_the_committed_dump_is_what_the_migrations_make() -> None:
    text = dump(os.environ["MIGRATIONS_DATABASE_URL"])

    assert FILE.read_text() == text, "database/schema.sql is outdated: run 'make schema' and commit it"


def test_the_dump_holds_every_table_with_its_row_security_and_no_partition() -> None:
    text = FILE.read_text()
    created = set(re.findall(r"^CREATE TABLE public\.(\w+)", text, re.MULTILINE))
    forced = set(re.findall(r"^ALTER TABLE ONLY public\.(\w+) FORCE ROW LEVEL SECURITY", text, re.MULTILINE))
    found = tables(os.environ["MIGRATIONS_DATABASE_URL"])

    assert created == {table.name for table in found if table.parent is None}
    assert forced == {table.name for table in found if table.parent is None and table.forced}


def test_the_dump_is_the_same_in_another_month(postgres: Postgres) -> None:
    """Partitions come and go with the calendar; only a migration may change the dump."""
    postgres.create_database("schema_dump")
    url = postgres.url("schema_dump")
    migrate(url)
    before = dump(url)
    with psycopg.connect(url) as connection:
        made = connection.execute("SELECT * FROM maintain_partitions((current_date + interval '2 months')::date)")
        assert made.rowcount > 0
        connection.commit()

    assert dump(url) == before
