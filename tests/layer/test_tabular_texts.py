"""Texts in cells: none is run by a spreadsheet, none is lost, and several share one cell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penguinmails.tabular.guards import guarded, unguarded
from penguinmails.tabular.lists import joined, parted
from tests.layer.test_tabular import anything

names = st.text(st.characters(blacklist_categories=("Cs",)) | st.sampled_from(' ,;|"'), max_size=8).map(str.strip)


@given(text=anything)
def test_a_guarded_text_begins_with_nothing_that_a_spreadsheet_runs_and_is_itself_again(text: str) -> None:
    assert guarded(text)[:1] not in set("=+-@\t\r\n＝＋－＠")
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["'tis", "'", "O'Brien", "' =1", "", "a=1"])
def test_an_apostrophe_that_guards_nothing_stays(text: str) -> None:
    assert (guarded(text), unguarded(text)) == (text, text)


@given(texts=st.lists(names.filter(bool), max_size=6))
def test_a_list_in_a_cell_is_read_as_it_was_written(texts: list[str]) -> None:
    assert parted(joined(texts)) == texts


@pytest.mark.parametrize(
    ("cell", "texts"),
    [
        ("x, y;z|w", ["x", "y", "z", "w"]),
        (' "a; b" , 5" pipe;"c', ["a; b", '5" pipe', '"c']),
        ('"a"b;', ['"a"b']),
        (" ;, ", []),
    ],
)
def test_lists_that_others_write_are_divided_at_every_divider_outside_of_quotation_marks(
    cell: str, texts: list[str]
) -> None:
    assert parted(cell) == texts
