"""A/B tests of campaigns: who takes part, when the winner is chosen, and what everybody else gets."""

import pytest

from tests.support.campaigns import EMAIL, add_contact, ask, carry_out, ledger, mails, pass_time, sql, started
from tests.support.tenants import TestKey, TestTenant


def test_an_ab_test_gives_both_versions_to_some_and_the_better_one_to_everybody_else(
    tenant: TestTenant, key: TestKey
) -> None:
    for _ in range(40):
        add_contact(key)
    campaign_id = started(
        key,
        steps=[{**EMAIL, "subject": "A", "variant_b": {"subject": "B"}}],
        settings={"daily_limit": 500, "ab_test": {"share_percent": 50, "metric": "clicked", "wait_hours": 2}},
    )
    carry_out(tenant, rounds=2)
    tested = {mail["subject"] for mail in mails(tenant)}
    waiting = [row for row in ledger(tenant).values() if row["reason"] == "awaiting_test"]
    assert tested == {"A", "B"}
    assert len(waiting) + len(mails(tenant)) == 40

    sql(tenant, "UPDATE emails SET clicks = 1 WHERE variant = 'b'")
    pass_time(tenant, hours=2, minutes=1)
    carry_out(tenant, rounds=2)

    rest = mails(tenant)[-len(waiting) :]
    assert {mail["subject"] for mail in rest} == {"B"}
    shown = ask(key, "GET", f"/{campaign_id}").json
    assert (shown["steps"][0]["winner"], shown["status"], shown["stats"]["sent"]) == ("b", "completed", 40)


@pytest.mark.parametrize("opened", [None, "both"])
def test_a_test_that_nobody_wins_is_won_by_the_first_version(
    tenant: TestTenant, key: TestKey, opened: str | None
) -> None:
    for _ in range(40):
        add_contact(key)
    campaign_id = started(
        key,
        steps=[{**EMAIL, "subject": "A", "variant_b": {"subject": "B"}}],
        settings={"daily_limit": 500, "ab_test": {"share_percent": 50, "wait_hours": 2}},
    )
    carry_out(tenant, rounds=2)
    if opened:
        sql(tenant, "UPDATE emails SET opens = 1")
    pass_time(tenant, hours=2, minutes=1)
    carry_out(tenant, rounds=2)

    assert ask(key, "GET", f"/{campaign_id}").json["steps"][0]["winner"] == "a"
    assert len(mails(tenant)) == 40


def test_other_people_take_part_in_the_next_test(tenant: TestTenant, key: TestKey) -> None:
    for _ in range(40):
        add_contact(key)
    for _ in range(2):
        started(
            key,
            steps=[{**EMAIL, "variant_b": {"subject": "B"}}],
            settings={"daily_limit": 500, "ab_test": {"share_percent": 50}},
        )
    carry_out(tenant, rounds=2)

    tested: dict[str, set[str]] = {}
    for mail in mails(tenant):
        tested.setdefault(mail["campaign_id"], set()).add(mail["contact_id"])
    first, second = tested.values()
    assert first != second


def test_a_test_begins_when_somebody_is_mailed_and_not_when_somebody_waits_to_be(
    tenant: TestTenant, key: TestKey
) -> None:
    for _ in range(40):
        add_contact(key)
    wait = {"type": "wait", "wait": {"value": 2, "unit": "days"}}
    started(
        key,
        steps=[EMAIL, wait, {**EMAIL, "subject": "A", "variant_b": {"subject": "B"}}],
        settings={"daily_limit": 500, "ab_test": {"share_percent": 50, "wait_hours": 2}},
    )
    carry_out(tenant, rounds=3)
    pass_time(tenant, days=2, minutes=1)
    carry_out(tenant, rounds=2)

    tested = mails(tenant)[40:]
    assert {mail["subject"] for mail in tested} == {"A", "B"}
    assert len(tested) + sum(row["reason"] == "awaiting_test" for row in ledger(tenant).values()) == 40


def test_a_test_in_which_nobody_takes_part_has_a_winner_all_the_same(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    started(
        key,
        steps=[{**EMAIL, "variant_b": {"subject": "B"}}],
        settings={"daily_limit": 500, "ab_test": {"share_percent": 50, "wait_hours": 2}},
    )
    # As if it had been drawn so.
    sql(tenant, "UPDATE campaigns SET settings = jsonb_set(settings, '{ab_test,share_percent}', '0')")
    carry_out(tenant, rounds=2)
    assert mails(tenant) == []
    pass_time(tenant, hours=2, minutes=1)
    carry_out(tenant, rounds=2)

    assert [mail["variant"] for mail in mails(tenant)] == ["a"]
