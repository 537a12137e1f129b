"""What keeps a campaign from being started, and what the refusal says."""

from datetime import UTC, datetime, timedelta

import pytest

from penguinmails.db import transaction
from tests.support.campaigns import WAIT, add_contact, add_list, ask, draft, status_of
from tests.support.tenants import TestKey, make_tenant

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat()


@pytest.mark.parametrize("audience", ["list", "workspace"])
def test_a_campaign_that_reaches_nobody_cannot_be_started(key: TestKey, audience: str) -> None:
    fields = {"list_id": add_list(key)} if audience == "list" else {}

    answer = ask(key, "POST", f"/{draft(key, **fields)['id']}/start")

    assert (answer.status, answer.code) == (409, "NO_RECIPIENTS")


def test_a_campaign_without_an_email_cannot_be_started(key: TestKey) -> None:
    add_contact(key)

    assert ask(key, "POST", f"/{draft(key, steps=[WAIT])['id']}/start").code == "RESOURCE_CONFLICT"


def test_an_ab_test_without_a_second_version_cannot_be_started(key: TestKey) -> None:
    add_contact(key)

    answer = ask(key, "POST", f"/{draft(key, campaign_type='ab_test')['id']}/start")

    assert (answer.status, answer.code) == (409, "RESOURCE_CONFLICT")
    assert "variant_b" in answer.json["detail"]


def test_a_scheduled_campaign_needs_a_date_to_be_started(key: TestKey) -> None:
    add_contact(key)

    answer = ask(key, "POST", f"/{draft(key, send_strategy='scheduled')['id']}/start")

    assert (answer.status, answer.code) == (409, "RESOURCE_CONFLICT")
    assert "start_date" in answer.json["detail"]


def test_a_campaign_whose_end_has_passed_cannot_be_started(key: TestKey) -> None:
    add_contact(key)

    assert ask(key, "POST", f"/{draft(key, end_date=YESTERDAY)['id']}/start").code == "RESOURCE_CONFLICT"


def test_a_campaign_cannot_be_started_once_the_months_emails_are_used() -> None:
    tenant = make_tenant("starter")
    key = tenant.key()
    add_contact(key)
    campaign_id = draft(key)["id"]
    with transaction(tenant_id=tenant.id) as tx:
        tx.run(
            "INSERT INTO usage_counters VALUES (%(id)s, 'emails', date_trunc('month', now() AT TIME ZONE 'UTC')::date, 50000)",
            {"id": tenant.id},
        )

    answer = ask(key, "POST", f"/{campaign_id}/start")

    assert (answer.status, answer.code) == (403, "QUOTA_EXCEEDED")
    assert status_of(key, campaign_id) == "draft"
