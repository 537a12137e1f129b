"""Known faults of locked packages fail, unless somebody wrote down why not and until when."""

from datetime import date
from pathlib import Path

import pytest

from scripts.audit import EXCEPTIONS, Answer, Excepted, Finding, of_npm_audit, of_pip_audit, read_exceptions, verdict

TODAY = date(2026, 11, 1)
FAULTY = Finding("runtime.lock", "urllib3", "1.26.5", ("PYSEC-1", "CVE-2"), ("1.26.17",))


def _excepted(expires: date) -> dict[str, Excepted]:
    return {"CVE-2": Excepted("CVE-2", "We follow no redirects.", expires)}


def test_a_fault_that_is_known_fails_with_the_release_that_is_without_it() -> None:
    failing, _ = verdict({"runtime.lock": Answer((FAULTY,))}, {}, TODAY)

    assert failing == ["runtime.lock: urllib3 1.26.5 has PYSEC-1 = CVE-2; take 1.26.17 with `make lock`"]


def test_an_exception_holds_by_any_of_the_fault_s_names_and_is_said_with_its_reason() -> None:
    failing, said = verdict({"runtime.lock": Answer((FAULTY,))}, _excepted(TODAY), TODAY)

    assert failing == []
    assert "We follow no redirects." in said[0]


def test_an_exception_ends_on_its_day() -> None:
    failing, _ = verdict({"runtime.lock": Answer((FAULTY,))}, _excepted(date(2026, 10, 31)), TODAY)

    assert "ended on 2026-10-31" in failing[0]


def test_an_exception_that_nothing_needs_is_refused_but_only_when_everything_was_compared() -> None:
    assert "remove it" in verdict({"runtime.lock": Answer()}, _excepted(TODAY), TODAY)[0][0]
    assert verdict({"runtime.lock": Answer(unknown="no answer")}, _excepted(TODAY), TODAY)[0] == []


def test_a_package_that_the_list_does_not_know_is_not_called_free_of_faults() -> None:
    known = {"name": "redis", "version": "1", "vulns": []}
    skipped = {"name": "urllib3", "skip_reason": "not found"}

    assert of_pip_audit("a.lock", {"dependencies": [known]}).unknown == ""
    assert "1 of 2" in of_pip_audit("a.lock", {"dependencies": [known, skipped]}).unknown
    assert of_pip_audit("a.lock", {"dependencies": []}).unknown


def test_what_pip_audit_reports_is_read() -> None:
    fault = {"id": "PYSEC-1", "aliases": ["CVE-2"], "fix_versions": ["1.26.17"], "description": ""}
    document = {"dependencies": [{"name": "urllib3", "version": "1.26.5", "vulns": [fault]}]}

    assert of_pip_audit("runtime.lock", document) == Answer((FAULTY,))


def test_what_npm_reports_is_read_once_per_fault() -> None:
    via = {"url": "https://github.com/advisories/GHSA-x", "title": "t", "severity": "high"}
    document = {"vulnerabilities": {"a": {"via": [via], "range": "<2"}, "b": {"via": ["a"], "range": "*"}}}

    assert of_npm_audit("l", document).findings == (Finding("l", "a", "<2", ("GHSA-x",), ()),)
    assert of_npm_audit("l", {"message": "405 Method Not Allowed - POST x"}).unknown == "405 Method Not Allowed"


def test_an_exception_needs_a_reason_and_a_day(tmp_path: Path) -> None:
    file = tmp_path / "exceptions.toml"
    file.write_text('[[exception]]\nid = "CVE-2"\nexpires = 2027-01-01\n')
    with pytest.raises(ValueError, match="reason"):
        read_exceptions(file)

    file.write_text('[[exception]]\nid = "CVE-2"\nreason = "Not called."\nexpires = 2027-01-01\n')
    assert read_exceptions(file)["CVE-2"].expires == date(2027, 1, 1)
    assert isinstance(read_exceptions(EXCEPTIONS), dict)
