"""What the people behind API keys are told, and the emergency stop."""

from typing import Any

import pytest

from api_keys.app import handler as keys_handler
from collect_usage.app import handler as collect
from local.services.mail import MailCatcher
from me.app import handler as me_handler
from penguinmails.auth import usage
from penguinmails.db import transaction
from penguinmails.vault import read_secret, secret_path
from review_api_keys.app import handler as review
from send_platform_mail.app import handler as send
from tests.support.http import call
from tests.support.people import signed_in
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant

REVOKE_ALL = "/api/v1/platform/api-keys/revoke-all"


def change_keys(tenant: TestTenant, assignments: str) -> None:
    with transaction(tenant_id=tenant.id) as tx:
        tx.run(f"UPDATE api_keys SET {assignments}", {})  # type: ignore[arg-type]  # noqa: S608 - texts of this file


def reviewed(tenant: TestTenant, mail_catcher: MailCatcher) -> list[str]:
    """Subjects of the mails that a review sends to the tenant's owner."""
    with transaction(tenant_id=tenant.id) as tx:
        email = tx.one("SELECT email FROM users WHERE role = 'owner' LIMIT 1", {})
    before = len(mail_catcher.mails_to(email))
    run_job(review)
    consume(send, *messages_for("platform_mail", tenant.id))
    return [mail.subject for mail in mail_catcher.mails_to(email)[before:]]


def count_usage(tenant: TestTenant, key: TestKey, statuses: dict[int, int]) -> None:
    with transaction(role="jobs") as tx:
        for status, times in statuses.items():
            tx.run(
                """
                INSERT INTO api_key_usage (id, tenant_id, api_key_id, endpoint, method, status_code, response_time_ms,
                                           created_at)
                SELECT gen_random_uuid(), %(tenant)s, %(key)s, '/api/v1/me', 'GET', %(status)s, 1, now()
                FROM generate_series(1, %(times)s)
                """,
                {"tenant": tenant.id, "key": key.id, "status": status, "times": times},
            )


def test_the_maker_of_a_key_is_reminded_at_90_days_and_each_30_days_after(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    change_keys(tenant, "created_at = now() - interval '89 days'")
    assert reviewed(tenant, mail_catcher) == []

    change_keys(tenant, "created_at = now() - interval '91 days'")
    assert reviewed(tenant, mail_catcher) == ["An API key is due for renewal"]
    assert reviewed(tenant, mail_catcher) == []

    change_keys(tenant, "age_reminded_at = now() - interval '31 days'")
    assert reviewed(tenant, mail_catcher) == ["An API key is due for renewal"]


def test_a_new_secret_makes_a_key_young_again(tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher) -> None:
    change_keys(tenant, "created_at = now() - interval '300 days', regenerated_at = now() - interval '5 days'")

    assert reviewed(tenant, mail_catcher) == []


def test_a_key_that_expires_within_a_week_is_announced_once(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    change_keys(tenant, "expires_at = now() + interval '8 days'")
    assert reviewed(tenant, mail_catcher) == []

    change_keys(tenant, "expires_at = now() + interval '6 days'")
    assert reviewed(tenant, mail_catcher) == ["An API key is about to expire"]
    assert reviewed(tenant, mail_catcher) == []


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        ({200: 80, 404: 20}, False),
        ({200: 79, 404: 21}, True),
        ({404: 99}, False),
        ({200: 1000, 429: 50}, False),
        ({200: 1000, 429: 51}, True),
    ],
)
def test_a_key_with_many_errors_or_refusals_is_brought_up(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, statuses: dict[int, int], told: bool
) -> None:
    count_usage(tenant, key, statuses)

    assert reviewed(tenant, mail_catcher) == (["Many requests of an API key fail"] if told else [])
    assert reviewed(tenant, mail_catcher) == []


def test_when_its_maker_has_left_the_owner_is_told(tenant: TestTenant, mail_catcher: MailCatcher) -> None:
    gone = signed_in(tenant, "developer")
    tenant.key(created_by=gone.id)
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE users SET deleted_at = now() WHERE id = %(id)s", {"id": gone.id})
    change_keys(tenant, "created_at = now() - interval '91 days'")

    assert reviewed(tenant, mail_catcher) == ["An API key is due for renewal"]


