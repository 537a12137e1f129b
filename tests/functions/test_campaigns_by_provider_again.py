"""Campaigns by Postmark or Mailgun when a worker dies, an answer is lost, or a report comes first: nobody gets a mail twice."""

from typing import Any
from uuid import UUID

import pytest

from local.sandboxes.server import SandboxServer
from penguinmails import clock
from penguinmails.db import transaction
from penguinmails.domain.mail_reports import Report, record_report
from penguinmails.providers import http as provider_http
from send_campaign_emails import service
from send_campaign_emails.app import handler as send_campaign_emails
from tests.support.campaigns import EMAIL, carry_out, ledger, mails, plan, status_of
from tests.support.provider_campaigns import BOTH, CampaignAccount
from tests.support.queues import consume
from tests.support.tenants import TestKey, TestTenant


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(params=BOTH)
def account(
    request: pytest.FixtureRequest, tenant: TestTenant, key: TestKey, provider_sandbox: SandboxServer
) -> CampaignAccount:
    return CampaignAccount(tenant, key, request.param, provider_sandbox)


def test_what_a_killed_worker_has_handed_over_is_asked_for_and_not_sent_again(
    account: CampaignAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = account.people("ada", "zoe")
    campaign_id = account.started()
    die_after_hand_over(account, monkeypatch)

    account.send_again()
    carry_out(account.tenant)

    taken = {address: account.taken(address) for address in people}
    assert [len(found) for found in taken.values()] == [1, 1]
    assert {mail["to_email"]: mail["provider_message_id"] for mail in mails(account.tenant)} == {
        address: found[0].id for address, found in taken.items()
    }
    assert (status_of(account.key, campaign_id), len(account.raised("email.sent"))) == ("completed", 2)


def test_mails_whose_answers_were_lost_are_asked_for_before_they_are_sent_again(
    account: CampaignAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = account.people("ada", "zoe")
    account.started()
    module = f"penguinmails.providers.{account.provider}.ask"
    arrived: list[str] = []

    def lose(method: str, url: str, **options: Any) -> None:
        # The first request arrives, of Mailgun one mail's.
        if not arrived:
            arrived.append(url)
            provider_http.ask(method, url, **options)
        raise provider_http.NoAnswer("ReadTimeoutError")

    with monkeypatch.context() as patched:
        patched.setattr(module, lose)
        carry_out(account.tenant)
    assert {mail["status"] for mail in mails(account.tenant)} == {"queued"}

    account.send_again()

    assert [len(account.taken(address)) for address in people] == [1, 1]
    assert {mail["status"] for mail in mails(account.tenant)} == {"sent"}


def test_while_a_provider_cannot_be_asked_nothing_is_sent_that_it_may_have(
    account: CampaignAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    (address,) = account.people("ada")
    account.started()
    die_after_hand_over(account, monkeypatch)

    def silent(method: str, url: str, **options: Any) -> Any:
        if method == "GET":
            raise provider_http.NoAnswer("ReadTimeoutError")
        return provider_http.ask(method, url, **options)

    with monkeypatch.context() as patched:
        patched.setattr(f"penguinmails.providers.{account.provider}.ask", silent)
        account.send_again()

    (mail,) = mails(account.tenant)
    assert (mail["status"], len(account.taken(address))) == ("queued", 1)


def test_a_report_about_a_mail_whose_worker_was_killed_stands_for_the_record(
    account: CampaignAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    (address,) = account.people("ada")
    campaign_id = account.started()
    die_after_hand_over(account, monkeypatch)

    delivered(account, mails(account.tenant)[0]["id"])
    account.send_again()
    carry_out(account.tenant)

    assert len(account.taken(address)) == 1
    (mail,) = mails(account.tenant)
    assert (mail["status"], mail["provider"]) == ("delivered", account.provider)
    assert ledger(account.tenant)[address]["status"] == "completed"
    assert status_of(account.key, campaign_id) == "completed"
    assert [len(account.raised(kind)) for kind in ("email.sent", "email.delivered")] == [1, 1]


def test_a_report_that_comes_before_the_record_counts_once(
    account: CampaignAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    (address,) = account.people("ada")
    account.started(steps=[EMAIL, {"type": "wait", "wait": {"value": 2, "unit": "days"}}, EMAIL])
    real = service._record

    def late(*arguments: Any) -> None:
        delivered(account, mails(account.tenant)[0]["id"])
        real(*arguments)

    monkeypatch.setattr(service, "_record", late)
    carry_out(account.tenant)

    row = ledger(account.tenant)[address]
    assert (mails(account.tenant)[0]["status"], row["status"], row["steps_completed"]) == ("delivered", "active", 1)
    assert [len(account.raised(kind)) for kind in ("email.sent", "email.delivered")] == [1, 1]


def test_what_a_slow_provider_leaves_no_time_for_goes_back_to_the_queue(
    account: CampaignAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    (address,) = account.people("ada")
    account.started()
    monkeypatch.setattr(service, "PATIENCE_SECONDS", -1)

    carry_out(account.tenant)

    (mail,) = mails(account.tenant)
    assert (mail["status"], mail["attempts"], account.taken(address)) == ("queued", 0, [])


def die_after_hand_over(account: CampaignAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_arguments: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(service, "_record", die)
        with pytest.raises(Killed):
            consume(send_campaign_emails, *plan(account.tenant))


def delivered(account: CampaignAccount, email_id: str) -> None:
    with transaction(tenant_id=account.tenant.id, mode="live") as tx:
        record_report(tx, UUID(email_id), Report(kind="delivered", source=account.provider, occurred_at=clock.now()))
