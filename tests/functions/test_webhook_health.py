"""What repeated failures do to a webhook: warnings, switching off, mails, and the single post that decides after a resumption."""

from typing import Any
from uuid import UUID

import pytest

from dispatch_webhooks import health, health_repository, settling_repository
from dispatch_webhooks.app import handler as dispatch
from fan_out_events.app import handler as fan_out
from local.services.mail import MailCatcher
from penguinmails.db import transaction
from send_platform_mail.app import handler as send_platform_mail
from sweep_deliveries.app import handler as sweep_deliveries
from tests.support.hooks import Hook, deliveries, hook, make_due, raise_event, webhook_row, work_off
from tests.support.http import call
from tests.support.people import signed_in
from tests.support.queues import consume, messages_for, run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks


@pytest.fixture
def failing(tenant: TestTenant, key: TestKey, receiver: Receiver) -> Hook:
    receiver.answers = [(500, {})] * 50
    return hook(key, receiver)


def has_failed(tenant: TestTenant, *, times: int, minutes: int) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            "UPDATE webhooks SET consecutive_failures = %(times)s, is_failing = true,"
            " failing_since = now() - make_interval(mins => %(minutes)s)",
            {"times": times, "minutes": minutes},
        )


def fail_once_more(tenant: TestTenant) -> None:
    raise_event(tenant)
    work_off(tenant)


def audited(tenant: TestTenant) -> list[Any]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all(
            "SELECT event FROM audit_log WHERE actor_type = 'system' AND resource_type = 'webhook' ORDER BY created_at",
            {},
        )


def mails(tenant: TestTenant) -> list[str]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT type FROM mail_outbox WHERE type LIKE 'webhook%%' ORDER BY id", {})


def resume(key: TestKey, hooked: Hook, **body: Any) -> Any:
    answer = call(webhooks, "POST", f"/api/v1/webhooks/{hooked.id}/resume", token=key.plaintext, json=body)
    assert answer.status == 200, answer.body
    return answer.json


def sweep_and_dispatch(tenant: TestTenant) -> None:
    make_due(tenant)
    run_job(sweep_deliveries)
    assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []


@pytest.mark.usefixtures("failing")
def test_a_hundred_failures_within_an_hour_do_not_switch_a_webhook_off(tenant: TestTenant) -> None:
    has_failed(tenant, times=300, minutes=29)
    fail_once_more(tenant)

    assert webhook_row(tenant)["is_active"] is True
    assert mails(tenant) == []


@pytest.mark.usefixtures("failing")
def test_an_hour_of_few_failures_does_not_switch_a_webhook_off(tenant: TestTenant) -> None:
    has_failed(tenant, times=40, minutes=3_000)
    fail_once_more(tenant)

    assert webhook_row(tenant)["is_active"] is True


def test_a_hundred_failures_over_an_hour_switch_it_off_and_lose_nothing(
    tenant: TestTenant, key: TestKey, failing: Hook
) -> None:
    has_failed(tenant, times=99, minutes=61)
    fail_once_more(tenant)

    row = webhook_row(tenant)
    assert (row["is_active"], row["paused_reason"], row["consecutive_failures"]) == (False, "failures", 100)
    shown = call(webhooks, "GET", f"/api/v1/webhooks/{failing.id}", token=key.plaintext).json
    assert (shown["status"], shown["paused_reason"]) == ("inactive", "failures")
    assert audited(tenant)[-1:] == ["webhook_switched_off"]
    assert "webhook_paused" in mails(tenant)
    raise_event(tenant)
    work_off(tenant)
    sweep_and_dispatch(tenant)
    assert {delivery["status"] for delivery in deliveries(tenant)} == {"held"}


