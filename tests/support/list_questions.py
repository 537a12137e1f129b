"""What can be asked of the API's lists in a large tenant: each list, each of its filters and orders, each two filters together.

The lists and their filters come from the API documents; what to ask a filter for is said here.
"""

import itertools
from collections.abc import Iterator
from uuid import UUID

from tests.support.large_tenant import LargeTenant
from tests.support.operations import Operation, operations

PAGING = {"limit", "cursor", "offset", "order", "sort_by"}
# A further path to the same list has the same name. A reconciliation goes on by cursor too, but is one document in one order.
LISTS = [
    operation
    for operation in {operation.id: operation for operation in reversed(operations())}.values()
    if operation.method == "GET"
    and operation.path.startswith("/api/v1/")
    and operation.requirement.kind in {"scoped", "any", "session"}
    and any(p["name"] == "cursor" for p in operation.parameters)
    and operation.id != "reconcileWebhook"
]
FEW = {
    "getContactAnalytics": "what became of the mails to one contact; all of it is read, and it is little",
    "listApiKeys": "an account has a few dozen",
    "listMembers": "an account has at most hundreds; all of them are read to sort them",
    "listInvitations": "an account has at most hundreds",
    "listWebhooks": "a plan allows at most 100",
}


def values_of(large: LargeTenant, operation: Operation, name: str) -> list[str]:
    """What a filter is asked for: something common, something rare, something that comes in one run."""
    ids, domain = large.ids, large.domain
    known: dict[str, list[str]] = {
        "email": [f"person.77@{domain}", "nobody@example.com"],
        "recipient": [f"person.77@{domain}"],
        "external_id": ["77"],
        "tag": ["letter", "rare 7"] if operation.id == "listEmails" else ["tag 1", "tag 77", "tag 499"],
        "workspace": ["default", "space-7", "none"],
        "workspace_id": [str(ids["workspace"])],
        "list_id": [str(ids[name]) for name in ("long list", "run list", "short list")],
        "campaign_id": [str(ids["large campaign"]), str(ids["small campaign"])],
        "event_id": [f"evt_{ids['event'].hex}"],
        "created_after": ["2026-01-01T00:00:00Z"],
        "created_before": ["2999-01-01T00:00:00Z", "2026-01-01T00:00:00Z"],
        "updated_after": ["2026-01-01T00:00:00Z"],
        "updated_before": ["2999-01-01T00:00:00Z"],
        "unread": ["true", "false"],
        "active": ["true"],
        "event": ["email.sent", "email.bounced"],
        "domain": [f"7.{domain}"],
        "sequence": ["77"],
    }
    special = {
        ("listContacts", "search"): ["p", "per", "first7", "last777", f"person.77@{domain}", "nobody"],
        ("searchContacts", "query"): QUERIES,
        ("listWebhooks", "search"): ["hook 7"],
        ("listApiKeys", "search"): ["test"],
        ("listCampaigns", "search"): ["campaign space-7 3"],
        ("listLists", "name"): ["list 9"],
        ("listTags", "name"): ["tag 9"],
        ("listTemplates", "name"): ["space-7 3"],
    }
    if (operation.id, name) in special:
        return special[operation.id, name]
    if name in known:
        return known[name]
    (parameter,) = [p for p in operation.parameters if p["name"] == name]
    assert "enum" in parameter["schema"], f"{operation}: say here what to ask of the filter {name}"
    return parameter["schema"]["enum"]


QUERIES = [
    "status:active", "status:bounced", "-status:active", "first_name:first7", "company:\"company 7\"", "tag:\"tag 1\"",
    "tag:\"tag 77\"", "list:\"list 2\" -status:active", "score>50", "score:7 status:active", "score<3 -tag:\"tag 1\"",
    "person.77", "first", "field1:\"value 3\" score>90", "field2>99", "field2<=0.5 status:bounced", "city:\"city 3\" fir",
    "workspace:space-7", "-workspace:default status:active", "created>2026-01-01 tag:\"tag 9\"", "nobody",
    "status:bounced score:1",    "company:comp*", "-first", "tag:\"tag 1\" list:\"list 1\" status:unsubscribed",
]  # fmt: skip


def path_ids(large: LargeTenant, operation: Operation) -> list[dict[str, UUID]]:
    """Things to look below: one that has much, and one that has little."""
    of = {
        "list_id": ("long list", "run list", "short list"),
        "campaign_id": ("large campaign",),
        "webhook_id": ("webhook",),
        "contact_id": ("contact",),
    }
    if not operation.path_parameters:
        return [{}]
    (name,) = operation.path_parameters
    return [{name: large.ids[which]} for which in of[name]]


def questions(large: LargeTenant, operation: Operation) -> Iterator[dict[str, str]]:
    """Each filter by itself and in each order, and each two filters together."""
    filters = {
        p["name"]: values_of(large, operation, p["name"])
        for p in operation.parameters
        if p["in"] == "query" and p["name"] not in PAGING
    }
    required = {p["name"] for p in operation.parameters if p["in"] == "query" and p.get("required")}
    (sort_by,) = [
        p["schema"].get("enum", [p["schema"].get("default")]) for p in operation.parameters if p["name"] == "sort_by"
    ]
    singles = [{name: value} for name, values in filters.items() for value in values]
    for order in itertools.product(sort_by, ("desc", "asc")):
        for single in [{}, *singles]:
            if required <= single.keys():
                yield {"sort_by": order[0], "order": order[1], **single}
    for first, second in itertools.combinations(filters, 2):
        for values in itertools.product(filters[first], filters[second]):
            yield dict(zip((first, second), values, strict=True))
