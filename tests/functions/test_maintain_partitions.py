"""Partitions: there is always one for what is written next, and none for what is past its retention."""

from datetime import UTC, datetime

import psycopg
import pytest

from local.services.postgres import Postgres
from maintain_partitions.app import handler
from tests.support.queues import run_job


@pytest.fixture
def owner(postgres: Postgres) -> psycopg.Connection:
    """The schema's owner, who alone sees and makes partitions."""
    return psycopg.connect(postgres.url("penguinmails"), autocommit=True)


def partitions(owner: psycopg.Connection, table: str) -> set[str]:
    rows = owner.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass",
        [table],
    )
    return {name for (name,) in rows}


def month(offset: int) -> str:
    now = datetime.now(UTC)
    months = now.year * 12 + now.month - 1 + offset
    return f"{months // 12}{months % 12 + 1:02}"


def test_months_ahead_are_made_and_months_past_their_retention_dropped(owner: psycopg.Connection) -> None:
    with owner:
        owner.execute("CALL create_monthly_partition('events', (current_date - interval '6 months')::date)")
        owner.execute(f"DROP TABLE events_{month(2)}")
        assert f"events_{month(-6)}" in partitions(owner, "events")

        assert run_job(handler)["done"] >= 1

        present = partitions(owner, "events")
    assert f"events_{month(-6)}" not in present
    assert {f"events_{month(offset)}" for offset in (-1, 0, 1, 2)} <= present


def test_a_second_run_finds_nothing_to_do(owner: psycopg.Connection) -> None:
    run_job(handler)

    with owner:
        before = partitions(owner, "webhook_deliveries")
        assert run_job(handler) == {"steps": 1, "done": 0}
        assert partitions(owner, "webhook_deliveries") == before


def test_a_month_of_deliveries_with_their_attempts_can_be_dropped(owner: psycopg.Connection) -> None:
    with owner:
        for table in ("webhook_deliveries", "webhook_attempts"):
            owner.execute(
                "CALL create_monthly_partition(%s::regclass, (current_date - interval '9 months')::date)", [table]
            )

        run_job(handler)

        for table in ("webhook_deliveries", "webhook_attempts"):
            assert f"{table}_{month(-9)}" not in partitions(owner, table)


@pytest.mark.parametrize(
    ("table", "today", "kept"),
    [
        ("events", "2033-03-30", {"203302", "203303", "203304", "203305"}),
        ("events", "2033-04-01", {"203303", "203304", "203305", "203306"}),
        ("webhook_deliveries", "2033-05-31", {"203303", "203304", "203305", "203306", "203307"}),
        ("webhook_attempts", "2033-06-30", {"203303", "203304", "203305", "203306", "203307", "203308"}),
        ("webhook_attempts", "2033-07-01", {"203304", "203305", "203306", "203307", "203308", "203309"}),
    ],
)
def test_a_month_goes_as_soon_as_its_last_day_is_past_its_retention(
    owner: psycopg.Connection, table: str, today: str, kept: set[str]
) -> None:
    owner.autocommit = False
    with owner:
        owner.execute("SELECT * FROM maintain_partitions((%s::date - 150))", [today])
        owner.execute("SELECT * FROM maintain_partitions(%s)", [today])

        present = {name.removeprefix(f"{table}_") for name in partitions(owner, table)}
        owner.rollback()
    assert {name for name in present if name >= "2033"} == kept
