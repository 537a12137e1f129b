"""Mail comes from domains that the account has verified, signed with their keys; a domain that is lost stops what it sends."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from campaigns.app import handler as campaigns
from check_domains.app import handler as check_domains
from domains.app import handler as domains
from emails.app import handler as emails
from local.services.dns import DnsSandbox
from local.services.mail import MailCatcher
from penguinmails import vault
from penguinmails.db import transaction
from penguinmails.domain import provider_secrets
from send_campaign_emails.app import handler as send_campaign_emails
from send_emails.app import handler as send_emails
from sweep_emails.app import handler as sweep_emails
from tests.support.campaigns import add_contact, ask, draft, plan, started
from tests.support.domains import is_signed
from tests.support.http import Answer, call
from tests.support.providers import configured
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant
from tests.support.vaults import AsSender


def send(key: TestKey, sender: str | None, **fields: Any) -> Answer:
    body = {"to": f"{uuid4().hex}@example.com", "subject": "Hello", "html_body": "<p>Grüße</p>", **fields}
    return call(
        emails,
        "POST",
        "/api/v1/emails/send",
        token=key.plaintext,
        json={**body, **({"from": sender} if sender else {})},
    )


def set_status(tenant: TestTenant, domain: str, status: str) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            "UPDATE domains SET verification_status = %(status)s WHERE domain = %(domain)s",
            {"status": status, "domain": domain},
        )


def row(tenant: TestTenant, email_id: str) -> Any:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.one("SELECT row_to_json(e) FROM emails e WHERE id = %(id)s", {"id": UUID(email_id)})


def test_an_unknown_domain_is_refused_with_what_to_do(tenant: TestTenant, key: TestKey) -> None:
    answer = send(key, "Grace <grace@nobody.example.com>")

    assert (answer.status, answer.json["code"]) == (409, "DOMAIN_NOT_VERIFIED")
    assert [error["field"] for error in answer.json["errors"]] == ["from"]
    assert "POST /api/v1/domains" in answer.json["detail"]
    assert messages_for("emails", tenant.id) == []


def test_a_domain_that_waits_for_its_records_is_refused_with_where_they_are(key: TestKey) -> None:
    name = f"{uuid4().hex[:12]}.example.com"
    made = call(domains, "POST", "/api/v1/domains", token=key.plaintext, json={"domain": name}).json

    answer = send(key, f"grace@{name}")

    assert answer.status == 409
    assert f"/api/v1/domains/{made['id']}/dns" in answer.json["detail"]


def test_another_accounts_domain_is_as_good_as_none(key: TestKey, other_tenant: TestTenant) -> None:
    assert send(key, f"grace@{other_tenant.verified_domain()}").status == 409


def test_a_subdomain_needs_a_verification_of_its_own(tenant: TestTenant, key: TestKey) -> None:
    assert send(key, f"grace@news.{tenant.verified_domain()}").status == 409


def test_nobody_writes_in_the_platforms_name(key: TestKey) -> None:
    assert send(key, "Support <support@penguinmails.com>").status == 409


def test_of_a_refused_batch_nothing_is_queued(tenant: TestTenant, key: TestKey) -> None:
    answer = send(key, "grace@nobody.example.com", to=["a@example.com", "b@example.com"])

    assert answer.status == 409
    assert messages_for("emails", tenant.id) == []


def test_a_test_key_sends_from_anywhere_since_it_reaches_nobody(tenant: TestTenant) -> None:
    assert send(tenant.key(mode="test"), "grace@nobody.example.com").status == 200


def test_a_provider_of_ones_own_knows_its_domains_itself(tenant: TestTenant, key: TestKey) -> None:
    configured(tenant, "postmark")
    assert send(key, "grace@nobody.example.com", provider="postmark").status == 200


def test_a_mail_is_signed_by_the_domain_that_it_comes_from(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, as_sender: AsSender
) -> None:
    domain = tenant.verified_domain()
    files = [{"file_name": "ä.txt", "content_type": "text/plain", "content": "w6TDtg=="}]
    answer = send(
        key, f"Grace Ö <grace@{domain}>", subject="Grüße aus Zürich", email_type="marketing", attachments=files
    )
    with as_sender():
        assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    (mail,) = mail_catcher.mails_to(answer.json["to"])
    assert is_signed(mail.content, domain)
    assert "list-unsubscribe-post" in mail.headers["DKIM-Signature"]


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "Grüße aus Köln, " * 12},
        {"text_body": "Zwölf Boxkämpfer\n\n  jagen \t Viktor  \n.\n..\n\n\n"},
        {"html_body": "<p>Ünïcode &amp; " + "long " * 400 + "</p>"},
        {"attachments": [{"file_name": "a.txt", "content_type": "text/plain", "content": "SGFsbG8gV2VsdAo="}]},
        {"email_type": "marketing", "headers": {"X-Order": "7 ä"}, "reply_to": "a@example.com"},
    ],
    ids=["subject", "text", "html", "attachment", "marketing"],
)
def test_whatever_a_mail_holds_it_leaves_in_7_bit_with_a_signature_that_holds(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, as_sender: AsSender, fields: dict[str, Any]
) -> None:
    domain, to = tenant.verified_domain(), f"{uuid4().hex}@example.com"
    assert send(key, f"Grüße <grace@{domain}>", to=to, **fields).status == 200

    with as_sender():
        assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    (mail,) = mail_catcher.mails_to(to)
    assert mail.content.isascii()
    assert is_signed(mail.content, domain)
    assert not is_signed(mail.content.replace(b"grace@", b"mallory@"), domain)


def test_a_campaigns_mails_are_signed_too(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, as_sender: AsSender
) -> None:
    domain = tenant.verified_domain()
    to = f"{uuid4().hex}@example.com"
    add_contact(key, email=to, first_name="Zoë")
    started(key, from_email=f"news@{domain}", from_name="News")
    with as_sender():
        assert consume(send_campaign_emails, *plan(tenant)) == []

    (mail,) = mail_catcher.mails_to(to)
    assert is_signed(mail.content, domain)


def test_the_accounts_default_sender_needs_no_domain(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    answer = send(key, None)
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    (mail,) = mail_catcher.mails_to(answer.json["to"])
    assert "DKIM-Signature" not in mail.headers


def test_a_domain_lost_before_the_hand_over_makes_the_mail_wait(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, as_sender: AsSender
) -> None:
    domain = tenant.verified_domain()
    answer = send(key, f"grace@{domain}")
    set_status(tenant, domain, "failed")
    with as_sender():
        assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    assert mail_catcher.mails_to(answer.json["to"]) == []
    waiting = row(tenant, answer.json["id"])
    assert (waiting["status"], waiting["attempts"]) == ("queued", 0)
    assert f"{domain} is not verified any more; the mail waits" in waiting["error"]

    asked_again(tenant, as_sender)
    set_status(tenant, domain, "verified")
    asked_again(tenant, as_sender)
    assert row(tenant, answer.json["id"])["status"] == "sent"
    history = call(emails, "GET", f"/api/v1/emails/{answer.json['id']}", token=key.plaintext).json["events"]
    assert [event["type"] for event in history] == ["queued", "deferred", "sent"], "it is told once that it waits"


def asked_again(tenant: TestTenant, as_sender: AsSender) -> None:
    """An hour later."""
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE emails SET next_sweep_at = now()", {})
    run_job(sweep_emails)
    with as_sender():
        assert consume(send_emails, *messages_for("emails", tenant.id)) == []


def test_a_mail_waits_three_days_for_its_domain_and_fails_then(
    tenant: TestTenant, key: TestKey, as_sender: AsSender
) -> None:
    domain = tenant.verified_domain()
    email_id = send(key, f"grace@{domain}").json["id"]
    set_status(tenant, domain, "failed")
    with as_sender():
        assert consume(send_emails, *messages_for("emails", tenant.id)) == []
    statuses: list[str] = []
    for days in (2, 3):
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            tx.run("UPDATE emails SET created_at = now() - make_interval(days => %(days)s)", {"days": days})
        asked_again(tenant, as_sender)
        statuses.append(row(tenant, email_id)["status"])

    assert statuses == ["queued", "failed"]
    assert (
        row(tenant, email_id)["error"] == f"the domain {domain} is not verified any more, and was not within three days"
    )


def test_a_mail_that_waits_for_its_domain_can_be_cancelled(
    tenant: TestTenant, key: TestKey, as_sender: AsSender
) -> None:
    domain = tenant.verified_domain()
    email_id = send(key, f"grace@{domain}").json["id"]
    set_status(tenant, domain, "failed")
    with as_sender():
        consume(send_emails, *messages_for("emails", tenant.id))

    assert call(emails, "POST", f"/api/v1/emails/{email_id}/cancel", token=key.plaintext).status == 200


def test_a_mail_waits_while_vault_is_away(
    tenant: TestTenant, key: TestKey, as_sender: AsSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = tenant.verified_domain()
    answer = send(key, f"grace@{domain}")

    def away(*_arguments: Any, **_options: Any) -> None:
        raise vault.VaultUnavailable("Vault cannot be reached")

    monkeypatch.setattr(provider_secrets, "read_secret", away)
    with as_sender():
        assert consume(send_emails, *messages_for("emails", tenant.id)) == []

    assert row(tenant, answer.json["id"])["status"] == "queued"


def test_a_campaign_starts_from_a_verified_domain_only(key: TestKey) -> None:
    add_contact(key)
    campaign_id = draft(key, from_email="news@nobody.example.com")["id"]

    answer = ask(key, "POST", f"/{campaign_id}/start")

    assert (answer.status, answer.json["code"]) == (409, "DOMAIN_NOT_VERIFIED")
    assert [error["field"] for error in answer.json["errors"]] == ["from_email"]


def test_a_lost_domain_pauses_its_campaigns_and_tells_the_admins(
    tenant: TestTenant, key: TestKey, dns_sandbox: DnsSandbox
) -> None:
    domain, other = tenant.verified_domain(), tenant.verified_domain()
    add_contact(key)
    mine, others = (started(key, from_email=f"news@{name}") for name in (domain, other))
    plan(tenant)
    later = draft(key, from_email=f"news@{domain}", start_date="2099-01-01T00:00:00Z")["id"]
    assert ask(key, "POST", f"/{later}/start").json["status"] == "scheduled"

    for _ in range(3):
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            due = "UPDATE domains SET next_check_at = now() - interval '1 year' WHERE domain = %(domain)s"
            tx.run(due, {"domain": domain})
        run_job(check_domains)

    shown = {each: call(campaigns, "GET", f"/api/v1/campaigns/{each}", token=key.plaintext).json
             for each in (mine, others, later)}  # fmt: skip
    assert {each: (campaign["status"], campaign["paused_reason"]) for each, campaign in shown.items()} == {
        mine: ("paused", "domain_lost"), others: ("active", None), later: ("draft", "domain_lost")
    }  # fmt: skip
    (recipient,) = ask(key, "GET", f"/{mine}/recipients").json["data"]
    explained = ask(key, "GET", f"/{mine}/recipients/{recipient['contact_id']}").json["explanation"]
    assert "Verify the domain again" in explained
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        told = tx.all("SELECT variables FROM mail_outbox WHERE type = 'domain_lost'", {})
        paused = tx.all("SELECT data FROM events WHERE type = 'campaign.paused'", {})
    assert [(mail["domain"], mail["campaigns"]) for mail in told] == [(domain, "2")]
    assert [(event["campaign_id"], event["reason"]) for event in paused] == [(mine, "domain_lost")]

    set_status(tenant, domain, "verified")
    assert ask(key, "POST", f"/{mine}/start").json["paused_reason"] is None


def status_of(key: TestKey, campaign_id: str) -> str:
    return call(campaigns, "GET", f"/api/v1/campaigns/{campaign_id}", token=key.plaintext).json["status"]


def id_of(tenant: TestTenant, domain: str) -> UUID:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.one("SELECT id FROM domains WHERE domain = %(domain)s", {"domain": domain})


def test_a_check_that_somebody_asks_for_has_the_same_consequences(
    tenant: TestTenant, key: TestKey, dns_sandbox: DnsSandbox
) -> None:
    domain = tenant.verified_domain()
    add_contact(key)
    campaign_id = started(key, from_email=f"news@{domain}")

    for _ in range(3):
        path = f"/api/v1/domains/{id_of(tenant, domain)}/verify"
        assert call(domains, "POST", path, token=key.plaintext).status == 200

    assert status_of(key, campaign_id) == "paused"


def test_a_deleted_domain_stops_its_campaigns(tenant: TestTenant, key: TestKey) -> None:
    domain = tenant.verified_domain()
    add_contact(key)
    campaign_id = started(key, from_email=f"news@{domain}")

    assert call(domains, "DELETE", f"/api/v1/domains/{id_of(tenant, domain)}", token=key.plaintext).status == 200

    assert status_of(key, campaign_id) == "paused"


def test_a_running_campaign_takes_no_sender_that_is_not_verified(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    campaign_id = started(key, from_email=f"news@{tenant.verified_domain()}")

    refused = ask(key, "PATCH", f"/{campaign_id}", json={"from_email": "news@nobody.example.com"})

    assert (refused.status, refused.json["code"]) == (409, "DOMAIN_NOT_VERIFIED")
    assert ask(key, "PATCH", f"/{campaign_id}", json={"from_email": f"news@{tenant.verified_domain()}"}).status == 200
