"""Webhooks: which endpoints are possible, what is shown, and how the secret is kept."""

from typing import Any
from uuid import uuid4

import pytest

from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from penguinmails.settings import get_settings
from penguinmails.vault import read_secret, secret_path
from tests.support.http import Answer, call
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler

WEBHOOKS = "/api/v1/webhooks"


def create(key: TestKey, **fields: Any) -> Answer:
    body = {"name": "CRM", "endpoint_url": "https://hooks.example.com/in", "event_types": ["email.sent"], **fields}
    return call(handler, "POST", WEBHOOKS, token=key.plaintext, json=body)


def test_the_secret_is_shown_once_and_kept_in_vault_alone(tenant: TestTenant, key: TestKey) -> None:
    created = create(key)

    assert created.status == 201
    secret = created.json["secret_key"]
    assert secret.startswith("whsec_")
    shown = call(handler, "GET", f"{WEBHOOKS}/{created.json['id']}", token=key.plaintext)
    assert shown.status == 200
    assert secret not in shown.body
    assert shown.json["masked_secret"] == f"whsec_...{secret[-3:]}"
    stored = read_secret(secret_path("webhooks", str(tenant.id), created.json["id"]))
    assert stored is not None
    assert stored.data["secret"] == secret
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert secret not in tx.one("SELECT row_to_json(w)::text FROM webhooks w", {})


def test_a_replayed_creation_carries_no_secret(key: TestKey) -> None:
    body = {"name": "CRM", "endpoint_url": "https://hooks.example.com/in", "event_types": ["email.sent"]}
    headers = {"Idempotency-Key": str(uuid4())}

    first = call(handler, "POST", WEBHOOKS, token=key.plaintext, json=body, headers=headers)
    again = call(handler, "POST", WEBHOOKS, token=key.plaintext, json=body, headers=headers)

    assert again.json == {**first.json, "secret_key": None}


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "http://example.com/",
        "https://",
        "nonsense",
        "https://user:pass@example.com/",
        "https://example.com:22/",
        "https://example.com:99999/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://[fd00::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://0x0a000001/",
        "https://167772161/",
        "https://api.example.test/hooks",
        "https://exa mple.com/",
    ],
)
def test_an_endpoint_that_is_not_a_public_https_address_is_refused(key: TestKey, url: str) -> None:
    answer = create(key, endpoint_url=url)

    assert answer.status == 400
    assert answer.json["errors"][0]["field"] == "endpoint_url"


@pytest.mark.parametrize("url", ["http://localhost:9000/", "http://127.0.0.1:9000/", "https://[::1]/"])
def test_localhost_is_possible_in_development_only(key: TestKey, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert create(key, endpoint_url=url).status == 201

    monkeypatch.setenv("ALLOW_LOCALHOST_WEBHOOKS", "false")
    get_settings.cache_clear()
    try:
        assert create(key, endpoint_url=url).status == 400
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"event_types": []}, "event_types"),
        ({"event_types": ["email.imagined"]}, "event_types.0"),
        ({"max_retries": 11}, "max_retries"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"secret_key": "mine"}, "secret_key"),
    ],
)
def test_a_bad_field_is_named(key: TestKey, fields: dict[str, Any], field: str) -> None:
    answer = create(key, **fields)

    assert answer.status == 400
    assert answer.json["errors"][0]["field"] == field


def test_a_subscription_needs_the_scope_of_its_data(tenant: TestTenant) -> None:
    key = tenant.key(Scope.MANAGE_WEBHOOKS)

    answer = create(key, event_types=["contact.created"])

    assert (answer.status, answer.code) == (403, "INSUFFICIENT_PERMISSIONS")
    assert answer.json["required_scopes"] == ["manage_contacts"]
    assert create(key, event_types=["api_key.created"]).status == 201


def test_a_subscription_cannot_be_redirected_without_the_scope_of_its_data(tenant: TestTenant, key: TestKey) -> None:
    webhook_id = create(key, event_types=["contact.created"]).json["id"]
    path, limited = f"{WEBHOOKS}/{webhook_id}", tenant.key(Scope.MANAGE_WEBHOOKS).plaintext

    redirected = call(handler, "PUT", path, token=limited, json={"endpoint_url": "https://elsewhere.example.com/"})

    assert (redirected.status, redirected.code) == (403, "INSUFFICIENT_PERMISSIONS")
    assert call(handler, "PUT", path, token=limited, json={"name": "renamed"}).status == 200


