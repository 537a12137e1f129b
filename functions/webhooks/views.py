"""Webhooks as the API shows them."""

from typing import Any

from webhooks.repository import WebhookRow
from webhooks.schemas import Webhook


def webhook_values(row: WebhookRow) -> dict[str, Any]:
    """The fields of Webhook; the secret is masked."""
    values = {name: getattr(row, name) for name in Webhook.model_fields if name not in {"masked_secret", "status"}}
    active, resting = ("failing" if row.is_failing else "active"), ("inactive" if row.paused_reason else "paused")
    return {**values, "masked_secret": f"whsec_...{row.secret_last3}", "status": active if row.is_active else resting}


def webhook_view(row: WebhookRow) -> Webhook:
    """One webhook."""
    return Webhook(**webhook_values(row))