@pytest.mark.parametrize(("percent", "times", "minutes"), [(50, 49, 31), (70, 69, 43), (90, 89, 55)])
@pytest.mark.usefixtures("failing")
def test_owners_are_warned_on_the_way_once(tenant: TestTenant, percent: int, times: int, minutes: int) -> None:
    has_failed(tenant, times=times, minutes=minutes)
    fail_once_more(tenant)
    fail_once_more(tenant)

    assert webhook_row(tenant)["warned_percent"] == percent
    assert audited(tenant) == ["webhook_failure_warning"]
    assert mails(tenant) == ["webhook_warning"]


def test_the_mail_goes_to_the_owner_and_the_admins_and_names_the_webhook(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, receiver: Receiver
) -> None:
    receiver.answers = [(500, {})]
    hook(key, receiver, name="Orders to the warehouse")
    admin, developer = signed_in(tenant, "admin"), signed_in(tenant, "developer")
    has_failed(tenant, times=60, minutes=40)
    fail_once_more(tenant)
    assert consume(send_platform_mail, *messages_for("platform_mail", tenant.id)) == []

    (mail,) = mail_catcher.mails_to(admin.email)
    assert "Orders to the warehouse" in mail.text
    assert "50 %" in mail.text
    assert mail_catcher.mails_to(developer.email) == []


