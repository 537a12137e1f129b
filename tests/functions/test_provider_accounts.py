"""Accounts with mail providers: checked before they are kept, their secrets in Vault, and mails sent through them."""

from typing import Any
from uuid import uuid4

import pytest

from emails.app import handler as emails
from local.sandboxes.server import SandboxServer
from penguinmails.db import transaction
from penguinmails.providers import http as provider_http
from penguinmails.providers.account import EMAIL_ID
from penguinmails.vault import read_secret
from provider_accounts.app import handler
from send_emails.app import handler as send_emails
from sweep_emails.app import handler as sweep_emails
from tests.support.http import call
from tests.support.people import signed_in
from tests.support.providers import ESP, ProviderName, configure, configured, send_by, shown
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant
from tests.support.uploads import uploaded

BOTH: list[ProviderName] = ["postmark", "mailgun"]


def address(name: str = "somebody") -> str:
    return f"{name}-{uuid4().hex}@example.com"


def stored(tenant: TestTenant) -> list[Any]:
    with transaction(tenant_id=tenant.id) as tx:
        return tx.all("SELECT to_jsonb(p) FROM provider_accounts p ORDER BY provider", {})


def listed(tenant: TestTenant) -> dict[str, Any]:
    answer = call(handler, "GET", f"{ESP}/providers", token=signed_in(tenant).access_token)
    assert answer.status == 200, answer.body
    return {row["provider"]: row for row in answer.json["data"]}


# ---- accounts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", BOTH)
def test_an_account_is_kept_with_its_secrets_in_vault_alone(tenant: TestTenant, provider: ProviderName) -> None:
    assert {name: row["status"] for name, row in listed(tenant).items()} == {
        "smtp": "active",
        "postmark": "not_configured",
        "mailgun": "not_configured",
    }

    answer = configured(tenant, provider)

    assert answer["webhook_url"].startswith(f"https://api.example.test/webhooks/{provider}/")
    (row,) = stored(tenant)
    secret = read_secret(f"esp/{tenant.id}/{provider}")
    assert secret is not None
    assert secret.data["api_key"][-4:] == row["key_last4"] == answer["key_last4"]
    for value in (*secret.data.values(), answer["webhook_url"].rpartition("/")[2]):
        assert value not in str(row)
    seen = listed(tenant)[provider]
    assert (seen["status"], seen["default_sender"]) == ("active", "Shop <shop@example.com>")
    assert "webhook_url" not in seen


@pytest.mark.parametrize(
    ("provider", "fields", "says"),
    [
        ("postmark", {"api_key": "wrong-token"}, "API Tokens page"),
        ("mailgun", {"api_key": "wrong-key"}, "check the key and the region"),
        ("mailgun", {"domain": "missing.example.com"}, "has no domain missing.example.com"),
        ("postmark", {"default_sender": "nobody"}, "default_sender"),
        ("mailgun", {"domain": "a/../b"}, "domain"),
        ("mailgun", {"region": "moon"}, "region"),
    ],
)
def test_what_the_provider_does_not_take_is_not_kept(
    tenant: TestTenant, provider: ProviderName, fields: dict[str, Any], says: str
) -> None:
    answer = configure(signed_in(tenant), provider, **fields)

    assert answer.status == 400
    assert says in answer.body
    assert stored(tenant) == []


def test_setting_up_again_replaces_the_account_and_its_url(tenant: TestTenant) -> None:
    first, second = configured(tenant, "postmark"), configured(tenant, "postmark")

    assert first["webhook_url"] != second["webhook_url"]
    assert len(stored(tenant)) == 1
    assert stored(tenant)[0]["secret_version"] == 2


def test_a_repeated_request_shows_no_secret_again(tenant: TestTenant) -> None:
    person, body = signed_in(tenant), {"api_key": "sandbox-repeated", "default_sender": "a@example.com"}
    answers = [
        call(
            handler, "POST", f"{ESP}/postmark", token=person.access_token, json=body, headers={"Idempotency-Key": "one"}
        )
        for _ in range(2)
    ]

    assert [answer.status for answer in answers] == [200, 200]
    shown_once = ("webhook_url", "webhook_password")
    assert all(answers[0].json[name] for name in shown_once)
    assert [answers[1].json.get(name) for name in shown_once] == [None, None]


