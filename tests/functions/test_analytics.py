"""Figures about mails: each counted once and when it happened, divided by what they are shares of."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from analytics.app import handler
from campaigns.app import handler as campaigns
from penguinmails.auth.scopes import Scope
from roll_up_analytics.app import handler as roll_up
from tests.support.campaigns import EMAIL, NO_LIMIT, draft
from tests.support.http import Answer, call
from tests.support.mail_histories import Happening, Mail, record, store_mails
from tests.support.queues import run_job
from tests.support.tenants import TestKey, TestTenant

OVERVIEW = "/api/v1/analytics/emails"
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the questions about days are asked."""
    monkeypatch.setattr("analytics.questions.clock", SimpleNamespace(now=lambda: NOON))


def ask(key: TestKey, path: str = OVERVIEW, **query: Any) -> Answer:
    return call(handler, "GET", path, token=key.plaintext, query={k: str(v) for k, v in query.items()} or None)


def shown(key: TestKey, path: str = OVERVIEW, **query: Any) -> Any:
    answer = ask(key, path, **query)
    assert answer.status == 200, answer.body
    return answer.json


def happened(
    tenant: TestTenant, mail: Mail, *types: str, at: datetime = NOON, mode: Any = "live", **facts: Any
) -> None:
    record(tenant, *(Happening(mail, kind, at, **facts) for kind in types), mode=mode)


def stored(tenant: TestTenant, count: int = 1, mode: Any = "live", **fields: Any) -> list[Mail]:
    mails = [Mail(**fields) for _ in range(count)]
    store_mails(tenant, mails, mode)
    return mails


# ---- Counts and rates -----------------------------------------------------------------------------------------------------


def test_rates_are_of_sent_for_delivery_and_bounces_of_opened_for_clicks_per_open_and_of_delivered_else(
    tenant: TestTenant, key: TestKey
) -> None:
    mails = stored(tenant, 8)
    record(tenant, *(Happening(mail, "sent", NOON) for mail in mails))
    record(tenant, *(Happening(mail, "delivered", NOON) for mail in mails[:6]))
    happened(tenant, mails[6], "bounced")
    record(tenant, *(Happening(mail, "opened", NOON) for mail in mails[:4]))
    happened(tenant, mails[0], "clicked", "replied", "unsubscribed", "complained")

    answer = shown(key)

    assert answer["summary"] == {
        "emails_sent": 8,
        "emails_delivered": 6,
        "emails_bounced": 1,
        "emails_opened": 4,
        "emails_clicked": 1,
        "emails_replied": 1,
        "spam_complaints": 1,
        "unsubscribes": 1,
        "total_opens": 4,
        "total_clicks": 1,
        "machine_opens": 0,
        "machine_clicks": 0,
    }
    assert answer["rates"] == {
        "delivery_rate": 75.0,
        "bounce_rate": 12.5,
        "open_rate": 66.67,
        "click_rate": 16.67,
        "click_to_open_rate": 25.0,
        "reply_rate": 16.67,
        "spam_rate": 16.67,
        "unsubscribe_rate": 16.67,
    }


def test_without_mails_all_is_zero_and_every_day_has_a_point(key: TestKey) -> None:
    answer = shown(key, time_range="7d")

    assert set(answer["summary"].values()) == {0}
    assert set(answer["rates"].values()) == {0.0}
    assert [point["date"] for point in answer["time_series"]] == [f"2026-05-{day}" for day in range(14, 21)]
    assert {value for point in answer["time_series"] for name, value in point.items() if name != "date"} == {0}


def test_a_mail_opened_thrice_is_one_opened_mail_and_three_opens_on_their_days(
    tenant: TestTenant, key: TestKey
) -> None:
    (mail,) = stored(tenant)
    happened(tenant, mail, "sent", "delivered", at=NOON - timedelta(days=2))
    for days in (1, 2, 0):  # reports come in any order
        happened(tenant, mail, "opened", at=NOON - timedelta(days=days))

    answer = shown(key, time_range="7d")

    assert (answer["summary"]["emails_opened"], answer["summary"]["total_opens"]) == (1, 3)
    assert [point["opened"] for point in answer["time_series"]][-3:] == [1, 0, 0]
    assert [point["total_opens"] for point in answer["time_series"]][-3:] == [1, 1, 1]


