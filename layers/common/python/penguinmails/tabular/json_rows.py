"""JSON as rows: an array of objects, or one object per line, decoded one by one."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

from penguinmails.tabular.delimited import OpenAt
from penguinmails.tabular.layout import MAX_RECORD, FileFault, Layout, checked_header

SAMPLE = 1_000
"""So many objects say which columns there are."""
_GAP = re.compile(r"[ \t\r\n,]*")
_OPENING = re.compile(r"[ \t\r\n]*\[")


class JsonRows:
    """The objects of a file from a position on; `position` is that of what follows the last one given."""

    def __init__(self, layout: Layout, open_at: OpenAt, position: int, line: int) -> None:
        self._header = layout.header
        self._objects = _Objects(open_at(position), position, line, is_array=layout.is_array)

    @property
    def position(self) -> int:
        """Where the next object begins or its comma stands, in bytes."""
        return self._objects.position

    @property
    def line(self) -> int:
        """The number of the next object, from 1."""
        return self._objects.number

    def __iter__(self) -> Iterator[tuple[int, list[Any]]]:
        """Number of the object and its values in the order of the header. Raises FileFault."""
        for number, found in self._objects:
            yield number, [found.get(name) for name in self._header]


def inspect_json(chunks: Iterable[bytes]) -> Layout:
    """The layout of a JSON file: the keys of its first thousand objects are its columns. Raises FileFault."""
    keys: dict[str, None] = {}
    objects = _Objects(chunks, 0, 1)
    for number, found in objects:
        keys |= dict.fromkeys(found)
        if number >= SAMPLE:
            break
    if not keys:
        raise FileFault("empty", "The file holds no objects. Send an array of objects, or one object per line.")
    return Layout("json", "utf-8", "", checked_header(list(keys)), 0, 1, is_array=objects.is_array)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError("a number is too large")
    return number


class _Objects:
    def __init__(self, chunks: Iterable[bytes], position: int, number: int, *, is_array: bool = False) -> None:
        self.is_array = is_array
        self._chunks = iter(chunks)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._decode = json.JSONDecoder(parse_constant=_no_number, parse_float=_finite).raw_decode
        self._text = ""
        self._at = 0
        self._ended = False
        self.position = position
        self.number = number

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        self._more()
        if self.position == 0:
            self._consume(len("\ufeff") if self._text.startswith("\ufeff") else 0)
            opening = _OPENING.match(self._text, self._at)
            self._consume(opening.end() - self._at if opening else 0)
            self.is_array = opening is not None
        while self._to_next():
            found, end = self._object()
            self._consume(end - self._at)
            number, self.number = self.number, self.number + 1
            yield number, found

    def _to_next(self) -> bool:
        """Skip what stands between objects; False at the end."""
        while True:
            gap = _GAP.match(self._text, self._at)
            self._consume(gap.end() - self._at if gap else 0)
            if self._at < len(self._text):
                if self._text[self._at] != "]":
                    return True
                self._end_array()
                return False
            if self._ended:
                if self.is_array:
                    raise FileFault(
                        "malformed",
                        f"The file ends after object {self.number - 1} without the ] that closes its array. Is all of it there?",
                        self.number,
                    )
                return False
            self._more()

    def _end_array(self) -> None:
        """Nothing may follow: what did would be left out without a word."""
        self._consume(1)
        while not self._text[self._at :].strip():
            if self._ended:
                return
            self._more()
        raise FileFault(
            "malformed",
            f"Something stands after the ] that follows object {self.number - 1}. Make one array of all objects.",
            self.number,
        )

    def _object(self) -> tuple[dict[str, Any], int]:
        while True:
            try:
                found, end = self._decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if not self._ended and len(self._text) - self._at <= MAX_RECORD:
                    self._more()
                    continue
                raise self._unreadable(error) from None
            if not isinstance(found, dict):
                raise FileFault("malformed", f"Item {self.number} is no object with named fields.", self.number)
            return cast("dict[str, Any]", found), end

    def _unreadable(self, error: Exception) -> FileFault:
        if not self._ended:
            return FileFault(
                "record_too_long",
                f"Object {self.number} is longer than {MAX_RECORD} characters, or not valid JSON.",
                self.number,
            )
        reason = (
            error.msg
            if isinstance(error, json.JSONDecodeError)
            else "it is nested too deeply, or holds NaN, Infinity or a huge number"
        )
        return FileFault("malformed", f"Object {self.number} is not valid JSON: {reason}.", self.number)

    def _consume(self, characters: int) -> None:
        end = self._at + characters
        self.position += len(self._text[self._at : end].encode())
        self._at = end

    def _more(self) -> None:
        chunk = next(self._chunks, None)
        try:
            self._text = self._text[self._at :] + self._decoder.decode(chunk or b"", final=chunk is None)
        except UnicodeDecodeError:
            raise FileFault(
                "wrong_encoding",
                f"The file is not valid UTF-8 near object {self.number}. JSON is always UTF-8.",
                self.number,
            ) from None
        self._at = 0
        self._ended = chunk is None
