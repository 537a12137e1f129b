"""Which tests go to the same worker process of pytest-xdist, in what order, and how little those wait for the collector."""

import gc
from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

_SLOW = (
    "tests/end_to_end/",
    "tests/local/",
    "tests/layer/test_vault_outage.py",
    "tests/layer/test_revocation_races.py",
)
"""They wait for servers; begun last, one worker would still run them when the other has nothing left."""
_LONG = (
    "tests/architecture/test_imports.py",
    "tests/architecture/test_restored_environments.py",
    "tests/functions/test_audience_reads.py",
    "tests/functions/test_closing_accounts.py",
    "tests/functions/test_contact_import_jobs.py",
    "tests/functions/test_plan_campaigns.py",
    "tests/functions/test_sending_pace.py",
    "tests/functions/test_webhook_order.py",
    "tests/functions/test_webhook_plans.py",
    "tests/functions/test_webhook_retries.py",
    "tests/layer/test_unsafe_start.py",
)
"""Their few tests take ten seconds and more, which the number of tests does not tell."""

_ALLOCATIONS = 50_000
"""Between two runs of the garbage collector; what the tests of this suite leave behind is little."""


def pytest_configure() -> None:
    """Collecting tests makes a million objects that stay: looking at them over and over is in vain."""
    gc.set_threshold(_ALLOCATIONS, 20, 20)


def pytest_collection_finish() -> None:
    """Nor is there any garbage among them when tests run."""
    gc.freeze()


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow and the long ones first, then the large files: the small ones fill up the end."""
    tests_of = Counter(_file(item.nodeid) for item in items)

    def place(item: pytest.Item) -> tuple[int, int]:
        if item.nodeid.startswith(_SLOW):
            return 0, 0
        return (1, 0) if item.nodeid.startswith(_LONG) else (2, -tests_of[_file(item.nodeid)])

    items.sort(key=place)


class _Files(LoadScopeScheduling):
    """A file's tests go to one worker, and those that drive the whole stack all to the same, so that it starts once."""

    def _split_scope(self, nodeid: str) -> str:
        file = _file(nodeid)
        drives_the_stack = file.startswith("tests/end_to_end/") and "fuzz" not in file and "soak" not in file
        return "tests/end_to_end" if drives_the_stack else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """See the class."""
    config.option.loadscopereorder = False
    return _Files(config, log)
