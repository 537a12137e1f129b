"""Compares the statuses that the API documents declare with those that the suite has seen: `pytest --declared-statuses`.

Only a run of the whole suite can say which declared answers were never had. What was answered and is not declared is a
fault in any run.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.http import ANSWERED

_SENT_BY_WORKER = "answered_statuses"
_faults: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """See the module."""
    parser.addoption(
        "--declared-statuses",
        action="store_true",
        help="fail when a run of the whole suite never had an answer that the API documents declare",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """On the controller: take over what a worker process has seen."""
    ANSWERED.update((m, p, s) for m, p, s in getattr(node, "workeroutput", {}).get(_SENT_BY_WORKER, ()))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker: send what was seen. Where the run ends: compare, and fail."""
    sent: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if sent is not None:
        sent[_SENT_BY_WORKER] = sorted(ANSWERED)
    elif session.config.getoption("--declared-statuses"):
        _faults.extend(differences(ANSWERED))
        if _faults and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List what differs."""
    if _faults:
        terminalreporter.section("statuses of the API")
        for fault in _faults:
            terminalreporter.line(fault)


def differences(answered: Iterable[tuple[str, str, int]]) -> list[str]:
    """What is declared and was never answered, and the other way round; one sentence each."""
    from tests.support.operations import operations

    seen: dict[str, set[str]] = defaultdict(set)
    declared = {operation.id: set(operation.responses) for operation in operations()}
    names = {operation.id: str(operation) for operation in reversed(operations())}
    for method, path, status in answered:
        operation_id = _operation_of(method, path)
        if operation_id is not None:
            seen[operation_id].add(str(status))
    return [
        f"{names[id_]} ({id_}) {what}"
        for id_, statuses in declared.items()
        for what in (
            *(f"declares {status}, and no test has had it" for status in sorted(statuses - seen[id_])),
            *(f"answered {status}, and does not declare it" for status in sorted(seen[id_] - statuses)),
        )
    ]


def _operation_of(method: str, path: str) -> str | None:
    """The operation that a path leads to; a literal segment goes before a variable."""
    from tests.support.operations import operations

    path = re.sub(r"^/v1/", "/api/v1/", path)
    fitting = [
        operation
        for operation in operations()
        if operation.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", operation.path), path)
    ]
    return min(fitting, key=lambda operation: len(operation.path_parameters)).id if fitting else None
