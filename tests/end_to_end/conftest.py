"""One stack for all end-to-end tests of a worker process."""

from collections.abc import Iterator

import pytest

from tests.support.running_stack import RunningStack
from tests.support.secret_watch import leaks_in


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The stack; a test that breaks something mends it."""
    stack = RunningStack(tmp_path_factory.mktemp("stack"))
    yield stack
    stack.stop()
    leaks = {str(file): found for file, text in stack.all_logs().items() if (found := leaks_in(text))}
    assert leaks == {}


@pytest.fixture(scope="session")
def key(running: RunningStack) -> str:
    """The API key of a customer on the enterprise plan."""
    return running.new_customer()