@pytest.mark.parametrize("path", ["postmark", "mailgun", "postmark/test", "mailgun/test"])
def test_a_key_of_repeated_requests_is_for_one_request(tenant: TestTenant, path: str) -> None:
    person, provider = signed_in(tenant), path.partition("/")[0]
    configured(tenant, "postmark" if provider == "postmark" else "mailgun")
    body = {"default_sender": "a@example.com", "api_key": "sandbox-repeated"}
    if provider == "mailgun":
        body |= {"domain": "mg.example.com", "signing_key": "signing-sandbox-repeated"}

    answers = [
        call(
            handler, "POST", f"{ESP}/{path}", token=person.access_token, headers={"Idempotency-Key": "one"},
            json={**body, "default_sender": sender},
        )
        for sender in ("a@example.com", "b@example.com")
    ]  # fmt: skip

    assert [answer.status for answer in answers] == [200, 409]
    assert answers[1].code == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("provider", BOTH)
def test_a_test_says_whether_the_account_still_works(tenant: TestTenant, provider: ProviderName) -> None:
    person = signed_in(tenant)
    path = f"{ESP}/{provider}/test"
    assert call(handler, "POST", path, token=person.access_token).status == 404
    configured(tenant, provider)

    assert call(handler, "POST", path, token=person.access_token).json["status"] == "active"
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE provider_accounts SET secret_ref = secret_ref || '-gone'", {})
    broken = call(handler, "POST", path, token=person.access_token).json

    assert (broken["status"], broken["status_detail"]) == (
        "error",
        "the credentials are gone; configure the provider again",
    )


@pytest.mark.parametrize("provider", BOTH)
def test_removing_an_account_removes_its_secrets(tenant: TestTenant, provider: ProviderName) -> None:
    person = signed_in(tenant)
    configured(tenant, provider)

    assert call(handler, "DELETE", f"{ESP}/{provider}", token=person.access_token).status == 204

    assert stored(tenant) == []
    assert read_secret(f"esp/{tenant.id}/{provider}") is None
    assert call(handler, "DELETE", f"{ESP}/{provider}", token=person.access_token).status == 404


def test_an_account_is_nobody_elses(tenant: TestTenant, other_tenant: TestTenant, key: TestKey) -> None:
    configured(other_tenant, "postmark")

    assert listed(tenant)["postmark"]["status"] == "not_configured"
    assert call(handler, "DELETE", f"{ESP}/postmark", token=signed_in(tenant).access_token).status == 404
    body = {"to": address(), "subject": "Hello", "text_body": "Hello", "provider": "postmark"}
    assert call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body).status == 400
    assert len(stored(other_tenant)) == 1


def test_only_owners_and_admins_look_after_providers(tenant: TestTenant) -> None:
    answer = configure(signed_in(tenant, "developer"), "postmark")

    assert (answer.status, answer.code) == (403, "INSUFFICIENT_PERMISSIONS")


# ---- sending ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", BOTH)
def test_a_mail_goes_out_by_the_provider_that_it_names(
    tenant: TestTenant, key: TestKey, provider: ProviderName, provider_sandbox: SandboxServer
) -> None:
    configured(tenant, provider)
    to = address()
    file = {"file_name": "a.txt", "content_type": "text/plain", "content": "SGVsbG8="}
    email_id = send_by(
        tenant, key, provider, to, html_body="<p>Hé</p>", headers={"X-Order": "7"}, attachments=[file],
        reply_to="answers@example.com", track_opens=False,
    )  # fmt: skip

    (mail,) = provider_sandbox.memory.to(to)
    assert (mail.provider, mail.sender, mail.subject) == (provider, "Shop <shop@example.com>", "Hello")
    assert (mail.text, mail.html) == ("Hello", "<p>Hé</p>")
    assert mail.headers["X-Order"] == "7"
    assert mail.attachments == [("a.txt", "text/plain", b"Hello")]
    assert mail.variables == {EMAIL_ID: email_id}
    email = shown(key, email_id)
    assert (email["status"], email["provider"]) == ("sent", provider)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT provider_message_id FROM emails", {}) == mail.id


