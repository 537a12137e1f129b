"""What providers report: taken from the provider alone, once, in any order, and followed by what it means."""

import copy
import time
from base64 import b64encode
from typing import Any
from uuid import uuid4

import pytest

from local.sandboxes import mailgun as mailgun_sandbox
from local.sandboxes import postmark as postmark_sandbox
from local.sandboxes.mails import SentMail
from local.sandboxes.server import SandboxServer
from penguinmails.db import transaction
from provider_events.app import handler
from tests.support.http import Answer, call
from tests.support.providers import ProviderName, configured, send_by, shown
from tests.support.tenants import TestKey, TestTenant

BOTH: list[ProviderName] = ["postmark", "mailgun"]


class Account:
    """A provider's account that mails were sent with, and that reports about them."""

    def __init__(self, tenant: TestTenant, key: TestKey, provider: ProviderName, sandbox: SandboxServer) -> None:
        self.tenant, self.key, self.provider, self.sandbox = tenant, key, provider, sandbox
        self.set_up = configured(tenant, provider)
        self.path = "/webhooks/" + self.set_up["webhook_url"].partition("/webhooks/")[2]

    def sent(self, name: str = "somebody") -> tuple[str, SentMail]:
        to = f"{name}-{uuid4().hex}@example.com"
        email_id = send_by(self.tenant, self.key, self.provider, to)
        (mail,) = self.sandbox.memory.to(to)
        return email_id, mail

    def report_of(self, mail: SentMail) -> dict[str, Any]:
        sandbox = postmark_sandbox if self.provider == "postmark" else mailgun_sandbox
        return sandbox.report_of(mail)

    def post(self, body: dict[str, Any], **request: Any) -> Answer:
        if self.provider == "postmark" and "headers" not in request:
            password = self.set_up["webhook_password"]
            request["headers"] = {"Authorization": basic(self.set_up["webhook_username"], password)}
        return call(handler, "POST", request.pop("path", self.path), json=body, **request)


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture(params=BOTH)
def account(
    request: pytest.FixtureRequest, tenant: TestTenant, key: TestKey, provider_sandbox: SandboxServer
) -> Account:
    return Account(tenant, key, request.param, provider_sandbox)


@pytest.fixture
def mailgun(tenant: TestTenant, key: TestKey, provider_sandbox: SandboxServer) -> Account:
    return Account(tenant, key, "mailgun", provider_sandbox)


@pytest.fixture
def postmark(tenant: TestTenant, key: TestKey, provider_sandbox: SandboxServer) -> Account:
    return Account(tenant, key, "postmark", provider_sandbox)


def raised(tenant: TestTenant) -> list[str]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT type FROM events WHERE type LIKE 'email.%%' ORDER BY created_at, id", {})


def suppressions(tenant: TestTenant) -> list[tuple[str, str]]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        rows = tx.all("SELECT jsonb_build_array(reason, source) FROM suppression_list", {})
    return [(reason, source) for reason, source in rows]


# ---- what a report does ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "state", "event", "reason"),
    [
        ("somebody", "delivered", "email.delivered", None),
        ("bounce", "bounced", "email.bounced", "hard_bounce"),
        ("complain", "sent", "email.spam_reported", "spam_complaint"),
    ],
)
def test_a_report_moves_the_mail_raises_its_event_and_bars_the_address(
    account: Account, name: str, state: str, event: str, reason: str | None
) -> None:
    email_id, mail = account.sent(name)

    answer = account.post(account.report_of(mail))

    assert (answer.status, answer.json) == (200, {"outcome": "taken"})
    assert shown(account.key, email_id)["status"] == state
    assert raised(account.tenant) == ["email.sent", event]
    assert suppressions(account.tenant) == ([] if reason is None else [(reason, account.provider)])


def test_a_soft_bounce_bars_nothing(account: Account) -> None:
    email_id, mail = account.sent("softbounce")

    assert account.post(account.report_of(mail)).json == {"outcome": "taken"}

    assert raised(account.tenant) == ["email.sent", "email.bounced"]
    assert suppressions(account.tenant) == []
    # Postmark has given up; Mailgun tries again by itself.
    assert shown(account.key, email_id)["status"] == ("bounced" if account.provider == "postmark" else "sent")


def test_a_repeated_report_is_known_and_one_that_says_the_same_is_nothing_new(account: Account) -> None:
    _, mail = account.sent()
    report = account.report_of(mail)

    outcomes = [account.post(body).json["outcome"] for body in (report, report)]
    time.sleep(0.01)
    again = account.post(account.report_of(mail)).json["outcome"]

    assert (outcomes, again) == (["taken", "known"], "nothing_new")
    assert raised(account.tenant) == ["email.sent", "email.delivered"]


def test_a_delivery_that_is_reported_after_a_bounce_does_not_undo_it(account: Account) -> None:
    email_id, mail = account.sent("bounce")
    delivered = SentMail(**{**{n: getattr(mail, n) for n in mail.__dataclass_fields__}, "recipient": "x@example.com"})

    account.post(account.report_of(mail))
    account.post(account.report_of(delivered))

    assert shown(account.key, email_id)["status"] == "bounced"
    assert raised(account.tenant) == ["email.sent", "email.bounced", "email.delivered"]


def test_a_report_about_somebody_elses_mail_is_an_orphan(
    account: Account, other_tenant: TestTenant, provider_sandbox: SandboxServer
) -> None:
    theirs = Account(other_tenant, other_tenant.key(), account.provider, provider_sandbox)
    email_id, mail = theirs.sent("bounce")
    report = account.report_of(mail)
    if account.provider == "mailgun":
        _, own = account.sent()
        report = {**mailgun_sandbox.report_of(own), "event-data": report["event-data"]}

    assert account.post(report).json == {"outcome": "orphan"}
    assert shown(theirs.key, email_id)["status"] == "sent"


