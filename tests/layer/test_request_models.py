"""What request bodies accept: the JSON types that the API document names, and nothing that merely resembles them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import Field, ValidationError

from penguinmails.http.models import Moment, RequestModel


class Inner(RequestModel):
    number: int = 0


class Body(RequestModel):
    flag: bool = False
    number: int | None = None
    share: float = 0.0
    at: Moment | None = None
    inner: Inner | None = None
    inners: list[Inner] = Field(default_factory=list[Inner])
    numbers: dict[str, int] = Field(default_factory=dict[str, int])


@pytest.mark.parametrize(
    "body",
    [
        {"flag": "yes"}, {"flag": 1}, {"number": "5"}, {"number": True}, {"number": 5.5}, {"share": "0.5"},
        {"share": True}, {"at": 0}, {"at": "0"}, {"at": "2026-01-31"}, {"at": "2026-01-31T12:00:00"}, {"at": True},
        {"at": "9999-12-31T23:59:59-10:00"}, {"at": "0001-01-01T00:00:00+10:00"}, {"inner": {"number": "5"}},
        {"inners": [{"number": "5"}]}, {"numbers": {"a": "5"}}, {"unknown": 1}, {"inner": {"unknown": 1}},
    ],
    ids=str,
)  # fmt: skip
def test_another_json_type_than_the_described_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Body.model_validate(body)


@pytest.mark.parametrize(
    "body",
    [
        {"flag": True}, {"number": 5}, {"number": None}, {"share": 1}, {"share": 0.5}, {"inner": {"number": 5}},
        {"inners": [{"number": 5}]}, {"numbers": {"a": 5}},
    ],
    ids=str,
)  # fmt: skip
def test_the_described_json_type_is_accepted(body: dict[str, Any]) -> None:
    assert Body.model_validate(body).model_dump(include=set(body), exclude_unset=True) == body


def test_a_moment_is_in_utc_whatever_its_offset() -> None:
    moment = Body.model_validate({"at": "2026-01-31T12:00:00+02:00"}).at

    assert moment == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert moment.tzinfo is UTC
