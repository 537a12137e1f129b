"""The rules of webhooks: which URLs and event types are possible, and how the secret comes and goes."""

from typing import Any
from uuid import UUID

from penguinmails.auth.scopes import Scope
from penguinmails.db import Tx
from penguinmails.domain.endpoints import check_url
from penguinmails.domain.webhook_filters import ID_LISTS, compile_filter, with_plain_ids
from penguinmails.domain.webhook_headers import check_headers
from penguinmails.domain.webhook_signature import new_secret
from penguinmails.errors import FieldError, InsufficientPermissions, NotFound, QuotaExceeded, ValidationFailed
from penguinmails.events.catalogue import API_VERSION, EVENT_TYPES
from penguinmails.ids import new_uuid4
from penguinmails.vault import delete_secret, secret_path, write_secret
from webhooks import replay_repository, repository, secrets
from webhooks.repository import WebhookRow

_CHANGEABLE = (
    "name", "description", "endpoint_url", "event_types", "event_filters", "is_active", "retry_enabled",
    "max_retries", "timeout_seconds", "max_per_second", "ordering", "batch_size", "batch_wait_seconds",
)  # fmt: skip


def create_webhook(
    tx: Tx, values: dict[str, Any], *, scopes: frozenset[Scope], created_by: UUID
) -> tuple[WebhookRow, str]:
    """Add a webhook; its row, and the secret to be shown once.

    The secret is written to Vault first: a webhook that PostgreSQL knows can always sign.
    """
    check_url(values["endpoint_url"], field="endpoint_url")
    check_event_types(values["event_types"], scopes)
    filters = _checked_filters(tx, values["event_filters"])
    headers = values["custom_headers"] or {}
    check_headers(headers)
    present, allowed = repository.count_and_limit(tx)
    if present >= allowed:
        raise QuotaExceeded(
            f"The plan allows {allowed} webhooks and all are used. Delete one, or choose a larger plan."
        )
    webhook_id, secret = new_uuid4(), new_secret()
    path = secret_path("webhooks", str(tx.tenant_id), str(webhook_id))
    write_secret(path, {"secret": secret, "headers": headers}, expected_version=0)
    repository.insert_webhook(
        tx,
        {
            **{name: values[name] for name in _CHANGEABLE},
            "event_filters": filters,
            "id": webhook_id,
            "secret_ref": path,
            "secret_last3": secret[-3:],
            "custom_header_names": sorted(headers),
            "api_version": API_VERSION,
            "created_by": created_by,
        },
    )
    return existing(tx, webhook_id), secret


def update_webhook(tx: Tx, webhook_id: UUID, changes: dict[str, Any], *, scopes: frozenset[Scope]) -> WebhookRow:
    """Change the given fields, save whether it is paused."""
    present = existing(tx, webhook_id, lock=True)
    if "endpoint_url" in changes:
        check_url(changes["endpoint_url"], field="endpoint_url")
    if "event_filters" in changes:
        changes = {**changes, "event_filters": _checked_filters(tx, changes["event_filters"])}
    # A new address carries everything elsewhere, and which events a new filter takes tells what is in them: both need what
    # subscribing to everything needs.
    concerns_all = (
        "endpoint_url" in changes or changes.get("event_filters", present.event_filters) != present.event_filters
    )
    wanted = changes.get("event_types", present.event_types)
    check_event_types(wanted if concerns_all else sorted(set(wanted) - set(present.event_types)), scopes)
    repository.update_webhook(
        tx, webhook_id, {name: changes.get(name, getattr(present, name)) for name in _CHANGEABLE if name != "is_active"}
    )
    if "custom_headers" in changes:
        headers = changes["custom_headers"] or {}
        check_headers(headers)
        secrets.replace_headers(tx, present, headers)
    return existing(tx, webhook_id)


def rotate_secret(tx: Tx, webhook_id: UUID, *, overlap_hours: int) -> tuple[WebhookRow, str]:
    """Replace the signing secret; the row as it is then, and the new secret, to be shown once."""
    secret = secrets.rotate(tx, existing(tx, webhook_id, lock=True), overlap_hours=overlap_hours)
    return existing(tx, webhook_id), secret


def delete_webhook(tx: Tx, webhook_id: UUID) -> None:
    """Stop deliveries and, once that is committed, forget the secret."""
    present = existing(tx, webhook_id, lock=True)
    repository.delete_webhook(tx, webhook_id)
    replay_repository.end_replays(tx, webhook_id)
    tx.after_commit(lambda: delete_secret(present.secret_ref))


def existing(tx: Tx, webhook_id: UUID, *, lock: bool = False) -> WebhookRow:
    """A webhook that is there, or NotFound."""
    row = repository.find_webhook(tx, webhook_id, lock=lock)
    if row is None:
        raise NotFound.of("webhook", webhook_id)
    return row


def _checked_filters(tx: Tx, document: dict[str, Any] | None) -> dict[str, Any] | None:
    """A filter as it is stored. It must be understood, and name workspaces and campaigns of the account."""
    if not document:
        return None
    compile_filter(document)
    document = with_plain_ids(document)
    named = {part: [UUID(text) for text in document.get(part, [])] for part in ID_LISTS}
    missing = repository.missing(tx, **named)
    errors = [
        FieldError(f"event_filters.{part}[{position}]", "is not there", "unknown_reference")
        for part, ids in named.items()
        for position, found in enumerate(ids)
        if found in missing
    ]
    if errors:
        raise ValidationFailed("The filter names what is not there; see errors.", errors=errors)
    return document


def check_event_types(event_types: list[str], scopes: frozenset[Scope]) -> None:
    """A subscription carries data out, so it needs the scope that reading that data needs."""
    lacking = {name: EVENT_TYPES[name].scope for name in event_types if EVENT_TYPES[name].scope not in scopes}
    if not lacking:
        return
    needed = sorted({scope.value for scope in lacking.values()})
    raise InsufficientPermissions(
        f"Receiving {', '.join(sorted(lacking))} needs the scope {' and '.join(needed)}. Use a key or role that has it.",
        errors=[FieldError("event_types", f"{name} needs {scope.value}", "scope") for name, scope in lacking.items()],
        required_scopes=needed,
        available_scopes=sorted(scope.value for scope in scopes),
    )
