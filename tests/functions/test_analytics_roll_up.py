"""The roll-ups hold what the histories of mails say, whatever comes in which order, and however often the job is stopped."""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from unittest.mock import patch
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics import repository
from analytics.periods import Days, GroupBy, periods
from analytics.service import series, steps, total
from penguinmails.db import transaction
from penguinmails.domain.emails import log_event
from roll_up_analytics import repository as roll_ups
from roll_up_analytics import service
from roll_up_analytics.app import handler as roll_up
from tests.support.connections import connected
from tests.support.mail_histories import Happening, Mail, record, store_mails
from tests.support.queues import run_job
from tests.support.tenants import TestTenant, make_tenant

FIRST, LAST = date(2026, 3, 27), date(2026, 3, 31)
BEGINS = datetime(2026, 3, 26, 12, tzinfo=UTC)
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Apia",
]
TYPES = [
    "sent",
    "delivered",
    "bounced",
    "opened",
    "clicked",
    "replied",
    "complained",
    "unsubscribed",
    "queued",
    "deferred",
]
CAMPAIGN, STEPS = uuid4(), (uuid4(), uuid4())


# ---- The slow reference: a mail at a time, by its whole history -------------------------------------------------------------


def _first(history: Iterable[Happening], kind: str, *, people: bool = False) -> datetime | None:
    return min((h.at for h in history if h.type == kind and not (people and h.is_machine)), default=None)


def moments(mail: Mail, history: Sequence[Happening], *, people: bool) -> dict[str, list[datetime]]:
    """When a mail counted as what."""
    history = [h for h in history if h.mail is mail and not h.will_retry]
    firsts = {kind: _first(history, kind) for kind in TYPES}
    sent = min((at for at in (firsts["sent"], firsts["delivered"], firsts["bounced"]) if at), default=None)
    delivered = firsts["delivered"] or (sent if mail.provider == "smtp" else None)
    found = {
        "sent": sent,
        "delivered": None if firsts["bounced"] else delivered,
        "bounced": firsts["bounced"],
        "opened": _first(history, "opened", people=people),
        "clicked": _first(history, "clicked", people=people),
        "replied": firsts["replied"],
        "complained": firsts["complained"],
        "unsubscribed": firsts["unsubscribed"],
    }
    times = {
        "opens": [h.at for h in history if h.type == "opened" and not (people and h.is_machine)],
        "clicks": [h.at for h in history if h.type == "clicked" and not (people and h.is_machine)],
        "machine_opens": [h.at for h in history if h.type == "opened" and h.is_machine],
        "machine_clicks": [h.at for h in history if h.type == "clicked" and h.is_machine],
    }
    return {name: [at] if at else [] for name, at in found.items()} | times


def reference(
    mails: Iterable[Mail], history: Sequence[Happening], zone: ZoneInfo, *, people: bool
) -> dict[tuple[str, str], int]:
    """How many of what on which day of the zone."""
    found: Counter[tuple[str, str]] = Counter()
    for mail in mails:
        for name, times in moments(mail, history, people=people).items():
            found.update((at.astimezone(zone).date().isoformat(), name) for at in times)
    days = {(FIRST + timedelta(days=n)).isoformat() for n in range((LAST - FIRST).days + 1)}
    return {key: count for key, count in found.items() if key[0] in days}


# ---- What is shown ---------------------------------------------------------------------------------------------------------


def rows(
    tenant: TestTenant, zone: str, group_by: GroupBy, slice_: str = "all", slice_key: str = ""
) -> tuple[list[str], list[repository.FiguresRow]]:
    asked = periods(Days(FIRST, LAST), group_by, ZoneInfo(zone))
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return asked.labels, repository.figures(tx, asked, slice_=slice_, slice_key=slice_key, email_type=None)


def shown(tenant: TestTenant, zone: str, *, people: bool, **slices: str) -> dict[tuple[str, str], int]:
    """How many of what on which day, by the figures."""
    labels, found = rows(tenant, zone, "day", **slices)
    days = series(found, len(labels), exclude_machine_opens=people)
    return {(label, name): n for label, day in zip(labels, days, strict=True) for name, n in asdict(day).items() if n}


