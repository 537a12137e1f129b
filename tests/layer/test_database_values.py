"""Lists and documents arrive in the database as they were and come back so, whatever they hold."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts.app import handler
from penguinmails.db import close_connection, jsonb, transaction

pytestmark = pytest.mark.usefixtures("platform")

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
awkward = st.sampled_from(
    ["", "NULL", "null", " ", '"', "\\", '\\"', "{}", ",", "a,b", "\n", "\t x ", "\u2003", "'", "%s"]
)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).flatmap(  # noqa: DTZ001 - a zone is added
    lambda moment: st.integers(-14, 14).map(lambda hours: moment.replace(tzinfo=timezone(timedelta(hours=hours))))
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | texts | awkward,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def reads_as_handlers_do() -> None:
    """On a connection that was opened after the handler was made."""
    assert handler
    close_connection("app")


def listed(elements: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.none() | elements, max_size=6)


@settings(deadline=None)
@given(
    texts=listed(texts | awkward),
    ids=listed(st.uuids()),
    numbers=listed(st.integers(-(2**63), 2**63 - 1)),
    moments=listed(moments),
    flags=listed(st.booleans()),
)
def test_a_list_arrives_with_the_elements_that_it_has(
    texts: list[str | None],
    ids: list[Any],
    numbers: list[int | None],
    moments: list[datetime | None],
    flags: list[bool | None],
) -> None:
    statements = {
        "SELECT unnest(%(it)s::text[])": texts,
        "SELECT unnest(%(it)s::uuid[])": ids,
        "SELECT unnest(%(it)s::bigint[])": numbers,
        "SELECT unnest(%(it)s::timestamptz[])": moments,
        "SELECT unnest(%(it)s::boolean[])": flags,
    }
    with transaction() as tx:
        for statement, sent in statements.items():
            assert tx.all(statement, {"it": sent}) == sent  # pyright: ignore[reportArgumentType]


@settings(deadline=None)
@given(sent=st.lists(documents, max_size=4))
def test_documents_arrive_as_they_are(sent: list[Any]) -> None:
    with transaction() as tx:
        assert tx.all("SELECT unnest(%(it)s::jsonb[])", {"it": [jsonb(document) for document in sent]}) == sent


@pytest.mark.usefixtures("reads_as_handlers_do")
@settings(deadline=None)
@given(document=st.lists(documents | st.floats(allow_nan=False, allow_infinity=False) | st.integers()))
def test_a_document_is_read_as_the_standard_library_reads_its_text(document: Any) -> None:
    with transaction() as tx:
        text = tx.one("SELECT (%(it)s::jsonb)::text", {"it": jsonb(document)})
        found = tx.one("SELECT %(it)s::jsonb", {"it": jsonb(document)})

    assert repr(found) == repr(json.loads(text))


@settings(deadline=None)
@given(
    rows=st.integers(1, 3).flatmap(lambda width: st.lists(st.lists(texts, min_size=width, max_size=width), min_size=1))
)
def test_a_list_of_lists_arrives_too(rows: list[list[str]]) -> None:
    with transaction() as tx:
        assert tx.one("SELECT %(it)s::text[]", {"it": rows}) == rows


def test_a_text_that_postgresql_cannot_hold_is_refused_and_never_cut_short() -> None:
    with transaction() as tx, pytest.raises(psycopg.DataError):
        tx.all("SELECT unnest(%(it)s::text[])", {"it": ["before\0after"]})


def test_what_a_list_holds_is_known_from_the_column_that_it_is_compared_with() -> None:
    with transaction() as tx:
        assert tx.all("SELECT id FROM tenants WHERE id = ANY(%(ids)s)", {"ids": [uuid4()]}) == []


def test_moments_of_a_document_are_written_as_rfc_3339_has_them() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6000, UTC)
    with transaction() as tx:
        (found,) = tx.all("SELECT unnest(%(it)s::jsonb[])", {"it": [jsonb({"at": moment})]})

    assert found == {"at": "2026-01-02T03:04:05.006000Z"}
