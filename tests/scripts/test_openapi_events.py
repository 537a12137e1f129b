"""The description of webhook posts against what is really posted."""

import json
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_type_hints
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from penguinmails.db_values import compact_json
from penguinmails.events.catalogue import EVENT_TYPES, Event
from penguinmails.ids import event_public_id
from penguinmails.webhook_posts.request import Message, envelope
from scripts.openapi.events import schema_name

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).resolve().parents[2] / "openapi.json").read_text())
_moments = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def _posted(event: Event) -> dict[str, Any]:
    """What a receiver gets: the event as it is stored, in its envelope."""
    stored = json.loads(compact_json(asdict(event)))
    message = Message(
        delivery_id=uuid4(),
        event_id=event_public_id(uuid4()),
        event_type=event.type,
        created_at=datetime.now(UTC),
        api_version="v1",
        tenant_id=uuid4(),
        workspace_id=None,
        is_test=True,
        data=stored,
        url="",
        timeout_seconds=5,
    )
    return json.loads(envelope(message))


def _events(kind: type[Event]) -> st.SearchStrategy[Event]:
    """Events of a type, optional fields included."""
    names = {field.name for field in fields(kind)}
    return st.builds(
        kind, **{n: _moments if hint is datetime else ... for n, hint in get_type_hints(kind).items() if n in names}
    )


def test_every_event_type_is_described_with_the_scope_that_it_takes() -> None:
    described = {name: item["post"]["x-required-scope"] for name, item in DOCUMENT["x-webhooks"].items()}

    assert described == {name: [kind.scope.value] for name, kind in EVENT_TYPES.items()}


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_what_is_posted_fits_its_description_and_holds_nothing_else(event_type: str) -> None:
    schema = DOCUMENT["components"]["schemas"][schema_name(event_type)]
    validator = OAS30Validator(schema, format_checker=oas30_format_checker)

    @settings(max_examples=20, deadline=None)
    @given(event=_events(EVENT_TYPES[event_type]))
    def fits(event: Event) -> None:
        document = _posted(event)
        assert [error.message for error in validator.iter_errors(document)] == []
        assert set(document) == set(schema["required"])
        assert set(schema["properties"]) - set(document) == {"truncated"}
        assert set(document["data"]) == set(schema["properties"]["data"]["properties"])

    fits()
