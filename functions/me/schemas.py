"""What /api/v1/me answers."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from penguinmails.http.models import ResponseModel


class Limit(ResponseModel):
    """The caller's rate limit."""

    requests_per_minute: int = Field(description="Sustained rate.")
    burst: int = Field(description="Most requests at once after a pause.")
    remaining: int = Field(description="Requests that could be sent right now.")


class Me(ResponseModel):
    """The caller as the platform sees it."""

    kind: Literal["api_key", "user"]
    id: UUID = Field(description="Key id, or user id.")
    name: str = Field(description="Name of the key, or e-mail address of the user.")
    tenant_id: UUID
    mode: Literal["live", "test"] = Field(description="Which data set this credential sees.")
    plan: str
    role: str | None = Field(description="Tenant role of a user; null for keys.")
    scopes: list[str] = Field(description="What the credential may do.")
    rate_limit: Limit | None = Field(description="Null while the limiter cannot be reached.")