# ---- Any order -----------------------------------------------------------------------------------------------------------------


MAILS = [
    Mail(provider="smtp"),
    Mail(provider="mailgun", email_type="transactional", tags=("a", "b")),
    Mail(campaign_id=CAMPAIGN, step_id=STEPS[0], variant="a"),
    Mail(campaign_id=CAMPAIGN, step_id=STEPS[0], variant="b"),
    Mail(campaign_id=CAMPAIGN, step_id=STEPS[1], variant="a", provider="smtp"),
]
happenings = st.builds(
    Happening,
    mail=st.sampled_from(MAILS),
    type=st.sampled_from(TYPES),
    at=st.integers(0, 6 * 24 * 60).map(lambda minutes: BEGINS + timedelta(minutes=minutes)),
    is_machine=st.booleans(),
    will_retry=st.booleans(),
).map(
    lambda h: Happening(
        h.mail,
        h.type,
        h.at,
        is_machine=h.is_machine and h.type in {"opened", "clicked"},
        will_retry=h.will_retry and h.type == "bounced",
    )
)
batches = st.lists(st.lists(happenings, min_size=1, max_size=8), min_size=1, max_size=8)


class Killed(Exception):
    """The job's process ends here."""


def crash() -> None:
    """The job has moved a batch and ends before it is committed."""
    moved = roll_ups.add_changes

    def move_and_end(tx: Any, batch: int) -> int:
        moved(tx, batch)
        raise Killed

    with patch.object(roll_ups, "add_changes", move_and_end), pytest.raises(Killed):
        service.roll_up()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(recorded=batches, jobs=st.data(), zone=st.sampled_from(ZONES))
def test_figures_are_what_the_histories_say_in_whatever_order_things_are_recorded_and_rolled_up(
    recorded: list[list[Happening]], jobs: st.DataObject, zone: str
) -> None:
    tenant = make_tenant()
    mails = [Mail(**{**vars(mail), "id": Mail().id}) for mail in MAILS]
    own = {mail.id: copy for mail, copy in zip(MAILS, mails, strict=True)}
    store_mails(tenant, mails)
    history: list[Happening] = []
    for batch in recorded:
        happened = [Happening(**{**vars(h), "mail": own[h.mail.id]}) for h in batch]
        record(tenant, *happened)
        history += happened
        match jobs.draw(st.sampled_from(["nothing", "job", "part", "crash"])):
            case "job":
                run_job(roll_up)
            case "part":
                with transaction(role="jobs") as tx:
                    roll_ups.add_changes(tx, 3)
            case "crash":
                crash()
            case _:
                pass

    place = ZoneInfo(zone)
    of_campaign = [mail for mail in mails if mail.campaign_id]
    for _ in range(2):  # and once more when all is rolled up
        for people in (True, False):
            assert shown(tenant, zone, people=people) == reference(mails, history, place, people=people)
        assert shown(tenant, zone, people=True, slice_="tag", slice_key="a") == reference(
            mails[1:2], history, place, people=True
        )
        assert shown(tenant, zone, people=True, slice_="campaign", slice_key=str(CAMPAIGN)) == reference(
            of_campaign, history, place, people=True
        )
        run_job(roll_up)
    _check_steps(tenant, zone, of_campaign, history)
    _check_groupings(tenant, zone)


def _check_steps(tenant: TestTenant, zone: str, mails: list[Mail], history: list[Happening]) -> None:
    _, found = rows(tenant, zone, "day", "campaign", str(CAMPAIGN))
    by_step = steps(found, exclude_machine_opens=True)
    for mail in mails:
        wanted: Counter[str] = Counter()
        for (_, name), count in reference([mail], history, ZoneInfo(zone), people=True).items():
            wanted[name] += count
        step = by_step.get(mail.step_id)
        version = step.versions.get(mail.variant or "") if step else None
        assert ({name: n for name, n in asdict(version).items() if n} if version else {}) == wanted


