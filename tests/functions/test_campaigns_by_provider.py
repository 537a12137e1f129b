"""Campaigns through the account's own Postmark or Mailgun: each mail once, and nothing lost when the provider refuses."""

from uuid import uuid4

import pytest

from campaigns.app import handler as campaigns
from local.sandboxes.server import SandboxServer
from penguinmails.db import transaction
from penguinmails.domain import domain_loss
from provider_accounts.app import handler as provider_accounts
from send_campaign_emails.app import handler as send_campaign_emails
from tests.support.campaigns import EMAIL, add_contact, ask, carry_out, draft, ledger, mails, plan, started, status_of
from tests.support.http import call
from tests.support.people import signed_in
from tests.support.provider_campaigns import BOTH, CampaignAccount
from tests.support.providers import ESP
from tests.support.queues import consume, messages_for
from tests.support.tenants import TestKey, TestTenant
from tests.support.vaults import AsSender


@pytest.fixture(params=BOTH)
def account(
    request: pytest.FixtureRequest, tenant: TestTenant, key: TestKey, provider_sandbox: SandboxServer
) -> CampaignAccount:
    return CampaignAccount(tenant, key, request.param, provider_sandbox)


@pytest.fixture
def postmark(tenant: TestTenant, key: TestKey, provider_sandbox: SandboxServer) -> CampaignAccount:
    return CampaignAccount(tenant, key, "postmark", provider_sandbox)


# ---- What leaves -----------------------------------------------------------------------------------------------------


def test_each_recipient_gets_one_mail_by_the_provider_and_the_campaign_completes(
    account: CampaignAccount, as_sender: AsSender
) -> None:
    people = account.people("ada", "grace", "zoe")
    campaign_id = account.started(steps=[{**EMAIL, "html_body": "<p>Dear {{ email }}</p>"}])

    with as_sender():
        carry_out(account.tenant, rounds=2)

    for address in people:
        (mail,) = account.taken(address)
        assert (mail.provider, mail.sender) == (account.provider, "Shop <shop@example.com>")
        assert f"Dear {address}" in (mail.html or "")
        assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert status_of(account.key, campaign_id) == "completed"
    assert {(event["to"], event["provider"]) for event in account.raised("email.sent")} == {
        (address, account.provider) for address in people
    }
    for mail in mails(account.tenant):
        assert mail["provider_message_id"] == account.taken(mail["to_email"])[0].id


def test_the_sender_may_be_at_a_domain_that_only_the_provider_has_verified(account: CampaignAccount) -> None:
    (address,) = account.people("ada")
    account.started(from_email="news@elsewhere.example.com", from_name="News")

    carry_out(account.tenant)

    assert account.taken(address)[0].sender == "News <news@elsewhere.example.com>"


def test_postmark_gets_a_batch_in_one_request_to_its_broadcast_stream(postmark: CampaignAccount) -> None:
    people = postmark.people(*"abcde")
    postmark.started()
    before = len(postmark.sandbox.memory.requests)

    carry_out(postmark.tenant)

    assert list(postmark.sandbox.memory.requests)[before:] == [5]
    assert {postmark.taken(address)[0].stream for address in people} == {"broadcast"}


def test_a_test_send_goes_by_the_campaigns_provider(account: CampaignAccount) -> None:
    from send_emails.app import handler as send_emails

    campaign_id = draft(account.key, provider=account.provider)["id"]
    to = f"me-{uuid4().hex}@example.com"
    answer = ask(account.key, "POST", f"/{campaign_id}/test", json={"to": [to], "values": {"email": to}})
    assert answer.status == 200, answer.body
    consume(send_emails, *messages_for("emails", account.tenant.id))

    (mail,) = account.taken(to)
    assert (mail.provider, mail.sender) == (account.provider, "Shop <shop@example.com>")


# ---- Refusals of one mail --------------------------------------------------------------------------------------------


def test_one_recipient_who_is_refused_keeps_nobody_else_waiting(postmark: CampaignAccount) -> None:
    good, inactive, invalid = postmark.people("ada", "inactive", "invalid")
    postmark.started()

    carry_out(postmark.tenant)

    states = {mail["to_email"]: mail["status"] for mail in mails(postmark.tenant)}
    assert states == {good: "sent", inactive: "bounced", invalid: "failed"}
    rows = ledger(postmark.tenant)
    assert [(rows[a]["status"], rows[a]["reason"]) for a in (good, inactive, invalid)] == [
        ("completed", None), ("exited", "bounced"), ("exited", "failed"),
    ]  # fmt: skip


def test_an_outage_costs_an_attempt_and_the_mail_is_tried_again(account: CampaignAccount) -> None:
    account.people("outage")
    account.started()

    carry_out(account.tenant)

    (mail,) = mails(account.tenant)
    assert (mail["status"], mail["attempts"]) == ("queued", 1)
    assert "503" in mail["error"]


def test_a_provider_that_is_sent_to_too_fast_is_left_alone_and_no_attempt_is_spent(account: CampaignAccount) -> None:
    (address,) = account.people("toofast")
    account.started()

    carry_out(account.tenant)

    (mail,) = mails(account.tenant)
    assert (mail["status"], mail["attempts"], account.taken(address)) == ("queued", 0, [])
    assert mail["next_sweep_at"] is not None
    assert "429" in mail["error"]


# ---- Refusals of every mail ------------------------------------------------------------------------------------------


