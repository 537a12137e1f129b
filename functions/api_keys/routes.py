"""HTTP of API keys."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from api_keys import repository, service
from api_keys.repository import KeyRow
from api_keys.schemas import (
    ApiKeyChange,
    ApiKeyDetails,
    ApiKeyItem,
    ApiKeySecret,
    ApiUsage,
    CountryUsage,
    EndpointUsage,
    KeyStatus,
    NetworkUsage,
    NewApiKey,
    RevokeAllKeys,
    RevokedApiKey,
    RevokedApiKeys,
    UsageDay,
)
from penguinmails import ratelimit
from penguinmails.auth.key_format import masked
from penguinmails.auth.scopes import Scope
from penguinmails.db import Tx, columns_of
from penguinmails.errors import DomainError, NotFound
from penguinmails.http.access import session
from penguinmails.http.caller import Caller
from penguinmails.http.idempotency import Replayed
from penguinmails.http.models import Page
from penguinmails.http.pages import PageRequest, page_of, paged
from penguinmails.http.problems import problems
from penguinmails.logging import logger

router = APIRouter(tags=["API keys"])
_KEYS = "/api/v1/platform/api-keys"
_STEP_UP = "api_keys"

Manager = Annotated[Caller, session("owner", "admin", "developer")]
Viewer = Annotated[Caller, session()]
SteppedUp = Annotated[Caller, session("owner", "admin", "developer", step_up=_STEP_UP)]
Emergency = Annotated[Caller, session("owner", "admin", step_up=_STEP_UP)]
_CREATIONS_PER_HOUR = 10


def _limit_creations(caller: Caller) -> None:
    """A tenant makes or remakes at most ten keys per hour: the bucket refills one in six minutes."""
    admitted, state = ratelimit.take_hourly(f"key_creations:{caller.tenant_id}", per_hour=_CREATIONS_PER_HOUR)
    if not admitted:
        raise ratelimit.refuse_hourly(state, "API keys can be created or regenerated", _CREATIONS_PER_HOUR)


def _item_values(row: KeyRow, rate_limit: int) -> dict[str, Any]:
    return {
        "key_id": row.id,
        "name": row.name,
        "masked_key": masked(row.key_prefix, row.key_last4),
        "environment": row.mode,
        "permissions": [Scope(scope) for scope in row.permissions],
        "rate_limit": rate_limit,
        "status": row.status,
        "created_at": row.created_at,
        "created_by": row.created_by,
        "last_used": row.last_used_at,
        "request_count": row.requests,
        "error_count": row.errors,
        "expires_at": row.expires_at,
        "allowed_cidrs": row.allowed_cidrs,
        "monthly_quota": row.monthly_quota,
        "revoked_at": row.revoked_at,
    }


def _item(tx: Tx, key_id: UUID) -> ApiKeyItem:
    row = repository.find_key(tx, key_id)
    if row is None:
        raise NotFound.of("API key", key_id)
    return ApiKeyItem(**_item_values(row, repository.tenant_rate_limit(tx)))


def _figures(tx: Tx, key_id: UUID | None) -> dict[str, Any]:
    """The fields of UsageFigures, of one key or of all."""
    return {
        "usage_by_day": [UsageDay(**columns_of(row)) for row in repository.usage_by_day(tx, key_id)],
        "top_endpoints": [EndpointUsage(**columns_of(row)) for row in repository.top_endpoints(tx, key_id)],
        "by_country": [CountryUsage(**columns_of(row)) for row in repository.usage_by_country(tx, key_id)],
        "top_networks": [NetworkUsage(**columns_of(row)) for row in repository.top_networks(tx, key_id)],
    }


@contextmanager
def _failure_on_record(caller: Caller) -> Generator[None]:
    """Leaves a trace of a key that could not be made for a reason of ours, which rolls everything else back."""
    try:
        yield
    except Exception as error:
        refused = isinstance(error, Replayed) or (isinstance(error, DomainError) and error.status < 500)
        if not refused:
            try:
                with caller.transaction() as tx:
                    caller.audit(tx, "api_key_creation_failed", resource_type="api_key", severity="warning")
            except Exception:  # the database is away too; the answer is about the first failure
                logger.warning("failure not recorded", exc_info=True)
        raise


@router.post(
    _KEYS,
    operation_id="createApiKey",
    summary="Create an API key",
    status_code=201,
    response_model=ApiKeySecret,
    responses=problems(409),
)
async def create_api_key(body: NewApiKey, caller: SteppedUp) -> Response:
    """Make a key for server-to-server use. The answer is the only place where the key itself is ever shown."""
    _limit_creations(caller)
    fields = service.KeyFields(
        name=body.name,
        permissions=[scope.value for scope in body.permissions],
        allowed_cidrs=body.allowed_cidrs,
        monthly_quota=body.monthly_quota,
        expires_at=body.expires_at,
    )
    with _failure_on_record(caller), caller.work() as work:
        key = service.create_key(work.tx, caller.user, body.environment, fields)
        caller.audit(
            work.tx,
            "api_key_created",
            resource_type="api_key",
            resource_id=str(key.id),
            details={"name": body.name, "permissions": fields.permissions, "environment": body.environment},
        )
        answer = ApiKeySecret(
            api_key=key.plaintext,
            key_id=key.id,
            name=body.name,
            permissions=body.permissions,
            environment=body.environment,
            rate_limit=key.rate_limit,
            expires_at=body.expires_at,
            created_at=key.created_at,
            warning=service.SHOWN_ONCE,
        )
        return work.answer(201, answer, without=frozenset({"api_key"}))


@router.get(_KEYS, operation_id="listApiKeys", summary="List API keys", responses=problems())
async def list_api_keys(
    caller: Viewer,
    page: Annotated[PageRequest, paged("created_at", "name")],
    status: Annotated[KeyStatus | None, Query(description="Only keys in this state.")] = None,
    search: Annotated[str | None, Query(max_length=50, description="A part of the name, in any case.")] = None,
) -> Page[ApiKeyItem]:
    """All keys of the account, live and test, revoked ones included; secrets are masked."""
    with caller.transaction() as tx:
        rate_limit = repository.tenant_rate_limit(tx)
        rows, total = repository.list_keys(tx, page.keyset(repository.KINDS), status=status, search=search)
    return page_of(page, rows, lambda row: ApiKeyItem(**_item_values(row, rate_limit)), total)


@router.get(
    _KEYS + "/{key_id}", operation_id="getApiKey", summary="Show an API key and its usage", responses=problems(404)
)
async def get_api_key(key_id: UUID, caller: Manager) -> ApiKeyDetails:
    """One key with its requests per day and its most used endpoints over 30 days."""
    with caller.transaction() as tx:
        return ApiKeyDetails(**_item(tx, key_id).model_dump(), **_figures(tx, key_id))


@router.put(_KEYS + "/{key_id}", operation_id="updateApiKey", summary="Change an API key", responses=problems(404, 409))
@router.patch(
    _KEYS + "/{key_id}",
    operation_id="patchApiKey",
    summary="Change an API key (alias of PUT)",
    responses=problems(404, 409),
)
async def change_api_key(key_id: UUID, body: ApiKeyChange, caller: SteppedUp) -> ApiKeyItem:
    """Rename a key, or change its scopes, networks, quota or expiry. Narrower rights hold on the very next request."""
    changes: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    changes = {
        name: value for name, value in changes.items() if value is not None or name in {"expires_at", "monthly_quota"}
    }
    with caller.transaction() as tx:
        announcement = service.change_key(tx, caller.user, key_id, changes)
        caller.audit(
            tx,
            "api_key_changed",
            resource_type="api_key",
            resource_id=str(key_id),
            details={"changed": sorted(changes)},
        )
        item = _item(tx, key_id)
    announcement.confirm()
    return item


@router.post(
    _KEYS + "/{key_id}/regenerate",
    operation_id="regenerateApiKey",
    summary="Replace the secret of an API key",
    response_model=ApiKeySecret,
    responses=problems(404, 409),
)
async def regenerate_api_key(key_id: UUID, caller: SteppedUp) -> Response:
    """Make a new secret for a key. The old one stops at once; id, name and scopes stay."""
    _limit_creations(caller)
    with caller.work() as work:
        row, key = service.regenerate_key(work.tx, caller.user, key_id)
        caller.audit(work.tx, "api_key_regenerated", resource_type="api_key", resource_id=str(key_id))
        answer = ApiKeySecret(
            api_key=key.plaintext,
            key_id=row.id,
            name=row.name,
            permissions=[Scope(scope) for scope in row.permissions],
            environment=row.mode,
            rate_limit=key.rate_limit,
            expires_at=row.expires_at,
            created_at=row.created_at,
            warning=service.OLD_KEY_REVOKED,
        )
        return work.answer(200, answer, without=frozenset({"api_key"}))


@router.delete(
    _KEYS + "/{key_id}", operation_id="revokeApiKey", summary="Revoke an API key", responses=problems(404, 409)
)
async def revoke_api_key(key_id: UUID, caller: SteppedUp) -> RevokedApiKey:
    """End a key for good: from this answer on it is refused everywhere. It stays listed."""
    with caller.transaction() as tx:
        revoked_at, announcement = service.revoke_key(tx, caller.user, key_id)
        caller.audit(tx, "api_key_revoked", resource_type="api_key", resource_id=str(key_id))
    announcement.confirm()
    return RevokedApiKey(message="The key is revoked and no longer accepted.", key_id=key_id, revoked_at=revoked_at)


@router.post(
    _KEYS + "/revoke-all",
    operation_id="revokeAllApiKeys",
    summary="Revoke every API key at once",
    response_model=RevokedApiKeys,
    responses=problems(409),
)
async def revoke_all_api_keys(body: RevokeAllKeys, caller: Emergency) -> Response:
    """For an emergency: end all keys of the account, live and test. From this answer on none is accepted anywhere.

    Asking again is safe, and repeats the announcement of keys that were revoked within the last hour.
    """
    with caller.work() as work:
        rows, announcement = service.revoke_all_keys(work.tx, caller.user)
        ids = [row.id for row in rows]
        caller.audit(
            work.tx,
            "api_keys_revoked_emergency",
            resource_type="tenant",
            resource_id=str(caller.tenant_id),
            severity="critical",
            details={"reason": body.reason, "incident_id": body.incident_id, "count": len(ids)},
        )
        message = f"{len(ids)} keys are revoked and no longer accepted."
        answer = work.answer(200, RevokedApiKeys(message=message, revoked=len(ids), key_ids=ids))
    announcement.confirm()
    return answer


@router.get(
    "/api/v1/tenant/analytics/api-usage",
    operation_id="getApiUsage",
    summary="Show the usage of all API keys",
    responses=problems(),
)
async def get_api_usage(caller: Manager) -> ApiUsage:
    """Requests and errors of all keys over the last 30 days, per day and by endpoint; up to a minute old."""
    with caller.transaction() as tx:
        figures = _figures(tx, None)
    days: list[UsageDay] = figures["usage_by_day"]
    return ApiUsage(requests=sum(day.requests for day in days), errors=sum(day.errors for day in days), **figures)
