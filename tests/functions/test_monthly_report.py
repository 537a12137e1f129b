"""Once a month is over its figures are kept, and mailed to the staff who may see them."""

from datetime import UTC, datetime, timedelta

import pytest

from measure_targets import monthly_report
from penguinmails.auth.principal import PLATFORM_TENANT_ID
from penguinmails.db import transaction
from penguinmails.domain.platform_mail import compose
from penguinmails.domain.roadmap_metrics import TARGETS, Figure
from tests.support.staff import staff

MONTH = "2031-02"
OVER = datetime(2031, 3, 1, tzinfo=UTC)


def _mails(month: str) -> dict[str, dict[str, str]]:
    """What is queued, by the role of who gets it; of several with a role, one."""
    with transaction(tenant_id=PLATFORM_TENANT_ID, mode="live") as tx:
        rows = tx.all(
            """
            SELECT jsonb_build_array(s.role, m.variables) FROM mail_outbox m JOIN staff_members s ON s.user_id = m.user_id
            WHERE m.type = 'monthly_report' AND m.variables ->> 'month' = %(month)s
            """,
            {"month": month},
        )
    return {row[0]: row[1] for row in rows}


def _kept(month: str) -> int:
    with transaction(role="jobs") as tx:
        return tx.one("SELECT count(*) FROM monthly_reports WHERE month = %(day)s", {"day": f"{month}-01"})


def test_a_month_is_reported_once_to_the_staff_who_may_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer, other = staff("finance"), staff("qa")

    monthly_report.make(OVER + timedelta(hours=5))
    assert (_kept(MONTH), _mails(MONTH)) == (0, {})

    monthly_report.make(OVER + timedelta(hours=7))
    mails = _mails(MONTH)
    assert _kept(MONTH) == 1
    assert "finance" in mails
    assert "qa" not in mails
    for target in TARGETS:
        assert f"  {target.name}: " in mails["finance"]["figures"]
    assert "crm_sync_success: not measured" in mails["finance"]["figures"]

    def measured_again(*_: object, **__: object) -> list[Figure]:
        raise AssertionError("measured a second time")

    monkeypatch.setattr(monthly_report, "figures", measured_again)
    monthly_report.make(OVER + timedelta(days=20))
    assert viewer is not other


def test_what_a_crash_after_the_mails_left_undone_is_done_without_a_second_mail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    staff("ops")
    end = datetime(2031, 5, 1, tzinfo=UTC) + timedelta(hours=7)

    def crash(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(monthly_report, "keep", crash)
        with pytest.raises(ConnectionError):
            monthly_report.make(end)
    assert _kept("2031-04") == 0
    first = _count("2031-04")

    monthly_report.make(end)

    assert _kept("2031-04") == 1
    assert _count("2031-04") == first > 0


def _count(month: str) -> int:
    with transaction(tenant_id=PLATFORM_TENANT_ID, mode="live") as tx:
        return tx.one(
            "SELECT count(*) FROM mail_outbox WHERE type = 'monthly_report' AND variables ->> 'month' = %(month)s",
            {"month": month},
        )


def test_a_platform_that_was_not_there_yet_makes_no_report() -> None:
    monthly_report.make(datetime(2018, 6, 2, tzinfo=UTC))

    assert _kept("2018-05") == 0


def test_staff_see_what_was_measured_when_the_month_was_over() -> None:
    with transaction(role="jobs") as tx:
        tx.run(
            """
            INSERT INTO monthly_reports (month, figures, measured_at) VALUES ('2017-03-01', %(figures)s, '2017-04-01 06:02Z')
            """,
            {
                "figures": """[{"name": "api_keys_generated", "value": 123, "unit": "count", "target": 100, "is_met": true,
                               "previous": 120, "trend": 3, "method": "all"}]"""
            },
        )

    answer = staff("support").call("GET", "/metrics", query={"month": "2017-03"})

    assert answer.json["measured_at"] == "2017-04-01T06:02:00Z"
    assert [(m["name"], m["value"], m["trend"]) for m in answer.json["data"]] == [("api_keys_generated", 123, 3)]


def test_the_mail_says_value_target_and_trend_of_each_figure() -> None:
    figures = [
        Figure("keys", 99.5, "percent", 99, True, 99, 0.5, "x"),
        Figure("speed", 250, "ms", 200, False, None, None, "x"),
        Figure("crm", None, "percent", 95, None, None, None, "there is no connector yet"),
        Figure("hooks", 12, "count", 200, False, 15, -3, "x"),
    ]

    variables = {"month": "2031-02", "figures": monthly_report.in_words(figures)}
    mail = compose("monthly_report", name="Ada", token=None, variables=variables)

    assert mail.subject == "The platform's figures of 2031-02"
    assert mail.text.splitlines()[4:8] == [
        "  keys: 99.5 % (target above 99 %: met; +0.5 % to the month before)",
        "  speed: 250 ms (target under 200 ms: MISSED; no figure of the month before)",
        "  crm: not measured (target above 95 %; there is no connector yet)",
        "  hooks: 12 (target at least 200: MISSED; -3 to the month before)",
    ]