def _check_groupings(tenant: TestTenant, zone: str) -> None:
    """The hours, days, weeks and months of a span add up to the same."""
    sums = []
    for group_by in ("hour", "day", "week", "month"):
        labels, found = rows(tenant, zone, group_by)
        sums.append(total(series(found, len(labels), exclude_machine_opens=True)))
    assert all(earlier == later for earlier, later in pairwise(sums))


# ---- At the same time --------------------------------------------------------------------------------------------------


NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
SENT, REPLIED = ("2026-03-28", "sent"), ("2026-03-28", "replied")


def test_two_answers_to_one_mail_at_once_are_one_answered_mail(tenant: TestTenant) -> None:
    mail = Mail()
    store_mails(tenant, [mail])
    with connected("DATABASE_URL", tenant) as one, connected("DATABASE_URL", tenant) as other:
        log_event(one, [mail.id], "replied", occurred_at=NOON)
        second = threading.Thread(target=log_event, args=(other, [mail.id], "replied"), kwargs={"occurred_at": NOON})
        second.start()
        second.join(0.2)
        assert second.is_alive()  # waits for the first
        one.connection.commit()
        second.join(10)
        other.connection.commit()

    assert shown(tenant, "UTC", people=True)[REPLIED] == 1


def test_jobs_at_once_take_different_changes_and_readers_see_all_of_them_all_the_time(tenant: TestTenant) -> None:
    mails = [Mail() for _ in range(4)]
    store_mails(tenant, mails)
    run_job(roll_up)
    with connected("JOBS_DATABASE_URL", tenant) as one, connected("JOBS_DATABASE_URL", tenant) as other:
        record(tenant, *(Happening(mail, "sent", NOON) for mail in mails[:2]))
        assert roll_ups.add_changes(one, 100) > 0
        assert roll_ups.add_changes(other, 100) == 0
        assert shown(tenant, "UTC", people=True)[SENT] == 2
        record(tenant, *(Happening(mail, "sent", NOON) for mail in mails[2:]))
        # The same hour of the roll-ups: the second job waits for the first.
        second = threading.Thread(target=roll_ups.add_changes, args=(other, 100))
        second.start()
        second.join(0.2)
        assert shown(tenant, "UTC", people=True)[SENT] == 4
        one.connection.commit()
        second.join(10)
        assert shown(tenant, "UTC", people=True)[SENT] == 4
        other.connection.commit()

    assert shown(tenant, "UTC", people=True)[SENT] == 4
    with transaction(role="jobs") as tx:
        assert roll_ups.add_changes(tx, 100) == 0


# ---- What it costs -----------------------------------------------------------------------------------------------------


def test_an_hour_of_many_mails_is_one_row(tenant: TestTenant) -> None:
    mails = [Mail() for _ in range(300)]
    store_mails(tenant, mails)
    record(tenant, *(Happening(mail, kind, NOON) for mail in mails for kind in ("sent", "opened")))
    run_job(roll_up)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        changes = tx.one("SELECT count(*) FROM email_figure_changes", {})
        by_grain = tx.one(
            "SELECT jsonb_object_agg(grain, n) FROM (SELECT grain, count(*) AS n FROM email_rollups GROUP BY grain) g",
            {},
        )
    assert (changes, by_grain) == (0, {"hour": 1, "quarter": 1})


def test_where_no_day_cuts_an_hour_hours_are_read_and_quarters_else() -> None:
    """Lord Howe is half an hour off in its winter alone, which these days are not in."""
    grains = {zone: periods(Days(FIRST, LAST), "day", ZoneInfo(zone)).grain for zone in ZONES}

    assert {zone for zone, grain in grains.items() if grain == "hour"} == {
        "UTC",
        "Europe/Berlin",
        "Pacific/Apia",
        "Australia/Lord_Howe",
    }


def test_nothing_else_in_a_history_is_counted(tenant: TestTenant) -> None:
    mail = Mail()
    store_mails(tenant, [mail])

    record(tenant, *(Happening(mail, kind, NOON) for kind in ("queued", "deferred", "failed", "scheduled")))

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT count(*) FROM email_figure_changes", {}) == 0
