"""Verification of API keys: who is admitted, what it costs, and what holds while a part of the platform is away."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from me.app import handler
from penguinmails import cache, vault
from penguinmails.auth import api_keys, key_state, passwords
from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from penguinmails.domain.key_changes import announce_key_change, announce_tenant_change
from penguinmails.errors import RevocationPending
from penguinmails.settings import MINIMUM_BCRYPT_ROUNDS, get_settings
from tests.support.http import Answer, call
from tests.support.tenants import TestKey, TestTenant, make_tenant


def use(key: TestKey, **request: Any) -> Answer:
    return call(handler, "GET", "/api/v1/me", token=key.plaintext, **request)


@pytest.fixture
def bcrypt_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    original = passwords.matches

    def counted(secret: str, hashed: str) -> bool:
        calls.append(secret)
        return original(secret, hashed)

    monkeypatch.setattr(api_keys, "matches", counted)
    return calls


@pytest.fixture
def redis_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("REDIS_URL", "redis://127.0.0.1:1")
        get_settings.cache_clear()
        cache.forget_connection()
        yield
    get_settings.cache_clear()
    cache.forget_connection()


@pytest.fixture
def vault_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
        get_settings.cache_clear()
        vault.forget_session()
        yield
    get_settings.cache_clear()
    vault.forget_session()


def as_a_cold_process() -> None:
    """What a new execution environment lacks."""
    api_keys.forget_proofs()
    cache.forget_connection()


@pytest.mark.parametrize(
    "token",
    ["pm_live_short", "pm_live_" + "x" * 33, "pm_prod_" + "x" * 32, "pm_live_" + "-" * 32, "pm_live_" + "x" * 32],
)
def test_a_malformed_or_unknown_key_is_refused(token: str) -> None:
    answer = call(handler, "GET", "/api/v1/me", token=token)

    assert (answer.status, answer.code) == (401, "INVALID_API_KEY")
    assert "www-authenticate" in answer.headers
    assert token not in answer.body


def test_a_key_is_accepted_in_the_authorization_header_alone(key: TestKey) -> None:
    assert call(handler, "GET", "/api/v1/me", query={"api_key": key.plaintext}).status == 401
    assert call(handler, "GET", "/api/v1/me", cookies=[f"api_key={key.plaintext}"]).status == 401
    assert call(handler, "GET", "/api/v1/me", headers={"X-Api-Key": key.plaintext}).status == 401


def test_a_key_pays_bcrypt_once_however_many_processes_use_it(key: TestKey, bcrypt_calls: list[str]) -> None:
    for _ in range(3):
        use(key)
        as_a_cold_process()

    assert len(bcrypt_calls) == 1


def test_a_key_that_is_rarely_used_does_not_pay_bcrypt_again(key: TestKey, bcrypt_calls: list[str]) -> None:
    use(key)
    cache.command("DEL", f"state:{{k{key_state.shard_of(key.digest)}}}:{key.digest.hex()}")  # as after a minute
    as_a_cold_process()
    use(key)

    assert len(bcrypt_calls) == 1


def test_a_proof_that_was_written_into_redis_by_somebody_else_is_not_believed(
    key: TestKey, bcrypt_calls: list[str]
) -> None:
    key_state.keep_proof(key.digest, b"x" * 32)

    assert use(key).status == 200
    assert len(bcrypt_calls) == 1


def test_production_hashes_with_twelve_rounds() -> None:
    assert MINIMUM_BCRYPT_ROUNDS == 12
    assert get_settings.__wrapped__  # the default applies when BCRYPT_ROUNDS is not set


def test_an_expired_key_is_refused_from_that_moment_on(tenant: TestTenant) -> None:
    key = tenant.key(expires_at=datetime.now(UTC) + timedelta(hours=1))

    assert use(key).status == 200
    with time_machine.travel(timedelta(hours=1, seconds=1), tick=False):
        assert use(key).code == "INVALID_API_KEY"


@pytest.mark.parametrize(
    ("cidrs", "ip", "status"),
    [
        (["203.0.113.0/24"], "203.0.113.9", 200),
        (["203.0.113.0/24"], "203.0.114.9", 403),
        (["2001:db8::/32"], "2001:db8::1", 200),
        (["2001:db8::/32"], "203.0.113.9", 403),
        (["203.0.113.0/24"], "::ffff:203.0.113.9", 200),
        (["198.51.100.7/32", "203.0.113.0/24"], "198.51.100.7", 200),
    ],
)
def test_a_key_with_an_allow_list_works_from_listed_networks_only(
    tenant: TestTenant, cidrs: list[str], ip: str, status: int
) -> None:
    assert use(tenant.key(allowed_cidrs=cidrs), ip=ip).status == status


def test_a_refused_address_is_audited_once_a_minute(tenant: TestTenant) -> None:
    key = tenant.key(allowed_cidrs=["203.0.113.0/24"])
    use(key, ip="192.0.2.1")
    use(key, ip="192.0.2.1")

    with transaction(tenant_id=tenant.id) as tx:
        assert tx.all("SELECT details->>'reason' FROM audit_log WHERE event = 'api_key_auth_failed'", {}) == ["address"]


def test_every_answer_tells_the_limit(key: TestKey) -> None:
    headers = use(key).headers

    assert headers["x-ratelimit-limit"] == "1000"
    assert int(headers["x-ratelimit-remaining"]) == 1999
    assert abs(int(headers["x-ratelimit-reset"]) - datetime.now(UTC).timestamp()) <= 3
    assert headers["x-ratelimit-window"] == "60"
    assert headers["ratelimit-policy"] == '"requests";q=1000;w=60'
    assert headers["ratelimit"].startswith('"requests";r=1999;t=')


def test_the_burst_of_the_plan_is_admitted_and_not_one_more() -> None:
    key = make_tenant("starter").key()

    answers = [use(key) for _ in range(101)]

    # At one token per second, a run of less than a second adds none.
    assert [answer.status for answer in answers[:100]] == [200] * 100
    last = answers[100] if answers[100].status == 429 else use(key)
    assert (last.status, last.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert last.json["retry_after"] == int(last.headers["retry-after"]) == 1


def test_probing_for_scopes_costs_quota() -> None:
    from contacts.app import handler as contacts

    key = make_tenant("starter").key(Scope.SEND_EMAIL)
    before = int(use(key).headers["x-ratelimit-remaining"])

    refused = call(contacts, "GET", "/api/v1/contacts", token=key.plaintext)

    assert refused.status == 403
    assert int(refused.headers["x-ratelimit-remaining"]) == before - 1


def set_tenant_status(tenant: TestTenant, status: str) -> None:
    with transaction(role="jobs") as tx:
        announcement = announce_tenant_change(tx, tenant.id)
        tx.run("UPDATE tenants SET status = %(status)s WHERE id = %(id)s", {"status": status, "id": tenant.id})
    announcement.confirm()


def test_a_suspension_holds_on_the_next_request_for_writes_and_a_closed_account_for_all(
    tenant: TestTenant, key: TestKey
) -> None:
    from contacts.app import handler as contacts

    assert use(key).status == 200
    set_tenant_status(tenant, "suspended")
    assert use(key).status == 200
    written = call(contacts, "POST", "/api/v1/contacts", token=key.plaintext, json={"email": "a@example.com"})
    assert (written.status, written.code) == (403, "SUBSCRIPTION_SUSPENDED")

    set_tenant_status(tenant, "canceled")
    assert use(key).code == "SUBSCRIPTION_SUSPENDED"


def test_a_plan_without_the_api_is_refused() -> None:
    assert use(make_tenant("free").key()).code == "SUBSCRIPTION_SUSPENDED"


def test_a_change_that_is_rolled_back_leaves_the_key_working(key: TestKey, tenant: TestTenant) -> None:
    use(key)
    with pytest.raises(RuntimeError), transaction(tenant_id=tenant.id) as tx:
        announce_key_change(tx, key.id)
        raise RuntimeError("something went wrong before the commit")

    assert use(key).status == 200


def test_a_state_that_was_read_before_a_change_is_not_kept_after_it(key: TestKey, tenant: TestTenant) -> None:
    """A process reads the key from PostgreSQL, another one revokes it, then the first fills the cache."""
    stale = api_keys.state_in_database(key.digest)
    assert stale is not None
    with transaction(tenant_id=tenant.id) as tx:
        announce_key_change(tx, key.id)
        tx.run("UPDATE api_keys SET status = 'revoked', revoked_at = now() WHERE id = %(id)s", {"id": key.id})

    key_state.admit(key.digest, "2026-01", fill=stale)

    assert use(key).status == 401


def test_with_redis_away_identity_and_status_come_from_the_database(
    tenant: TestTenant, key: TestKey, redis_away: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert use(key).status == 200
    assert "rate_limit_fail_open" in capsys.readouterr().out

    with transaction(tenant_id=tenant.id) as tx:
        announcement = announce_key_change(tx, key.id)
        tx.run("UPDATE api_keys SET status = 'revoked', revoked_at = now() WHERE id = %(id)s", {"id": key.id})
    with pytest.raises(RevocationPending) as pending:
        announcement.confirm()
    assert pending.value.members["retry_after"] == key_state.STATE_SECONDS
    assert use(key).status == 401


def test_with_redis_away_a_tenth_of_the_limit_is_left(redis_away: None) -> None:
    key = make_tenant("starter").key()

    statuses = [use(key).status for _ in range(12)]

    assert statuses[:10] == [200] * 10
    assert 429 in statuses[10:]


def test_with_vault_away_a_proved_key_works_even_in_a_cold_process(key: TestKey, vault_away: None) -> None:
    get_settings.cache_clear()
    answer = use(key)
    assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")
    assert int(answer.headers["retry-after"]) > 0


def test_with_vault_away_a_key_that_was_used_before_works_in_a_cold_process(
    key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert use(key).status == 200
    with monkeypatch.context() as patch:
        patch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
        get_settings.cache_clear()
        vault.forget_session()
        as_a_cold_process()
        assert use(key).status == 200
    get_settings.cache_clear()
    vault.forget_session()


def test_an_address_that_keeps_guessing_is_slowed() -> None:
    # One failure in 0.6 s is forgiven, so a slow machine needs a few more than the hundred.
    guesses = (call(handler, "GET", "/api/v1/me", token="pm_live_" + "x" * 32, ip="192.0.2.200") for _ in range(150))
    statuses = [guess.status for guess in guesses]

    assert statuses[:100] == [401] * 100
    assert set(statuses[100:]) <= {401, 429}
    assert 429 in statuses


def test_no_log_line_holds_a_key(tenant: TestTenant, capsys: pytest.CaptureFixture[str]) -> None:
    key = tenant.key()
    use(key)
    call(handler, "GET", f"/api/v1/me/{key.plaintext}", token=key.plaintext)
    call(handler, "GET", "/api/v1/me", token=key.plaintext + "x")

    assert key.plaintext not in capsys.readouterr().out