def test_an_uploaded_file_goes_out_unless_the_provider_would_refuse_it_for_its_size(
    tenant: TestTenant, key: TestKey, provider_sandbox: SandboxServer
) -> None:
    """Postmark counts files as base64 has them, a third larger."""
    content, larger = bytes(7_400_000), bytes(7_500_000)
    for provider, fits in (("postmark", content), ("mailgun", larger)):
        configured(tenant, provider)
        to, file = address(), {"upload_id": uploaded(key, fits, file_name="a.bin")["id"]}
        send_by(tenant, key, provider, to, attachments=[file])
        (mail,) = provider_sandbox.memory.to(to)
        assert mail.attachments == [("a.bin", "application/octet-stream", fits)]

    file = {"upload_id": uploaded(key, larger)["id"]}
    body = {"to": address(), "subject": "Hello", "text_body": "Hello", "provider": "postmark", "attachments": [file]}
    refused = call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body)

    assert (refused.status, refused.json["errors"][0]["field"]) == (400, "attachments")
    assert "Postmark takes 10,000,000" in refused.json["detail"]


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("invalid", "failed", "address"),
        ("toofast", "queued", "429"),
        ("outage", "queued", "503"),
    ],
)
def test_a_refusal_is_final_only_when_it_is_about_the_mail(
    tenant: TestTenant, key: TestKey, provider: ProviderName, name: str, status: str, says: str
) -> None:
    configured(tenant, provider)
    email_id = send_by(tenant, key, provider, address(name))

    email = shown(key, email_id)
    assert email["status"] == status
    assert says in email["error"]


def test_a_provider_that_asks_for_time_gets_it(tenant: TestTenant, key: TestKey) -> None:
    configured(tenant, "mailgun")
    email_id = send_by(tenant, key, "mailgun", address("toofast"))

    assert shown(key, email_id)["events"][-1]["data"]["retry_in_seconds"] == 7_200


def test_a_recipient_whom_the_provider_has_barred_is_a_hard_bounce(tenant: TestTenant, key: TestKey) -> None:
    configured(tenant, "postmark")
    to = address("inactive")
    email_id = send_by(tenant, key, "postmark", to)

    assert shown(key, email_id)["status"] == "bounced"
    body = {"to": to, "subject": "Hello", "text_body": "Hello"}
    assert call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body).code == "RECIPIENT_SUPPRESSED"


def test_a_provider_out_of_reach_is_tried_again(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(tenant, "postmark")

    def fail(*_arguments: Any, **_options: Any) -> None:
        raise provider_http.NoAnswer("ConnectTimeoutError")

    monkeypatch.setattr("penguinmails.providers.postmark.ask", fail)
    email_id = send_by(tenant, key, "postmark", address())

    email = shown(key, email_id)
    assert (email["status"], email["error"]) == ("queued", "Postmark did not answer (ConnectTimeoutError)")


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize("arrives", [True, False])
def test_a_mail_whose_answer_was_lost_is_asked_for_before_it_is_sent_again(
    tenant: TestTenant,
    key: TestKey,
    provider: ProviderName,
    arrives: bool,
    provider_sandbox: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configured(tenant, provider)
    module, to = f"penguinmails.providers.{provider}.ask", address()

    def lose(*arguments: Any, **options: Any) -> None:
        if arrives:
            provider_http.ask(*arguments, **options)
        raise provider_http.NoAnswer("ReadTimeoutError")

    with monkeypatch.context() as patched:
        patched.setattr(module, lose)
        email_id = send_by(tenant, key, provider, to)
    assert shown(key, email_id)["status"] == "queued"
    assert len(provider_sandbox.memory.to(to)) == arrives

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE emails SET next_sweep_at = now()", {})
    run_job(sweep_emails)
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    (mail,) = provider_sandbox.memory.to(to)
    assert [entry["type"] for entry in shown(key, email_id)["events"]] == ["queued", "deferred", "sent"]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT provider_message_id FROM emails", {}) == mail.id


def test_a_provider_that_is_not_set_up_is_refused_when_the_mail_is_queued(key: TestKey) -> None:
    body = {"to": address(), "subject": "Hello", "text_body": "Hello", "provider": "mailgun"}

    answer = call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body)

    assert answer.status == 400
    assert "not set up" in answer.body


def test_a_mail_whose_provider_was_removed_waits(tenant: TestTenant, key: TestKey) -> None:
    configured(tenant, "mailgun")
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE provider_accounts SET secret_ref = secret_ref || '-gone', secret_version = 9", {})

    email = shown(key, send_by(tenant, key, "mailgun", address()))

    assert email["status"] == "queued"
    assert email["error"].startswith("there is no mailgun account; configure it; the mail waits for it until")
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT attempts FROM emails", {}) == 0


def test_in_test_mode_no_provider_hears_of_a_mail(tenant: TestTenant, provider_sandbox: SandboxServer) -> None:
    key, to = tenant.key(mode="test"), address()

    email = shown(key, send_by(tenant, key, "postmark", to))

    assert (email["status"], email["provider"]) == ("sent", "simulated")
    assert provider_sandbox.memory.to(to) == []
