"""What the tests of the one-machine stack share."""

from pathlib import Path

import pytest

from tests.local.sample import make_checkout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with the one function `sample`."""
    return make_checkout(tmp_path)
