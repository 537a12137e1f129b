"""Fails a test whose output holds a secret that any test has made: keys, passwords, tokens, links, signing keys.

Helpers tell `remember` what is secret; the hook at the end looks at all that a test's functions have written.
"""

import json
import os
import re
from collections.abc import Generator, Mapping
from typing import Any

import pytest

_SHORTEST = 12
"""Characters; what is shorter is found in innocent text."""
_SECRET_NAME = re.compile(r"password|token$|secret|api_key$|recovery_codes?$|otpauth", re.IGNORECASE)
_SECRET_HEADERS = {"authorization", "x-reauth-token", "x-csrf-token", "cookie", "set-cookie"}

_kinds: dict[str, str] = {}
_heads: dict[str, list[str]] = {}


def remember(kind: str, value: str) -> None:
    """From now on no output may hold `value`; `kind` says in a failure what it was."""
    if len(value) >= _SHORTEST and value not in _kinds:
        _kinds[value] = kind
        _heads.setdefault(value[:_SHORTEST], []).append(value)


def remember_document(document: Any, name: str = "") -> None:
    """Remember the values of a JSON document whose names say that they are secret."""
    if isinstance(document, dict):
        for key, value in document.items():
            remember_document(value, str(key))
    elif isinstance(document, list):
        for value in document:
            remember_document(value, name)
    elif isinstance(document, str) and _SECRET_NAME.search(name):
        remember(name, document)


def remember_text(text: str | bytes | None) -> None:
    """The same for a JSON text; anything else holds nothing that could be told from other text."""
    try:
        remember_document(json.loads(text or "null"))
    except (ValueError, RecursionError):
        return


def remember_headers(headers: Mapping[str, str]) -> None:
    """Remember credentials, with and without their scheme's name, and the values of cookies."""
    for name, value in headers.items():
        if name.lower() in _SECRET_HEADERS:
            remember_credential(name.lower(), value)


def remember_credential(kind: str, value: str) -> None:
    """Remember the parts of a header that can be secret: `Bearer x`, `a=x; b=y`."""
    for part in re.split(r"[ ;]", value):
        remember(kind, part.partition("=")[2] if "cookie" in kind else part)


def leaks_in(text: str) -> list[str]:
    """The kinds of the remembered secrets that a text holds, never the secrets themselves."""
    # Without a loop of Python's own: it is done for all that every test writes.
    starts = range(len(text) - _SHORTEST + 1)
    parts = map(text.__getitem__, map(slice, starts, range(_SHORTEST, len(text) + 1)))
    found: set[str] = set()
    for head in _heads.keys() & parts:
        found |= {_kinds[secret] for secret in _heads[head] if secret in text}
    return sorted(found)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a phase of a test that wrote a secret."""
    report = yield
    written = "".join(content for title, content in report.sections if title.endswith(f" {call.when}"))
    if leaks := leaks_in(written):
        message = f"the output holds a secret: {', '.join(leaks)}"
        if report.outcome == "passed":
            report.outcome = "failed"
            report.longrepr = message
        else:
            report.sections.append(("Secrets", message))
    elif report.passed and "PYTEST_XDIST_WORKER" in os.environ:
        # Nobody reads it, and all of it would be sent to the process that prints the results, which keeps it.
        report.sections.clear()
    return report
