"""Servers that a test may break."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.services.valkey import Valkey
from penguinmails import cache
from penguinmails.settings import get_settings


@pytest.fixture
def own_valkey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Valkey]:
    """A server that the test may stop without harm to others."""
    server = Valkey(tmp_path / "valkey", durable=False)
    server.start()
    with monkeypatch.context() as patch:
        patch.setenv("REDIS_URL", server.url)
        get_settings.cache_clear()
        cache.forget_connection()
        yield server
    get_settings.cache_clear()
    cache.forget_connection()
    server.stop()
