"""Checks every event that the code raises in a test against the catalogue's schema of its type."""

from functools import lru_cache
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from penguinmails.events import emit
from penguinmails.events.catalogue import EVENT_TYPES, Event


class NotOfTheCatalogue(AssertionError):
    """The code raised an event that receivers were not told of."""


@lru_cache(maxsize=64)
def _adapter(kind: type[Event]) -> TypeAdapter[Event]:
    return TypeAdapter(kind)


def check(event: Event) -> None:
    """Raises NotOfTheCatalogue unless the event is of a known type and its fields are what the type says."""
    kind = type(event)
    if EVENT_TYPES.get(kind.type) is not kind:
        raise NotOfTheCatalogue(f"{kind.__name__} is no entry of EVENT_TYPES")
    adapter = _adapter(kind)
    try:
        adapter.validate_json(adapter.dump_json(event, warnings="error"))
    except (ValidationError, ValueError) as error:
        raise NotOfTheCatalogue(f"{kind.type}: {error}") from error


def watch_emitted_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check from now on, until the test ends."""
    subject_of = emit.subject_of

    def checked(event: Event) -> Any:
        check(event)
        return subject_of(event)

    monkeypatch.setattr(emit, "subject_of", checked)
