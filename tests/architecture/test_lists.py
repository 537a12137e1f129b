"""Every list of the API is paged alike, or says what keeps it short; so each of them is asked in the large tenant too."""

from typing import Any

import pytest

from tests.support.list_questions import LISTS, PAGING
from tests.support.operations import Operation, operations

BOUNDED = {
    ("getAccountExportFiles", "files"): "the parts of one export, of 50,000 rows each",
    ("getApiKey", "by_country"): "one entry per country",
    ("getApiKey", "top_endpoints"): "the first few",
    ("getApiKey", "top_networks"): "the first few",
    ("getApiKey", "usage_by_day"): "days of the range, at most 90",
    ("getApiUsage", "by_country"): "one entry per country",
    ("getApiUsage", "top_endpoints"): "the first few",
    ("getApiUsage", "top_networks"): "the first few",
    ("getApiUsage", "usage_by_day"): "days of the range, at most 90",
    ("getCampaign", "steps"): "a campaign has a few steps",
    ("getCampaignAnalytics", "steps"): "a campaign has a few steps",
    ("getCampaignAnalytics", "time_series"): "days of the range",
    ("getDomain", "dns_records"): "a few records",
    ("getDomainDns", "records"): "a few records",
    ("getEmail", "attachments"): "a mail carries at most ten files",
    ("getEmail", "events"): "what became of one mail",
    ("getEmailAnalytics", "time_series"): "days of the range",
    ("getPlatformMetrics", "data"): "named figures",
    ("getRecipient", "mails"): "one per step of a campaign",
    ("getThread", "messages"): "the latest hundred",
    ("getWebhookDelivery", "attempt_log"): "a delivery has at most some ten attempts",
    ("getWebhookStats", "common_errors"): "the first few",
    ("listEventTypes", "data"): "the catalogue of events",
    ("listMailProviders", "data"): "providers that the platform speaks to",
    ("listPlans", "data"): "a handful of plans",
    ("listSessions", "data"): "the sessions of one person",
    ("listWorkspaceMembers", "data"): "an account has at most hundreds of people",
    ("previewContactImport", "rows"): "the first twenty",
}  # fmt: skip
"""Lists of objects within an answer that is no page, each with what bounds it."""


def lists_within(operation: Operation) -> list[tuple[str, str]]:
    """The fields of an answer that hold lists of objects."""
    fields: dict[str, Any] = (operation.responses.get("200") or {}).get("properties", {})
    return [
        (operation.id, name)
        for name, field in fields.items()
        if field.get("type") == "array" and field["items"].get("type") == "object"
    ]


def test_a_list_is_paged_or_says_what_bounds_it() -> None:
    unpaged = {
        found
        for operation in operations()
        if operation.method == "GET" and not any(p["name"] == "cursor" for p in operation.parameters)
        for found in lists_within(operation)
    }
    assert unpaged == set(BOUNDED), "page it by cursor, or say here what bounds it"


@pytest.mark.parametrize("operation", LISTS, ids=lambda operation: operation.id)
def test_a_list_declares_its_pages_its_orders_and_each_filter(operation: Operation) -> None:
    declared = {p["name"]: p for p in operation.parameters if p["in"] == "query"}

    assert declared.keys() >= PAGING
    assert {name for name, p in declared.items() if not p.get("description")} == set()
    assert declared["order"]["schema"]["enum"] == ["asc", "desc"]
    assert declared["sort_by"]["schema"].get("enum") or declared["sort_by"]["schema"].get("default")
