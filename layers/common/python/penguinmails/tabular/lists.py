"""A list of texts in one cell: divided by semicolons, in quotation marks where a text holds what divides them."""

import re
from collections.abc import Iterable

_DIVIDER = r"[,;|]"
_HOLDS_ANY = re.compile(r'[,;|"]')
_PART = re.compile(rf'\s*"((?:[^"]|"")*)"\s*(?:{_DIVIDER}|$)|([^,;|]*)(?:{_DIVIDER}|$)')


def joined(texts: Iterable[str]) -> str:
    """The texts as one cell."""
    return ";".join('"' + text.replace('"', '""') + '"' if _HOLDS_ANY.search(text) else text for text in texts)


def parted(cell: str) -> list[str]:
    """The texts of a cell, without blanks around them; those that are empty are left out. Commas and | divide them too."""
    if '"' not in cell:
        parts = re.split(_DIVIDER, cell)
    else:
        parts = [quoted.replace('""', '"') or plain for quoted, plain in _PART.findall(cell)]
    return [text for part in parts if (text := part.strip())]