def test_machines_are_left_out_unless_they_are_asked_for(tenant: TestTenant, key: TestKey) -> None:
    by_both, by_machine = stored(tenant, 2)
    for mail in (by_both, by_machine):
        happened(tenant, mail, "sent", "delivered")
        happened(tenant, mail, "opened", "clicked", is_machine=True)
    happened(tenant, by_both, "opened")

    people, everybody = shown(key), shown(key, exclude_machine_opens="false")

    names = ("emails_opened", "emails_clicked", "total_opens", "total_clicks", "machine_opens", "machine_clicks")
    assert [people["summary"][name] for name in names] == [1, 0, 1, 0, 2, 2]
    assert [everybody["summary"][name] for name in names] == [2, 2, 3, 2, 2, 2]
    assert (people["rates"]["open_rate"], everybody["rates"]["open_rate"]) == (50.0, 100.0)
    assert (people["meta"]["exclude_machine_opens"], everybody["meta"]["exclude_machine_opens"]) == (True, False)


def test_a_mail_that_bounces_after_it_was_delivered_is_not_delivered(tenant: TestTenant, key: TestKey) -> None:
    (mail,) = stored(tenant)
    happened(tenant, mail, "sent", "delivered", at=NOON - timedelta(days=1))
    assert shown(key)["summary"]["emails_delivered"] == 1
    run_job(roll_up)

    happened(tenant, mail, "bounced")

    answer = shown(key)
    assert (answer["summary"]["emails_delivered"], answer["summary"]["emails_bounced"]) == (0, 1)
    assert [point["delivered"] for point in answer["time_series"]][-2:] == [0, 0]


def test_a_bounce_after_which_the_provider_tries_again_is_none_yet(tenant: TestTenant, key: TestKey) -> None:
    (mail,) = stored(tenant)
    happened(tenant, mail, "sent")

    happened(tenant, mail, "bounced", will_retry=True)

    assert shown(key)["summary"]["emails_bounced"] == 0


def test_where_sending_tells_of_no_delivery_what_was_taken_and_did_not_bounce_is_delivered(
    tenant: TestTenant, key: TestKey
) -> None:
    kept, returned = stored(tenant, 2, provider="smtp")
    happened(tenant, kept, "sent")
    happened(tenant, returned, "sent", "bounced")

    assert shown(key)["rates"]["delivery_rate"] == 50.0


def test_a_mail_that_bounced_at_once_was_sent(tenant: TestTenant, key: TestKey) -> None:
    (mail,) = stored(tenant)
    happened(tenant, mail, "bounced")

    assert shown(key)["summary"]["emails_sent"] == 1
    assert shown(key)["rates"]["bounce_rate"] == 100.0


# ---- Time -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("UTC", "2026-05-18"), ("Asia/Kolkata", "2026-05-19"), ("America/New_York", "2026-05-18")],
)
def test_a_day_is_one_of_the_zone_that_was_asked_for(
    tenant: TestTenant, key: TestKey, zone: str, expected: str
) -> None:
    """18:40 UTC is ten past midnight in India, within an hour that its midnight cuts."""
    (mail,) = stored(tenant)
    happened(tenant, mail, "sent", at=datetime(2026, 5, 18, 18, 40, tzinfo=UTC))
    if zone != "UTC":
        run_job(roll_up)

    answer = shown(key, timezone=zone)

    assert [point["date"] for point in answer["time_series"] if point["sent"]] == [expected]
    assert answer["meta"]["timezone"] == zone


