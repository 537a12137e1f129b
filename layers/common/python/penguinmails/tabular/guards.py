"""What keeps a spreadsheet from running a text: an apostrophe before it, which exports add and imports take away again.

Spreadsheets run what looks like a formula, whoever wrote it into a contact's name: a text that begins with =, +, -, @, a tab
or a line end (https://owasp.org/www-community/attacks/CSV_Injection). Texts that begin with apostrophes and one of these
are guarded too, so that each text is told from every other when it is read.
"""

import re

_GUARDED = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
APOSTROPHE = "'"


def guarded(text: str) -> str:
    """The text as a spreadsheet shows it and never runs it."""
    return APOSTROPHE + text if _GUARDED.match(text) else text


def unguarded(text: str) -> str:
    """What was guarded, as it was before; any other text as it is."""
    return text[1:] if text.startswith(APOSTROPHE) and _GUARDED.match(text) else text