def test_usage_is_told_by_country_and_network(tenant: TestTenant, key: TestKey) -> None:
    for ip, country in (("203.0.113.7", "DE"), ("203.0.113.9", "DE"), ("2001:db8:1::5", "FR"), ("198.51.100.1", "no")):
        header = {"CloudFront-Viewer-Country": country}
        call(me_handler, "GET", "/api/v1/me", token=key.plaintext, ip=ip, headers=header)
    usage.flush()
    run_job(collect)

    shown = signed_in(tenant).call(keys_handler, "GET", f"/api/v1/platform/api-keys/{key.id}").json

    assert {row["country"]: row["requests"] for row in shown["by_country"]} == {"DE": 2, "FR": 1, "": 1}
    assert {row["network"]: row["requests"] for row in shown["top_networks"]} == {
        "203.0.113.0/24": 2,
        "2001:db8:1::/48": 1,
        "198.51.100.0/24": 1,
    }


def test_revoke_all_ends_live_and_test_keys_on_the_next_request(tenant: TestTenant) -> None:
    keys = [tenant.key(), tenant.key(), tenant.key(mode="test")]
    for key in keys:
        assert call(me_handler, "GET", "/api/v1/me", token=key.plaintext).status == 200
    owner = signed_in(tenant)

    body = {"reason": "Keys were found in a public repository", "incident_id": "INC-1"}
    answer = owner.call(keys_handler, "POST", REVOKE_ALL, json=body, headers=owner.step_up())

    assert (answer.status, answer.json["revoked"]) == (200, 3)
    assert {call(me_handler, "GET", "/api/v1/me", token=key.plaintext).code for key in keys} == {"INVALID_API_KEY"}
    with transaction(tenant_id=tenant.id) as tx:
        row = tx.one("SELECT row_to_json(a) FROM audit_log a WHERE event = 'api_keys_revoked_emergency'", {})
    assert (row["severity"], row["details"]["count"], row["details"]["incident_id"]) == ("critical", 3, "INC-1")
    run_job(review)
    for key in keys:
        assert read_secret(secret_path("api_keys", str(tenant.id), str(key.id))) is None


def test_revoke_all_again_finds_nothing_to_revoke(tenant: TestTenant) -> None:
    tenant.key()
    owner = signed_in(tenant)
    body = {"reason": "a drill"}

    revoked = [
        owner.call(keys_handler, "POST", REVOKE_ALL, json=body, headers=owner.step_up()).json["revoked"]
        for _ in range(2)
    ]

    assert revoked == [1, 0]


@pytest.mark.parametrize(
    ("role", "body", "status", "code"),
    [
        ("owner", {}, 400, "MISSING_REQUIRED_FIELD"),
        ("owner", {"reason": "x"}, 400, "VALIDATION_ERROR"),
        ("developer", {"reason": "a drill"}, 403, "INSUFFICIENT_PERMISSIONS"),
    ],
)
def test_revoke_all_refuses(tenant: TestTenant, role: Any, body: dict[str, str], status: int, code: str) -> None:
    person = signed_in(tenant, role)

    answer = person.call(keys_handler, "POST", REVOKE_ALL, json=body, headers=person.step_up())

    assert (answer.status, answer.code) == (status, code)


def test_revoke_all_needs_a_fresh_confirmation(tenant: TestTenant) -> None:
    answer = signed_in(tenant).call(keys_handler, "POST", REVOKE_ALL, json={"reason": "a drill"})

    assert (answer.status, answer.code) == (403, "REAUTHENTICATION_REQUIRED")


def test_a_keys_record_in_vault_follows_its_use_daily_and_its_end_at_once(tenant: TestTenant, key: TestKey) -> None:
    call(me_handler, "GET", "/api/v1/me", token=key.plaintext)
    usage.flush()
    run_job(collect)
    run_job(review)
    assert facts_of(tenant, key) is None

    change_keys(tenant, "created_at = now() - interval '2 days'")
    run_job(review)
    facts = facts_of(tenant, key)
    assert facts is not None
    assert (facts["status"], facts["request_count"], facts["error_count"]) == ("active", "1", "0")

    owner = signed_in(tenant)
    owner.call(keys_handler, "DELETE", f"/api/v1/platform/api-keys/{key.id}", headers=owner.step_up())
    run_job(review)
    facts = facts_of(tenant, key)
    assert facts is not None
    assert facts["status"] == "revoked"
    assert call(me_handler, "GET", "/api/v1/me", token=key.plaintext).status == 401


def facts_of(tenant: TestTenant, key: TestKey) -> dict[str, str] | None:
    from penguinmails import vault_client

    path = secret_path("api_keys", str(tenant.id), str(key.id))
    client = vault_client._client()
    return client.secrets.kv.v2.read_secret_metadata(path, mount_point="secret")["data"]["custom_metadata"]
