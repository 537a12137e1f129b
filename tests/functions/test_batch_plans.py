"""What handles a batch walks through it a few times, not once for each of its rows.

Statements are planned once for any number of rows, as for few; so a join of what a statement is given with what it has stored
may be a nested loop, which nobody notices until there are a thousand rows.
"""

from typing import Any
from uuid import uuid4

from fan_out_events.app import handler as fan_out
from penguinmails.db import transaction
from tests.support.campaigns import EMAIL, add_contact, carry_out, mails, started
from tests.support.hooks import deliveries, hook, raise_event
from tests.support.plans import reported_plans
from tests.support.queues import consume, messages_for
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant

ROWS = 300
MOST_STEPS = 60 * ROWS
"""Some fifty nodes of a plan handle each row once; one that handles all rows for each makes 45,000 or 90,000 steps."""
SMALL_ONES = 8
"""After five of them a statement has its plan for any number of rows."""


def steps(plan: dict[str, Any]) -> float:
    """How many rows the nodes of a plan have handed on or thrown away."""
    per_loop = (
        plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Join Filter", 0)
    )
    return per_loop * plan.get("Actual Loops", 0) + sum(map(steps, plan.get("Plans", ())))


def assert_no_walks(plans: list[dict[str, Any]]) -> None:
    """Of statements that store: those that only read look rows up where tables are large, and walk through such small ones."""
    storing = [plan for plan in plans if "INSERT INTO" in plan["Query Text"]]
    assert storing
    worst = max(storing, key=lambda plan: steps(plan["Plan"]))
    assert steps(worst["Plan"]) <= MOST_STEPS, worst["Query Text"]


def test_an_event_for_hundreds_of_webhooks_after_many_for_one(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    webhook = hook(key, receiver)
    with reported_plans() as plans:
        for _ in range(SMALL_ONES):
            raise_event(tenant)
            assert consume(fan_out, *messages_for("events", tenant.id)) == []
        with transaction(tenant_id=tenant.id, mode="live") as tx:
            tx.run(
                """
                INSERT INTO webhooks SELECT (jsonb_populate_record(w, jsonb_build_object('id', n.id))).*
                FROM webhooks w CROSS JOIN unnest(%(ids)s::uuid[]) AS n (id) WHERE w.id = %(webhook)s
                """,
                {"ids": [uuid4() for _ in range(ROWS - 1)], "webhook": webhook.id},
            )
        plans.clear()
        raise_event(tenant)
        assert consume(fan_out, *messages_for("events", tenant.id)) == []

    assert sorted(d["sequence"] for d in deliveries(tenant)) == [*[1] * ROWS, *range(2, SMALL_ONES + 2)]
    assert_no_walks(plans)


def test_a_campaign_to_hundreds_after_many_to_one(tenant: TestTenant, key: TestKey) -> None:
    with reported_plans() as plans:
        add_contact(key)
        for _ in range(SMALL_ONES):
            started(key, steps=[EMAIL])
            carry_out(tenant, rounds=2)
        for _ in range(ROWS - 1):
            add_contact(key)
        started(key, steps=[EMAIL], settings={"daily_limit": 500})
        plans.clear()
        carry_out(tenant, rounds=2)

    assert len(mails(tenant)) == SMALL_ONES + ROWS
    assert_no_walks(plans)