def test_opens_and_clicks_that_postmark_sees_count(postmark: Account) -> None:
    email_id, mail = postmark.sent()
    common = {"MessageID": mail.id, "Metadata": mail.variables, "UserAgent": "Mail", "Geo": {"IP": "198.51.100.7"}}
    at = "2026-01-31T12:00:00.1234567Z"

    postmark.post({**common, "RecordType": "Open", "ReceivedAt": at})
    postmark.post({**common, "RecordType": "Click", "ReceivedAt": at, "OriginalLink": "https://example.com/a"})

    email = shown(postmark.key, email_id)
    assert (email["opens"], email["clicks"]) == (1, 1)
    assert raised(postmark.tenant) == ["email.sent", "email.opened", "email.clicked"]


def test_who_unsubscribes_at_the_provider_gets_no_further_mail(postmark: Account, mailgun: Account) -> None:
    _, first = postmark.sent()
    change = {
        "RecordType": "SubscriptionChange", "MessageID": first.id, "Metadata": first.variables, "SuppressSending": True,
        "SuppressionReason": "ManualSuppression", "ChangedAt": "2026-01-31T12:00:00Z",
    }  # fmt: skip
    _, second = mailgun.sent()
    report = mailgun_sandbox.report_of(second)
    report["event-data"]["event"] = "unsubscribed"

    assert [postmark.post(change).json, mailgun.post(report).json] == [{"outcome": "taken"}] * 2

    assert sorted(suppressions(postmark.tenant)) == [("user_request", "mailgun"), ("user_request", "postmark")]


def test_the_flat_form_of_mailgun_is_read_too(mailgun: Account) -> None:
    email_id, mail = mailgun.sent()
    signature = mailgun_sandbox.report_of(mail)["signature"]

    answer = mailgun.post({**signature, "event": "delivered", "recipient": mail.recipient, **mail.variables})

    assert answer.json == {"outcome": "taken"}
    assert shown(mailgun.key, email_id)["status"] == "delivered"


@pytest.mark.parametrize(
    "body",
    [
        {"RecordType": "Bounce", "Type": "AutoResponder"},
        {"RecordType": "SomethingNew", "ID": 1},
        {"RecordType": ["Delivery"], "Metadata": 7, "DeliveredAt": {}},
        {},
    ],
)
def test_what_says_nothing_about_a_mail_is_ignored(postmark: Account, body: dict[str, Any]) -> None:
    assert postmark.post(body).json == {"outcome": "ignored"}


# ---- who may report -----------------------------------------------------------------------------------------------------


def test_postmark_proves_itself_by_user_name_and_password(postmark: Account) -> None:
    email_id, mail = postmark.sent("bounce")
    report = postmark_sandbox.report_of(mail)

    for sent in ({}, {"Authorization": "Basic !!"}, {"Authorization": basic("penguinmails", "guess")}):
        assert postmark.post(report, headers=sent).status == 401
    assert shown(postmark.key, email_id)["status"] == "sent"


def test_mailgun_proves_itself_by_a_signature(mailgun: Account) -> None:
    email_id, mail = mailgun.sent("bounce")
    forged = mailgun_sandbox.report_of(mail, signing_key="guess")
    unsigned = {"event-data": forged["event-data"]}

    assert [mailgun.post(forged).status, mailgun.post(unsigned).status] == [401, 401]
    assert shown(mailgun.key, email_id)["status"] == "sent"


def test_an_old_signature_is_refused(mailgun: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    _, mail = mailgun.sent("bounce")
    now = time.time()
    monkeypatch.setattr(mailgun_sandbox.time, "time", lambda: now - 301)
    report = mailgun_sandbox.report_of(mail)
    monkeypatch.undo()

    assert mailgun.post(report).status == 401


def test_a_token_that_was_seen_signs_no_other_report(mailgun: Account) -> None:
    email_id, mail = mailgun.sent()
    genuine = mailgun_sandbox.report_of(mail)
    assert mailgun.post(genuine).status == 200

    forged = copy.deepcopy(genuine)
    forged["event-data"] |= {"id": "another", "event": "complained"}

    assert mailgun.post(forged).status == 401
    assert mailgun.post(genuine).json == {"outcome": "known"}
    assert suppressions(mailgun.tenant) == []
    assert shown(mailgun.key, email_id)["status"] == "delivered"


def test_a_url_that_was_replaced_or_is_the_other_providers_takes_nothing(postmark: Account) -> None:
    _, mail = postmark.sent()
    report = postmark_sandbox.report_of(mail)
    swapped = postmark.path.replace("postmark", "mailgun")
    assert postmark.post(report, path=swapped).status == 404

    configured(postmark.tenant, "postmark")

    assert postmark.post(report).status == 404


def test_reports_are_forgotten_after_a_week(postmark: Account) -> None:
    from purge_expired.app import handler as purge_expired
    from tests.support.queues import run_job

    postmark.post({"RecordType": "Fresh"})
    postmark.post({"RecordType": "Old"})
    with transaction(tenant_id=postmark.tenant.id, mode="live") as tx:
        tx.run("UPDATE provider_events SET received_at = now() - interval '8 days' WHERE type = 'Old'", {})

    run_job(purge_expired)

    with transaction(tenant_id=postmark.tenant.id, mode="live") as tx:
        assert tx.all("SELECT type FROM provider_events", {}) == ["Fresh"]
