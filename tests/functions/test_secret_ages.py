"""How long the oldest secret of each kind was not replaced is published, so that a forgotten one is seen."""

from collections.abc import Callable
from uuid import UUID

import pytest

from api_keys.app import handler as api_keys
from measure_targets import service
from measure_targets.app import handler as measure
from penguinmails.db import transaction
from staff.mail_server_repository import put_server
from tests.support.hooks import hook
from tests.support.http import call
from tests.support.people import signed_in
from tests.support.providers import configured
from tests.support.queues import run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks

DAYS = 9000
"""No other secret of the tests is as old."""


@pytest.fixture
def age_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], float]:
    """The published age of the oldest secret of a kind, in days."""

    def measured(kind: str) -> float:
        found: dict[str, float] = {}
        monkeypatch.setattr(service, "count", lambda _metric, value, type="", **_: found.update({type: value}))
        run_job(measure)
        return found[kind]

    return measured


def grow_old(tenant: TestTenant, table: str) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        statement = f"UPDATE {table} SET created_at = created_at - interval '{DAYS} days'"  # noqa: S608 - a name from below
        tx.run(statement, {})  # type: ignore[arg-type]


def test_a_webhook_s_secret_is_as_old_as_the_webhook_until_it_is_replaced(
    tenant: TestTenant, key: TestKey, receiver: Receiver, age_of: Callable[[str], float]
) -> None:
    made = hook(key, receiver)
    grow_old(tenant, "webhooks")
    assert age_of("webhook") == pytest.approx(DAYS, abs=1)

    call(webhooks, "PUT", f"/api/v1/webhooks/{made.id}", token=key.plaintext, json={"custom_headers": {"X-Mine": "1"}})
    assert age_of("webhook") == pytest.approx(DAYS, abs=1), "other headers are no other secret"
    replaced = call(webhooks, "POST", f"/api/v1/webhooks/{made.id}/rotate-secret", token=key.plaintext, json={})
    assert replaced.status == 200
    assert age_of("webhook") < DAYS - 1


def test_a_webhook_that_is_gone_has_no_secret(
    tenant: TestTenant, key: TestKey, receiver: Receiver, age_of: Callable[[str], float]
) -> None:
    made = hook(key, receiver)
    hook(key, receiver)
    grow_old(tenant, "webhooks")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhooks SET created_at = now() WHERE id <> %(id)s", {"id": UUID(made.id)})

    call(webhooks, "DELETE", f"/api/v1/webhooks/{made.id}", token=key.plaintext)

    assert age_of("webhook") < DAYS - 1


def test_an_api_key_is_as_old_as_its_last_regeneration_and_a_revoked_one_has_no_age(
    tenant: TestTenant, key: TestKey, age_of: Callable[[str], float]
) -> None:
    owner = signed_in(tenant)
    grow_old(tenant, "api_keys")
    assert age_of("api_key") == pytest.approx(DAYS, abs=1)

    path = f"/api/v1/platform/api-keys/{key.id}"
    assert owner.call(api_keys, "POST", f"{path}/regenerate", headers=owner.step_up()).status == 200
    assert age_of("api_key") < DAYS - 1

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE api_keys SET regenerated_at = NULL", {})
    assert age_of("api_key") == pytest.approx(DAYS, abs=1)
    owner.call(api_keys, "DELETE", path, headers=owner.step_up())
    assert age_of("api_key") < DAYS - 1


def test_a_provider_s_key_is_as_old_as_the_account_until_it_is_set_up_again(
    tenant: TestTenant, age_of: Callable[[str], float]
) -> None:
    configured(tenant, "postmark")
    grow_old(tenant, "provider_accounts")
    assert age_of("provider_account") == pytest.approx(DAYS, abs=1)

    configured(tenant, "postmark")

    assert age_of("provider_account") < DAYS - 1


def test_the_password_of_a_mail_server_is_as_old_as_the_server_until_another_is_put(
    tenant: TestTenant, age_of: Callable[[str], float]
) -> None:
    server = {"host": "mail.example.com", "port": 587, "security": "starttls", "username": "ada"}

    def put(version: int) -> None:
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            put_server(tx, {**server, "secret_ref": "smtp/x", "secret_version": version})

    put(1)
    grow_old(tenant, "mail_servers")
    assert age_of("mail_server") == pytest.approx(DAYS, abs=1)

    put(2)

    assert age_of("mail_server") < DAYS - 1


def test_a_signing_key_is_as_old_as_its_last_rotation(
    tenant: TestTenant, dns_sandbox: object, key: TestKey, age_of: Callable[[str], float]
) -> None:
    from domains.app import handler as domains

    made = call(domains, "POST", "/api/v1/domains", token=key.plaintext, json={"domain": f"{key.id}.example.com"})
    assert made.status == 201, made.body
    grow_old(tenant, "domains")
    assert age_of("dkim") == pytest.approx(DAYS, abs=1)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE domains SET dkim_rotated_at = now()", {})

    assert age_of("dkim") < DAYS - 1
