"""Every reason that explains where a recipient stands is shown in the state that it is given for."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from campaigns.explanations import SENTENCES
from contacts.app import handler as contacts
from emails.app import handler as emails
from penguinmails.db import transaction
from penguinmails.settings import get_settings
from send_campaign_emails.app import handler as send_campaign_emails
from suppression.app import handler as suppression
from tests.support.campaigns import EMAIL, NO_LIMIT, WAIT, add_contact, ask, carry_out, draft, mails, plan, started
from tests.support.http import call
from tests.support.providers import configured
from tests.support.queues import consume
from tests.support.tenants import TestKey, TestTenant, make_tenant

AHEAD = datetime.now(UTC) + timedelta(days=2)
CLOSED = {**NO_LIMIT, "sending_window": {"days": [AHEAD.strftime("%A").lower()]}}
PATTERNS = {"until": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "step": r"\d+", "status": r"\w+", "name": r"\w+"}
SCENARIOS: dict[str, Callable[["Scene"], Any]] = {}


class Scene:
    """An account of the starter plan with one contact, who is put into a state."""

    def __init__(self) -> None:
        self.tenant = make_tenant("starter")
        self.key = self.tenant.key()
        self.email = f"{uuid4().hex}@example.com"
        self.contact, self.campaign = "", ""

    def sql(self, statement: Any, **params: Any) -> None:
        with transaction(tenant_id=self.tenant.id, mode="live") as tx:
            tx.run(statement, params)

    def start(self, **fields: Any) -> None:
        self.contact = self.contact or str(add_contact(self.key, email=self.email))
        self.campaign = started(self.key, **fields)

    def planned(self, **fields: Any) -> list[dict[str, Any]]:
        self.start(**fields)
        return plan(self.tenant)

    def enrolled(self, **fields: Any) -> None:
        """Enrolled, and not taken up by the planner."""
        self.contact = str(add_contact(self.key, email=self.email))
        self.campaign = draft(self.key, **fields)["id"]
        body = {"contact_ids": [self.contact]}
        assert ask(self.key, "POST", f"/{self.campaign}/recipients", json=body).status == 200
        assert ask(self.key, "POST", f"/{self.campaign}/start").status == 200

    def left(self, reason: str) -> None:
        self.planned()
        self.sql(
            "UPDATE campaign_contacts SET status = 'exited', finished_at = now(), next_email_at = NULL, reason = %(r)s",
            r=reason,
        )

    def stopped(self, reason: str) -> None:
        self.planned()
        self.sql(
            "UPDATE campaigns SET status = 'paused', paused_reason = %(r)s, paused_detail = 'no credit', next_plan_at = NULL",
            r=reason,
        )

    def waits(self, reason: str) -> None:
        self.enrolled()
        self.sql(
            """
            UPDATE campaign_contacts SET status = 'active', reason = %(r)s, next_email_at = now() + interval '1 hour',
              current_step_id = (SELECT id FROM campaign_steps)
            """,
            r=reason,
        )

    def explanation(self) -> str:
        answer = ask(self.key, "GET", f"/{self.campaign}/recipients/{self.contact}")
        assert answer.status == 200, answer.body
        return answer.json["explanation"]


def scenario(code: str) -> Callable[[Callable[[Scene], Any]], Callable[[Scene], Any]]:
    def keep(make: Callable[[Scene], Any]) -> Callable[[Scene], Any]:
        SCENARIOS[code] = make
        return make

    return keep


# ---- They came to the end, or left ------------------------------------------------------------------------------------


@scenario("completed")
def _completed(scene: Scene) -> None:
    scene.start()
    carry_out(scene.tenant)


@scenario("unsubscribed")
def _unsubscribed(scene: Scene) -> None:
    scene.start()
    path = f"/api/v1/contacts/{scene.contact}"
    assert call(contacts, "PUT", path, token=scene.key.plaintext, json={"status": "unsubscribed"}).status == 200
    plan(scene.tenant)


@scenario("bounced")
def _bounced(scene: Scene) -> None:
    scene.start()
    scene.sql("UPDATE contacts SET status = 'bounced'")
    plan(scene.tenant)


@scenario("bounced_with_answer")
def _bounced_with_answer(scene: Scene) -> None:
    scene.email = f"reject-{uuid4().hex}@example.com"
    scene.start()
    carry_out(scene.tenant)


@scenario("suppressed")
def _suppressed(scene: Scene) -> None:
    scene.start()
    path, body = "/api/v1/suppression-list", {"email": scene.email}
    assert call(suppression, "POST", path, token=scene.key.plaintext, json=body).status == 201
    plan(scene.tenant)


@scenario("address_unsupported")
def _address_unsupported(scene: Scene) -> None:
    configured(scene.tenant, "postmark")
    scene.email = f"jürgen.{uuid4().hex}@example.com"
    scene.planned(provider="postmark")


@scenario("replied")
def _replied(scene: Scene) -> None:
    scene.start(steps=[EMAIL, EMAIL], settings={**NO_LIMIT, "pause_on_reply": True})
    carry_out(scene.tenant)
    scene.sql(
        "INSERT INTO email_events (id, tenant_id, mode, email_id, type, occurred_at)"
        " SELECT gen_random_uuid(), tenant_id, mode, id, 'replied', now() FROM emails"
    )
    plan(scene.tenant)


@scenario("cancelled")
def _cancelled(scene: Scene) -> None:
    scene.planned()
    path = f"/api/v1/emails/{mails(scene.tenant)[0]['id']}/cancel"
    assert call(emails, "POST", path, token=scene.key.plaintext).status == 200


@scenario("campaign_ended")
def _campaign_ended(scene: Scene) -> None:
    scene.enrolled(end_date=AHEAD.isoformat())
    scene.sql("UPDATE campaigns SET end_date = now() - interval '1 second'")
    plan(scene.tenant)


@scenario("exit_step")
def _exit_step(scene: Scene) -> None:
    scene.start(steps=[EMAIL, {"type": "action", "action": {"type": "exit"}}])
    carry_out(scene.tenant, rounds=2)


@scenario("missing_field")
def _missing_field(scene: Scene) -> None:
    scene.planned(steps=[{**EMAIL, "subject": "Dear {{ company }}"}])


for _code in ("failed", "step_removed", "sent_before", "text_unusable"):
    SCENARIOS[_code] = lambda scene, code=_code: scene.left(code)
SCENARIOS["left"] = lambda scene: scene.left("a reason of another version")


# ---- The campaign does not send -----------------------------------------------------------------------------------------


for _code in ("domain_lost", "provider_refused"):
    SCENARIOS[_code] = lambda scene, code=_code: scene.stopped(code)


@scenario("paused")
def _paused(scene: Scene) -> None:
    scene.planned()
    assert ask(scene.key, "POST", f"/{scene.campaign}/pause").status == 200


@scenario("not_active")
def _not_active(scene: Scene) -> None:
    scene.enrolled(start_date=AHEAD.isoformat())


# ---- Their mail is on its way -------------------------------------------------------------------------------------------


@scenario("prepared")
def _prepared(scene: Scene) -> None:
    scene.enrolled()
    scene.sql("UPDATE campaign_contacts SET status = 'active', next_email_at = NULL")


@scenario("mail_state")
def _mail_state(scene: Scene) -> None:
    scene.planned()


@scenario("mail_sending")
def _mail_sending(scene: Scene) -> None:
    scene.planned()
    scene.sql("UPDATE emails SET status = 'sending'")


@scenario("mail_refused")
def _mail_refused(scene: Scene) -> None:
    scene.email = f"tempfail-{uuid4().hex}@example.com"
    scene.start()
    carry_out(scene.tenant)


@scenario("mail_pace")
def _mail_pace(scene: Scene) -> None:
    scene.planned()
    scene.sql("UPDATE emails SET paced_until = now() + interval '1 minute'")


@scenario("mail_window")
def _mail_window(scene: Scene) -> None:
    messages = scene.planned()
    assert ask(scene.key, "PUT", f"/{scene.campaign}", json={"settings": CLOSED}).status == 200
    assert consume(send_campaign_emails, *messages) == []


@scenario("mail_daily_limit")
def _mail_daily_limit(scene: Scene) -> None:
    messages = scene.planned(settings={"daily_limit": 10})
    scene.sql("UPDATE emails SET created_at = created_at - interval '1 day'")
    scene.sql("UPDATE mailbox_days SET planned = 10")
    assert consume(send_campaign_emails, *messages) == []


# ---- A step lets them wait ----------------------------------------------------------------------------------------------


for _code in ("awaiting_test", "best_time"):
    SCENARIOS[_code] = lambda scene, code=_code: scene.waits(code)


@scenario("waiting")
def _waiting(scene: Scene) -> None:
    scene.start(steps=[EMAIL, WAIT, EMAIL])
    carry_out(scene.tenant, rounds=2)


# ---- They are next ------------------------------------------------------------------------------------------------------


@scenario("window")
def _window(scene: Scene) -> None:
    scene.enrolled(settings=CLOSED)


@scenario("daily_limit")
def _daily_limit(scene: Scene) -> None:
    scene.enrolled(settings={"daily_limit": 10})
    use_up(scene, get_settings().mail_from)


@scenario("month")
def _month(scene: Scene) -> None:
    scene.enrolled()
    scene.sql(
        "INSERT INTO usage_counters VALUES (%(id)s, 'emails', date_trunc('month', now() AT TIME ZONE 'UTC')::date, 50000)",
        id=scene.tenant.id,
    )


@scenario("pace")
def _pace(scene: Scene) -> None:
    scene.enrolled()
    scene.sql("INSERT INTO send_paces VALUES (%(id)s, now() + interval '10 minutes')", id=scene.tenant.id)


@scenario("next")
def _next(scene: Scene) -> None:
    scene.enrolled()


# ---- The tests ----------------------------------------------------------------------------------------------------------


def pattern(code: str) -> str:
    """What a sentence looks like once it is filled in."""
    parts = re.split(r"\{(\w+)\}", SENTENCES[code])
    return "".join(PATTERNS.get(part, ".+") if place % 2 else re.escape(part) for place, part in enumerate(parts))


@pytest.mark.parametrize("code", SENTENCES)
def test_a_reason_is_given_in_its_state_and_no_other_sentence_is(code: str) -> None:
    assert code in SCENARIOS, f"show in a scenario when recipients are told {code}"
    scene = Scene()

    SCENARIOS[code](scene)

    said = scene.explanation()
    assert [other for other in SENTENCES if re.fullmatch(pattern(other), said)] == [code], said


def test_every_scenario_is_of_a_reason() -> None:
    assert set(SCENARIOS) == set(SENTENCES)


def use_up(scene: Scene, mailbox: str) -> None:
    from email.utils import parseaddr

    scene.sql(
        "INSERT INTO mailbox_days (tenant_id, mode, mailbox, day, planned) VALUES"
        " (%(id)s, 'live', %(mailbox)s, (now() AT TIME ZONE 'UTC')::date, 10)",
        id=scene.tenant.id,
        mailbox=parseaddr(mailbox)[1].lower(),
    )


@pytest.mark.parametrize(
    ("sends_by", "used_up", "is_told"),
    [
        ("own address", "own address", True),
        ("own address", "platform", False),
        ("account's default sender", "account's default sender", True),
        ("account's default sender", "platform", False),
        ("account that was removed", "platform", True),
        ("platform", "platform", True),
    ],
)
def test_the_days_limit_is_that_of_the_mailbox_that_the_campaign_sends_from(
    sends_by: str, used_up: str, is_told: bool
) -> None:
    scene = Scene()
    domain = scene.tenant.verified_domain()
    mailboxes = {
        "own address": f"news@{domain}",
        "account's default sender": "Shop <shop@example.com>",
        "platform": get_settings().mail_from,
    }
    fields: dict[str, Any] = {"from_email": mailboxes["own address"]} if sends_by == "own address" else {}
    if "account" in sends_by:
        configured(scene.tenant, "postmark")
        fields = {"provider": "postmark"}
    scene.enrolled(settings={"daily_limit": 10}, **fields)
    if "removed" in sends_by:
        scene.sql("DELETE FROM provider_accounts")
    use_up(scene, mailboxes[used_up])

    assert ("daily limit" in scene.explanation()) == is_told


def test_in_test_mode_neither_the_month_nor_the_pace_keeps_anybody_waiting(tenant: TestTenant) -> None:
    key: TestKey = tenant.key(mode="test")
    contact = add_contact(key)
    campaign_id = draft(key)["id"]
    ask(key, "POST", f"/{campaign_id}/recipients", json={"contact_ids": [str(contact)]})
    assert ask(key, "POST", f"/{campaign_id}/start").status == 200
    with transaction(tenant_id=tenant.id, mode="test") as tx:
        tx.run("INSERT INTO send_paces VALUES (%(id)s, now() + interval '10 minutes')", {"id": tenant.id})

    said = ask(key, "GET", f"/{campaign_id}/recipients/{contact}").json["explanation"]

    assert said == SENTENCES["next"]
