"""What a log line never holds, though an exception brings it along."""

import json
import logging
import sys

import psycopg
import pytest

from penguinmails.logging import logger
from tests.support.connections import as_owner


def exception_as_written() -> str:
    """What `logger.exception` would write of the exception that is being handled."""
    record = logging.LogRecord("penguinmails", logging.ERROR, "x.py", 1, "request failed", None, sys.exc_info())
    return json.loads(logger.registered_formatter.format(record))["exception"]


def break_a_rule() -> None:
    """Have PostgreSQL quote a row in its error."""
    person = {"name": 'Zoë "Z" \\ \n O\'Neill\n\n', "phone": "+49 30 1234"}
    as_owner().execute("CREATE TEMPORARY TABLE IF NOT EXISTS people (name text, id int NOT NULL, phone text)")
    as_owner().execute("INSERT INTO people VALUES (%(name)s, NULL, %(phone)s)", person)


def test_a_row_that_the_database_quotes_is_not_written() -> None:
    try:
        break_a_rule()
    except psycopg.IntegrityError as error:
        assert "+49 30 1234" in str(error)
        written = exception_as_written()

    assert 'null value in column "id"' in written
    assert written.endswith("DETAIL:  [redacted]")


def test_what_follows_a_quoted_row_is_written() -> None:
    try:
        try:
            break_a_rule()
        except psycopg.IntegrityError as refused:
            raise ConnectionError("gone") from refused
    except ConnectionError:
        written = exception_as_written()

    assert "1234" not in written
    assert written.endswith("ConnectionError: gone")


@pytest.mark.parametrize("address", ["zoë.o+x@mail.example.com", "zoe@example.com"])
def test_an_address_is_not_written(address: str) -> None:
    try:
        raise ValueError(f"550 no mailbox <{address}> here")
    except ValueError:
        written = exception_as_written()

    assert written.endswith("550 no mailbox <[address]> here")
