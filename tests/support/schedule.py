"""Which tests go to the same worker process of pytest-xdist, and in what order."""

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


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones first, then the large files: the small ones fill up the end."""
    tests_of = Counter(_file(item.nodeid) for item in items)
    items.sort(
        key=lambda item: (0, 0) if item.nodeid.startswith(_SLOW) else (1, -tests_of[_file(item.nodeid)]),
    )


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
