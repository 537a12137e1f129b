"""What segments can ask of the contacts of a large tenant: combined rules, and every operator of every field."""

from typing import Any

from penguinmails.domain import segments
from tests.support.large_tenant import LargeTenant

Rule = dict[str, Any]
LOOKED_AT = {
    "contains": "LIKE loses its index under row security",
    "ends_with": "LIKE loses its index under row security",
    "updated_at": "with every change of a contact it is another one",
    "phone starts_with": "LIKE loses its index under row security",
    "phone is_set": "it is looked up by whole numbers",
    "external_id starts_with": "LIKE loses its index under row security",
    "external_id is_set": "it is looked up by whole ids",
}
"""Operators by which every contact is looked at, and their negations."""


def rule(field: str, operator: str, value: Any = None) -> Rule:
    return {"field": field, "operator": operator} | ({} if value is None else {"value": value})


def combined_rules(large: LargeTenant) -> list[Rule]:
    """Common and rare ones, those of a run, and none."""
    active, rare_tag = rule("status", "equals", "Active"), rule("tag", "has", "tag 77")
    long_list = rule("list", "has", str(large.ids["long list"]))
    return [
        active,
        rule("status", "equals", "bounced"),
        rule("company", "one_of", ["COMPANY 7", "company 8", "company 4999"]),
        rule("email", "starts_with", "person.77"),
        rule("city", "equals", "city 3"),
        rule("tag", "has", "tag 1"),
        rare_tag,
        rule("tag", "has", "no such tag"),
        rule("list", "has", str(large.ids["run list"])),
        rule("workspace", "has", str(large.ids["workspace"])),
        rule("lead_score", "at_least", 99.5),
        rule("lead_score", "less_than", 3),
        rule("attributes.field1", "equals", "Value 3"),
        rule("attributes.field2", "greater_than", 99),
        rule("attributes.field2", "at_most", 0.5),
        {"all": [active, rare_tag, {"not": rule("city", "contains", "3")}]},
        {
            "all": [
                rule("tag", "has", "tag 1"),
                long_list,
                rule("lead_score", "at_least", 50),
            ]
        },
        {"any": [{"all": [active, rare_tag]}, {"all": [active, rule("first_name", "equals", "first7")]}]},
        {"all": [active, rule("created_at", "after", "2026-01-01"), rule("total_opens", "equals", 0)]},
        {"all": [active, rule("created_at", "before", "2026-01-01")]},
        {"not": rare_tag},
        {"not": {"any": [active, rule("status", "equals", "bounced")]}},
        {"all": [rule("tag", "has", "tag 1"), rule("total_opens", "equals", 0)]},
        {"all": [{"not": active}, rule("last_email_opened_at", "in_last_days", 2)]},
        {"any": [rule("phone", "equals", "+48 9"), rule("external_id", "one_of", ["4", "40", "400"])]},
        rule("total_opens", "greater_than", 57),
        rule("phone", "one_of", ["+48 1", "+48 2", "+48 1000"]),
    ]


def rules_by_operator(large: LargeTenant) -> list[Rule]:
    """One for each operator of each field that does not look at every contact."""
    return [
        rule(field, operator, _of_operator(operator, value))
        for field, (kind, value) in _values(large).items()
        for operator in segments._operators(kind)
        if _looked_at(field, operator) is None
    ]


def _looked_at(field: str, operator: str) -> str | None:
    positive = segments.NEGATIONS.get(operator, operator)
    if field in LOOKED_AT and positive == "is_set":
        return None
    return LOOKED_AT.get(field) or LOOKED_AT.get(positive) or LOOKED_AT.get(f"{field} {positive}")


def _of_operator(operator: str, value: Any) -> Any:
    positive = segments.NEGATIONS.get(operator, operator)
    return {"is_set": None, "in_last_days": 3, "one_of": [value, "nobody's"]}.get(positive, value)


def _values(large: LargeTenant) -> dict[str, tuple[segments.Kind, Any]]:
    texts = {
        "email": f"person.77@{large.domain}", "first_name": "first77", "last_name": "last777", "company": "Company 77",
        "city": "City 7", "status": "bounced", "phone": "+48 7", "external_id": "77", "source": "api",
        "attributes.field1": "value 7",
    }  # fmt: skip
    numbers = {"lead_score": 97, "total_opens": 50, "total_clicks": 1, "attributes.field2": 99.5}
    moments = dict.fromkeys(segments.TIME_FIELDS, "2026-01-01")
    links: dict[str, tuple[segments.Kind, Any]] = {
        "tag": ("tag", "tag 77"),
        "list": ("list", str(large.ids["short list"])),
        "workspace": ("workspace", str(large.ids["workspace"])),
    }
    return {
        **{field: ("text", texts.get(field, "anything")) for field in [*segments.TEXT_FIELDS, *texts]},
        **{field: ("number", value) for field, value in numbers.items()},
        **{field: ("time", value) for field, value in moments.items()},
        **links,
    }
