"""Base classes of request and response models."""

from typing import Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Item = TypeVar("Item")


def _storable(text: str) -> str:
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not hold NUL characters or unpaired surrogates")
    return text


Storable = AfterValidator(_storable)
"""For every free text: PostgreSQL keeps any but NUL characters and unpaired surrogates."""


class RequestModel(BaseModel):
    """A request body: unknown fields are refused, strings are trimmed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class ResponseModel(BaseModel):
    """A response body."""

    model_config = ConfigDict(frozen=True)


class Pagination(ResponseModel):
    """Where this page stands in its list."""

    limit: int = Field(description="Most items that this page could hold.")
    has_more: bool = Field(description="Whether items follow this page.")
    next_cursor: str | None = Field(default=None, description="Pass as `cursor` for the next page; valid for 24 hours.")
    offset: int | None = Field(
        default=None, description="Position of the first item, when the page was asked for by offset."
    )
    total: int | None = Field(
        default=None, description="Number of items in the list, when the page was asked for by offset."
    )


class Page(ResponseModel, Generic[Item]):
    """A collection: its items and where the page stands."""

    data: list[Item]
    pagination: Pagination
