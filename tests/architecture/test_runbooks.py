"""Every alarm has a page that says what to do, and every page an alarm."""

import re
from pathlib import Path

import pytest

from local.template import read_document

ROOT = Path(__file__).resolve().parents[2]
PAGES = {file.stem for file in (ROOT / "docs" / "runbooks").glob("*.md")} - {"README"}
ALARMS = {
    name: str(resource["Properties"]["AlarmDescription"])
    for file in (ROOT / "template.yaml", *sorted((ROOT / "infrastructure").glob("*.yaml")))
    for name, resource in read_document(file)["Resources"].items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
}


def page_of(name: str) -> str | None:
    """The page that an alarm's description names."""
    found = re.search(r"Runbook: ([a-z-]+)$", ALARMS[name])
    return found[1] if found else None


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_names_a_page_that_is_there(name: str) -> None:
    assert page_of(name) in PAGES


def test_a_page_belongs_to_an_alarm_and_is_listed() -> None:
    listed = set(re.findall(r"\(([a-z-]+)\.md\)", (ROOT / "docs" / "runbooks" / "README.md").read_text()))

    assert {page_of(name) for name in ALARMS} == PAGES == listed


@pytest.mark.parametrize("page", sorted(PAGES))
def test_a_page_says_what_it_means_where_to_look_what_to_do_and_when_it_is_over(page: str) -> None:
    text = (ROOT / "docs" / "runbooks" / f"{page}.md").read_text()

    assert re.findall(r"^\*\*(Means|Look|Do|Over when)", text, re.MULTILINE) == ["Means", "Look", "Do", "Over when"]


@pytest.mark.parametrize("page", sorted(PAGES))
def test_a_query_that_a_page_names_is_saved_with_the_stack(page: str) -> None:
    text = " ".join((ROOT / "docs" / "runbooks" / f"{page}.md").read_text().split())
    saved = (ROOT / "infrastructure" / "dashboards.yaml").read_text()

    for query in re.findall(r"[Qq]uer(?:y|ies) \*([^*]+)\*", text):
        assert query in saved
    for dashboard in re.findall(r"Dashboard \*([^*]+)\*", text):
        assert f'"${{Stack}}-{dashboard}"' in saved