def test_a_revoked_key_pauses_the_campaign_and_loses_nobody(account: CampaignAccount) -> None:
    people = account.people(*"abc")
    campaign_id = account.started()
    messages = plan(account.tenant)
    account.sandbox.memory.revoked.add(account.api_key)

    assert consume(send_campaign_emails, *messages) == []

    campaign = account.shown(campaign_id)
    assert (campaign["status"], campaign["paused_reason"]) == ("paused", "provider_refused")
    assert "401" in campaign["paused_detail"]
    assert {(mail["status"], mail["attempts"]) for mail in mails(account.tenant)} == {("queued", 0)}
    (told,) = account.raised("campaign.paused")
    assert (told["reason"], told["detail"]) == ("provider_refused", campaign["paused_detail"])
    providers = call(provider_accounts, "GET", f"{ESP}/providers", token=signed_in(account.tenant).access_token).json
    (state,) = [row for row in providers["data"] if row["provider"] == account.provider]
    assert (state["status"], state["status_detail"]) == ("error", campaign["paused_detail"])

    account.sandbox.memory.revoked.discard(account.api_key)
    assert ask(account.key, "POST", f"/{campaign_id}/start").status == 200
    assert account.shown(campaign_id)["paused_detail"] is None
    account.send_again()
    carry_out(account.tenant)
    assert [len(account.taken(address)) for address in people] == [1, 1, 1]
    assert status_of(account.key, campaign_id) == "completed"


def test_each_owner_is_told_once_why_a_campaign_was_stopped(account: CampaignAccount) -> None:
    account.people(*"abc")
    account.started()
    messages = plan(account.tenant)
    account.sandbox.memory.revoked.add(account.api_key)

    consume(send_campaign_emails, *messages)

    with transaction(tenant_id=account.tenant.id, mode="live") as tx:
        told_ids = tx.all("SELECT user_id FROM mail_outbox WHERE type = 'provider_refused'", {})
        (told,) = tx.all("SELECT DISTINCT variables FROM mail_outbox WHERE type = 'provider_refused'", {})
    assert len(told_ids) == len(set(told_ids))
    assert (told["campaign"], told["provider"]) == ("Launch", account.provider.title())
    assert "401" in told["reason"]


def test_a_sender_whom_the_provider_does_not_know_pauses_the_campaign_instead_of_failing_everybody(
    postmark: CampaignAccount,
) -> None:
    postmark.people(*"abc")
    campaign_id = postmark.started(from_email="unconfirmed@elsewhere.example.com")

    carry_out(postmark.tenant)

    campaign = postmark.shown(campaign_id)
    assert (campaign["status"], campaign["paused_reason"]) == ("paused", "provider_refused")
    assert "Sender Signature" in campaign["paused_detail"]
    assert {mail["status"] for mail in mails(postmark.tenant)} == {"queued"}


def test_an_account_that_is_removed_in_between_pauses_the_campaign(account: CampaignAccount) -> None:
    (address,) = account.people("ada")
    campaign_id = account.started()
    messages = plan(account.tenant)
    token = signed_in(account.tenant).access_token
    assert call(provider_accounts, "DELETE", f"{ESP}/{account.provider}", token=token).status == 204

    assert consume(send_campaign_emails, *messages) == []

    campaign = account.shown(campaign_id)
    assert (campaign["paused_reason"], account.taken(address)) == ("provider_refused", [])
    refused = ask(account.key, "POST", f"/{campaign_id}/start")
    assert (refused.status, refused.json["errors"][0]["field"]) == (400, "provider")


def test_an_explanation_names_what_the_provider_said(account: CampaignAccount) -> None:
    contact_id = add_contact(account.key)
    campaign_id = account.started()
    messages = plan(account.tenant)
    account.sandbox.memory.revoked.add(account.api_key)
    consume(send_campaign_emails, *messages)

    answer = ask(account.key, "GET", f"/{campaign_id}/recipients/{contact_id}")

    assert account.shown(campaign_id)["paused_detail"] in answer.json["explanation"]


def test_losing_a_domain_does_not_stop_campaigns_that_a_provider_sends(account: CampaignAccount) -> None:
    account.people("ada")
    campaign_id = account.started(from_email="news@elsewhere.example.com")

    with transaction(tenant_id=account.tenant.id, mode="live") as tx:
        assert domain_loss.stop_campaigns(tx, "elsewhere.example.com") == 0

    assert status_of(account.key, campaign_id) == "active"


# ---- Choosing the provider -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", BOTH)
def test_a_provider_that_is_not_set_up_is_refused(key: TestKey, provider: str) -> None:
    body = {"name": "Launch", "steps": [EMAIL], "provider": provider}
    answer = call(campaigns, "POST", "/api/v1/campaigns", token=key.plaintext, json=body)

    assert (answer.status, answer.json["errors"][0]) == (
        400, {"field": "provider", "message": f"is {provider}, which is not set up; an admin can do that",
              "code": "not_set_up"},
    )  # fmt: skip


def test_a_running_campaign_can_be_moved_to_a_provider(account: CampaignAccount) -> None:
    (address,) = account.people("ada")
    campaign_id = started(account.key)
    messages = plan(account.tenant)

    assert ask(account.key, "PATCH", f"/{campaign_id}", json={"provider": account.provider}).status == 200
    assert consume(send_campaign_emails, *messages) == []

    assert [mail.provider for mail in account.taken(address)] == [account.provider]


def test_a_running_campaign_goes_back_to_the_built_in_server_only_from_a_verified_domain(
    account: CampaignAccount,
) -> None:
    account.people("ada")
    campaign_id = account.started(from_email="news@elsewhere.example.com")

    answer = ask(account.key, "PATCH", f"/{campaign_id}", json={"provider": "smtp"})

    assert (answer.status, answer.json["code"]) == (409, "DOMAIN_NOT_VERIFIED")
