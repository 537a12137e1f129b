"""The spans that the code of a test writes to its log."""

from typing import Any, Literal

import pytest

from penguinmails.logging import logger


def watch_spans(monkeypatch: pytest.MonkeyPatch, kind: Literal["client", "consumer"]) -> list[dict[str, Any]]:
    """A list that every span of a kind joins when it ends, until the test does: `client` for posts and other calls to
    somebody, `consumer` for the work on a message."""
    written: list[dict[str, Any]] = []
    real = logger.info

    def keep(message: str, **more: Any) -> None:
        extra = more.get("extra", {})
        if extra.get("span_kind") == kind:
            written.append(extra)
        real(message, **more)

    monkeypatch.setattr(logger, "info", keep)
    return written