def test_giving_up_a_delivery_is_told_once_a_day_and_webhook(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    receiver.answers = [(500, {})] * 9
    hook(key, receiver, retry_enabled=False)
    for _ in range(2):
        fail_once_more(tenant)
    assert mails(tenant) == ["webhook_exhausted"]

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhooks SET exhaustion_told_at = exhaustion_told_at - interval '25 hours'", {})
    fail_once_more(tenant)
    assert mails(tenant) == ["webhook_exhausted"] * 2


def test_that_a_receiver_is_gone_is_one_mail(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    receiver.answers = [(410, {})]
    hook(key, receiver)

    fail_once_more(tenant)

    assert mails(tenant) == ["webhook_paused"]


def test_failing_and_recovering_are_in_the_audit_trail(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)
    receiver.answers = [(500, {})] * 3
    for _ in range(4):
        fail_once_more(tenant)

    assert audited(tenant) == ["webhook_failing", "webhook_recovered"]
    assert webhook_row(tenant)["failing_since"] is None


def switched_off_with_three_events_held(tenant: TestTenant) -> None:
    has_failed(tenant, times=99, minutes=61)
    fail_once_more(tenant)
    for _ in range(3):
        raise_event(tenant)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    messages_for("deliveries", tenant.id)


def test_after_a_resumption_one_post_decides_and_a_failure_switches_off_again(
    tenant: TestTenant, key: TestKey, receiver: Receiver, failing: Hook
) -> None:
    switched_off_with_three_events_held(tenant)
    receiver.posts.clear()
    assert resume(key, failing, backlog="deliver")["is_probing"] is True

    sweep_and_dispatch(tenant)

    assert len(receiver.posts) == 1
    assert (webhook_row(tenant)["is_active"], webhook_row(tenant)["paused_reason"]) == (False, "failures")
    assert audited(tenant)[-1] == "webhook_probe_failed"
    assert consume(dispatch, *messages_for("deliveries", tenant.id)) == []
    assert sorted(d["status"] for d in deliveries(tenant)).count("held") >= 2


def test_after_a_resumption_one_success_opens_the_webhook_again(
    tenant: TestTenant, key: TestKey, receiver: Receiver, failing: Hook
) -> None:
    switched_off_with_three_events_held(tenant)
    receiver.posts.clear()
    receiver.answers.clear()
    resume(key, failing, backlog="deliver")

    sweep_and_dispatch(tenant)

    assert len(receiver.posts) >= 3
    assert (webhook_row(tenant)["is_active"], webhook_row(tenant)["is_probing"]) == (True, False)
    assert "webhook_probe_succeeded" in audited(tenant)


def test_a_webhook_that_its_user_paused_resumes_without_a_trial(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    paused = hook(key, receiver)
    call(webhooks, "POST", f"/api/v1/webhooks/{paused.id}/pause", token=key.plaintext)

    assert resume(key, paused, backlog="deliver")["is_probing"] is False


def pause(key: TestKey, hooked: Hook) -> Any:
    answer = call(webhooks, "POST", f"/api/v1/webhooks/{hooked.id}/pause", token=key.plaintext)
    assert answer.status == 200, answer.body
    return answer.json


def test_pausing_a_webhook_that_was_switched_off_changes_nothing(
    tenant: TestTenant, key: TestKey, failing: Hook
) -> None:
    has_failed(tenant, times=99, minutes=61)
    fail_once_more(tenant)
    before = webhook_row(tenant)

    paused = pause(key, failing)

    assert (paused["status"], paused["paused_reason"]) == ("inactive", "failures")
    assert webhook_row(tenant) == before
    assert resume(key, failing)["is_probing"] is True


def test_a_trial_is_pending_across_a_pause_until_a_post_succeeds(
    tenant: TestTenant, key: TestKey, receiver: Receiver, failing: Hook
) -> None:
    switched_off_with_three_events_held(tenant)
    receiver.posts.clear()
    resume(key, failing)
    pause(key, failing)

    assert resume(key, failing)["is_probing"] is True
    sweep_and_dispatch(tenant)
    assert (len(receiver.posts), webhook_row(tenant)["paused_reason"]) == (1, "failures")

    receiver.answers.clear()
    resume(key, failing)
    pause(key, failing)
    resume(key, failing)
    sweep_and_dispatch(tenant)
    pause(key, failing)
    assert resume(key, failing)["is_probing"] is False, "it was taken, so the next resumption is none on trial"


def test_switching_on_by_a_change_is_a_trial_too(tenant: TestTenant, key: TestKey, failing: Hook) -> None:
    has_failed(tenant, times=99, minutes=61)
    fail_once_more(tenant)
    path = f"/api/v1/webhooks/{failing.id}"

    changed = call(webhooks, "PUT", path, token=key.plaintext, json={"is_active": True}).json
    assert (changed["is_probing"], changed["paused_reason"]) == (True, None)


def test_what_is_in_line_when_a_webhook_is_switched_off_is_held_a_piece_at_a_time(
    tenant: TestTenant, key: TestKey, receiver: Receiver, failing: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling_repository, "_MOST_SETTLED", 2)
    for _ in range(5):
        raise_event(tenant)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    messages_for("deliveries", tenant.id)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhook_deliveries SET parked_at = now() + interval '1 hour', next_sweep_at = NULL", {})
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        state = health_repository.record_failures(tx, UUID(failing.id), failures=1, had_success=False, failing_from=3)
        assert state is not None
        health._switch_off(tx, UUID(failing.id), state, "failures")

    held = [0]
    while found := messages_for("deliveries", tenant.id):
        assert consume(dispatch, *found) == []
        held.append(sum(delivery["status"] == "held" for delivery in deliveries(tenant)))
    assert held == [0, 2, 4, 5]
    assert receiver.posts == []


def test_a_message_that_wakes_is_heard_beside_one_that_names_deliveries(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    resting, other = hook(key, receiver).id, hook(key, receiver).id
    raise_event(tenant)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    messages_for("deliveries", tenant.id)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            "UPDATE webhook_deliveries SET parked_at = now(), next_sweep_at = NULL WHERE webhook_id = %(id)s::uuid",
            {"id": resting},
        )
        tx.run("UPDATE webhooks SET is_active = false WHERE id = %(id)s::uuid", {"id": resting})
    raise_event(tenant)
    assert consume(fan_out, *messages_for("events", tenant.id)) == []
    named = messages_for("deliveries", tenant.id)

    assert consume(dispatch, *named, {**named[0], "deliveries": []}) == []

    found = [(delivery["webhook_id"], delivery["status"]) for delivery in deliveries(tenant)]
    assert [status for webhook_id, status in found if webhook_id == resting] == ["held", "held"]
    assert "success" in [status for webhook_id, status in found if webhook_id == other]
