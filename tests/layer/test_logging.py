"""What a log line never holds, though an exception brings it along."""

import json
import logging
from collections.abc import Callable

import psycopg
import pytest

from penguinmails.logging import logger
from tests.support.connections import as_owner


def as_logged(act: Callable[[], None], kind: type[Exception]) -> tuple[str, str]:
    """What the exception of an act says, and what `logger.exception` would write of it."""
    with pytest.raises(kind) as raised:
        act()
    error = raised.value
    record = logging.LogRecord(
        "penguinmails", logging.ERROR, "x.py", 1, "failed", None, (type(error), error, error.__traceback__)
    )
    return str(error), json.loads(logger.registered_formatter.format(record))["exception"]


def break_a_rule() -> None:
    """Have PostgreSQL quote a row in its error."""
    person = {"name": 'Zoë "Z" \\ \n O\'Neill\n\n', "phone": "+49 30 1234"}
    as_owner().execute("CREATE TEMPORARY TABLE IF NOT EXISTS people (name text, id int NOT NULL, phone text)")
    as_owner().execute("INSERT INTO people VALUES (%(name)s, NULL, %(phone)s)", person)


def fail_after_breaking_a_rule() -> None:
    try:
        break_a_rule()
    except psycopg.IntegrityError as refused:
        raise ConnectionError("gone") from refused


def test_a_row_that_the_database_quotes_is_not_written() -> None:
    said, written = as_logged(break_a_rule, psycopg.IntegrityError)

    assert "+49 30 1234" in said
    assert 'null value in column "id"' in written
    assert written.endswith("DETAIL:  [redacted]")


def test_what_follows_a_quoted_row_is_written() -> None:
    _, written = as_logged(fail_after_breaking_a_rule, ConnectionError)

    assert "1234" not in written
    assert written.endswith("ConnectionError: gone")


@pytest.mark.parametrize("address", ["zoë.o+x@mail.example.com", "zoe@example.com"])
def test_an_address_is_not_written(address: str) -> None:
    def refuse() -> None:
        raise ValueError(f"550 no mailbox <{address}> here")

    _, written = as_logged(refuse, ValueError)

    assert written.endswith("550 no mailbox <[address]> here")