def test_the_console_path_serves_the_same(key: TestKey) -> None:
    webhook_id = create(key).json["id"]

    answer = call(handler, "GET", f"/api/v1/platform/webhooks/{webhook_id}", token=key.plaintext)

    assert (answer.status, answer.json["id"]) == (200, webhook_id)


def test_a_change_holds_and_is_audited(tenant: TestTenant, key: TestKey) -> None:
    webhook_id = create(key).json["id"]

    changed = call(
        handler, "PUT", f"{WEBHOOKS}/{webhook_id}", token=key.plaintext, json={"is_active": False, "name": "Renamed"}
    )

    assert changed.status == 200
    assert (changed.json["name"], changed.json["status"]) == ("Renamed", "paused")
    with transaction(tenant_id=tenant.id) as tx:
        details = tx.one("SELECT details FROM audit_log WHERE event = 'webhook_updated'", {})
    assert details == {"changed": ["is_active", "name"]}


def test_the_audit_trail_names_a_pause_and_a_resumption_however_they_are_asked_for(
    tenant: TestTenant, key: TestKey
) -> None:
    path = f"{WEBHOOKS}/{create(key).json['id']}"

    for is_active in (False, False, True, True):
        assert call(handler, "PUT", path, token=key.plaintext, json={"is_active": is_active}).status == 200
    by_change = paused_and_resumed(tenant)
    for what in ("pause", "pause", "resume"):
        assert call(handler, "POST", f"{path}/{what}", token=key.plaintext, json={}).status == 200

    assert by_change == ["webhook_paused", "webhook_resumed"], "only what has changed something"
    assert paused_and_resumed(tenant) == ["webhook_paused", "webhook_resumed"] * 2


def paused_and_resumed(tenant: TestTenant) -> list[str]:
    with transaction(tenant_id=tenant.id) as tx:
        return tx.all(
            "SELECT event FROM audit_log WHERE event IN ('webhook_paused', 'webhook_resumed') ORDER BY created_at", {}
        )


def test_a_deleted_webhook_is_gone_with_its_secret(tenant: TestTenant, key: TestKey) -> None:
    webhook_id = create(key).json["id"]

    deleted = call(handler, "DELETE", f"{WEBHOOKS}/{webhook_id}", token=key.plaintext)

    assert deleted.json == {"id": webhook_id, "deleted": True}
    assert call(handler, "GET", f"{WEBHOOKS}/{webhook_id}", token=key.plaintext).status == 404
    assert read_secret(secret_path("webhooks", str(tenant.id), webhook_id)) is None


def test_lists_are_filtered(key: TestKey) -> None:
    create(key, name="one")
    create(key, name="two", event_types=["campaign.paused"], is_active=False)

    def names(**query: str) -> list[str]:
        answer = call(handler, "GET", WEBHOOKS, token=key.plaintext, query=query)
        assert answer.status == 200
        return [item["name"] for item in answer.json["data"]]

    assert names() == ["two", "one"]
    assert names(event="email.sent") == names(active="true") == names(search="ONE") == ["one"]


def test_another_tenant_and_another_mode_find_nothing(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey
) -> None:
    path = f"{WEBHOOKS}/{create(key).json['id']}"

    for stranger in (other_tenant.key(), tenant.key(mode="test")):
        assert call(handler, "GET", path, token=stranger.plaintext).status == 404
        assert call(handler, "PUT", path, token=stranger.plaintext, json={"name": "x"}).status == 404
        assert call(handler, "DELETE", path, token=stranger.plaintext).status == 404


def test_the_plans_limit_is_kept(tenant: TestTenant, key: TestKey) -> None:
    with transaction(role="jobs") as tx:
        tx.run(
            "INSERT INTO tenant_overrides (tenant_id, limits, reason) VALUES (%(id)s, '{\"max_webhooks\": 1}', 'test')",
            {"id": tenant.id},
        )

    assert create(key).status == 201
    assert create(key).code == "QUOTA_EXCEEDED"