def test_a_day_of_25_hours_holds_all_of_them(tenant: TestTenant, key: TestKey) -> None:
    mails = stored(tenant, 25)
    begins = datetime(2026, 10, 24, 22, tzinfo=UTC)
    record(tenant, *(Happening(mail, "sent", begins + timedelta(hours=n)) for n, mail in enumerate(mails)))
    range_ = {"start_date": "2026-10-24", "end_date": "2026-10-26", "timezone": "Europe/Berlin"}

    by_day, by_hour = shown(key, **range_), shown(key, **range_, group_by="hour")

    assert [point["sent"] for point in by_day["time_series"]] == [0, 25, 0]
    assert [point["sent"] for point in by_hour["time_series"]] == [0] * 24 + [1] * 25 + [0] * 24


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"timezone": "Mars/Olympus"}, "VALIDATION_ERROR", "timezone"),
        ({"start_date": "2026-02-01", "end_date": "2026-01-01"}, "INVALID_TIME_RANGE", "start_date"),
        ({"time_range": "custom", "start_date": "2026-01-01"}, "MISSING_REQUIRED_FIELD", "end_date"),
        ({"time_range": "1y"}, "VALIDATION_ERROR", "time_range"),
        ({"start_date": "1767225600", "end_date": "2026-01-01"}, "VALIDATION_ERROR", "start_date"),
        ({"group_by": "minute"}, "VALIDATION_ERROR", "group_by"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(key: TestKey, query: dict[str, str], code: str, field: str) -> None:
    for path in (OVERVIEW, f"/api/v1/analytics/campaigns/{uuid4()}"):
        answer = ask(key, path, **query)

        assert (answer.status, answer.code, answer.json["errors"][0]["field"]) == (400, code, field)


def test_the_answer_says_how_fresh_it_is_and_what_was_asked(key: TestKey) -> None:
    assert shown(key, time_range="7d", group_by="week", timezone="Europe/Berlin")["meta"] == {
        "start_date": "2026-05-14",
        "end_date": "2026-05-20",
        "group_by": "week",
        "timezone": "Europe/Berlin",
        "exclude_machine_opens": True,
        "last_updated": "2026-05-20T12:00:00Z",
    }


# ---- Filters ----------------------------------------------------------------------------------------------------------------


def test_filters_leave_what_they_name(tenant: TestTenant, key: TestKey) -> None:
    campaign_id = UUID(draft(key)["id"])
    step_id = uuid4()
    (of_campaign,) = stored(tenant, campaign_id=campaign_id, step_id=step_id, variant="a")
    (tagged,) = stored(tenant, email_type="transactional", tags=("welcome", "trial"))
    happened(tenant, of_campaign, "sent")
    happened(tenant, tagged, "sent", "delivered")
    run_job(roll_up)
    happened(tenant, of_campaign, "opened")

    def counts(**query: Any) -> tuple[int, int, int]:
        summary = shown(key, **query)["summary"]
        return summary["emails_sent"], summary["emails_delivered"], summary["emails_opened"]

    assert counts() == (2, 1, 1)
    assert counts(campaign_id=campaign_id) == counts(workspace="default") == (1, 0, 1)
    assert counts(tag="welcome") == counts(tag="trial") == counts(email_type="transactional") == (1, 1, 0)
    assert counts(tag="welcome", email_type="marketing") == counts(tag="nothing") == (0, 0, 0)


def test_a_campaign_that_is_gone_can_still_be_asked_about(tenant: TestTenant, key: TestKey) -> None:
    campaign_id = UUID(draft(key)["id"])
    (mail,) = stored(tenant, campaign_id=campaign_id, step_id=uuid4(), variant="a")
    happened(tenant, mail, "sent")
    assert call(campaigns, "DELETE", f"/api/v1/campaigns/{campaign_id}", token=key.plaintext).status == 200

    for _ in range(2):  # before and after the roll-up
        assert shown(key, campaign_id=campaign_id)["summary"]["emails_sent"] == 1
        run_job(roll_up)


def test_what_is_not_there_and_two_filters_at_once_are_refused(key: TestKey, other_tenant: TestTenant) -> None:
    of_others = draft(other_tenant.key())["id"]
    queries = [
        ({"workspace": "nowhere"}, "workspace"),
        ({"campaign_id": uuid4()}, "campaign_id"),
        ({"campaign_id": of_others}, "campaign_id"),
        ({"tag": "a", "campaign_id": uuid4()}, "tag"),
    ]
    for query, field in queries:
        answer = ask(key, **query)
        assert (answer.status, answer.json["errors"][0]["field"]) == (400, field)


def test_what_others_and_the_other_mode_sent_is_not_counted(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey
) -> None:
    (mine,) = stored(tenant)
    (in_test_mode,) = stored(tenant, mode="test")
    (of_others,) = stored(other_tenant)
    happened(tenant, in_test_mode, "sent", mode="test")
    happened(other_tenant, of_others, "sent")
    for _ in range(2):  # before and after the roll-up
        assert shown(key)["summary"]["emails_sent"] == 0
        assert shown(tenant.key(mode="test"))["summary"]["emails_sent"] == 1
        run_job(roll_up)

    happened(tenant, mine, "sent")
    assert shown(key)["summary"]["emails_sent"] == 1


# ---- Campaigns --------------------------------------------------------------------------------------------------------------


def test_a_campaign_is_shown_by_step_and_by_version(tenant: TestTenant, key: TestKey) -> None:
    campaign = draft(key, steps=[{**EMAIL, "name": "First"}, EMAIL], settings=NO_LIMIT)
    campaign_id, first = UUID(campaign["id"]), UUID(campaign["steps"][0]["id"])
    gone = uuid4()
    a, b = (stored(tenant, campaign_id=campaign_id, step_id=first, variant=version)[0] for version in "ab")
    (of_gone,) = stored(tenant, campaign_id=campaign_id, step_id=gone, variant="a")
    record(tenant, *(Happening(mail, kind, NOON) for mail in (a, b, of_gone) for kind in ("sent", "delivered")))
    happened(tenant, b, "opened")

    answer = shown(key, f"/api/v1/analytics/campaigns/{campaign_id}")

    assert (answer["campaign_id"], answer["name"]) == (str(campaign_id), "Launch")
    assert (answer["summary"]["emails_sent"], answer["rates"]["open_rate"]) == (3, 33.33)
    assert [(step["step_id"], step["name"], step["summary"]["emails_sent"]) for step in answer["steps"]] == [
        (str(first), "First", 2),
        (campaign["steps"][1]["id"], None, 0),
        (str(gone), None, 1),
    ]
    versions = answer["steps"][0]["versions"]
    assert [(v["version"], v["summary"]["emails_sent"], v["rates"]["open_rate"]) for v in versions] == [
        ("a", 1, 0.0),
        ("b", 1, 100.0),
    ]
    assert answer["steps"][1]["versions"] == []


def test_a_campaign_that_is_not_there_or_of_others_is_404(key: TestKey, other_tenant: TestTenant) -> None:
    of_others = draft(other_tenant.key())["id"]

    for campaign_id in (uuid4(), of_others):
        answer = ask(key, f"/api/v1/analytics/campaigns/{campaign_id}")
        assert (answer.status, answer.code) == (404, "CAMPAIGN_NOT_FOUND")


# ---- Limits and rights --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "most"),
    [(OVERVIEW, 60), (f"/api/v1/analytics/campaigns/{UUID(int=4)}", 100)],
    ids=["overview", "campaign"],
)
def test_an_account_has_a_limit_of_its_own_for_each_and_the_headers_tell_it(
    tenant: TestTenant, path: str, most: int
) -> None:
    keys = [tenant.key(), tenant.key()]  # the account's limit, whichever key is used

    answers = [ask(keys[0], path)]
    # The limit fills up again meanwhile, the more the slower the machine is.
    while answers[-1].status != 429 and len(answers) < 3 * most:
        answers.append(ask(keys[len(answers) % 2], path))

    *admitted, refused = answers
    assert refused.status == 429 and len(admitted) >= most
    assert {answer.status for answer in admitted} <= {200, 404}
    assert answers[0].headers["x-ratelimit-limit"] == str(most)
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert ask(keys[0], f"/api/v1/analytics/contacts/{uuid4()}").status == 404


def test_it_takes_read_analytics(tenant: TestTenant) -> None:
    others = [scope for scope in Scope if scope is not Scope.READ_ANALYTICS]

    assert ask(tenant.key(Scope.READ_ANALYTICS)).status == 200
    assert ask(tenant.key(*others)).status == 403
