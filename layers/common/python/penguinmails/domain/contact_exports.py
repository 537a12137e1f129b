"""What an export may hold: the fields that the API offers and the worker writes."""

from collections.abc import Iterable

FIELDS = (
    "id", "email", "first_name", "last_name", "company", "job_title", "phone", "city", "state", "country", "lead_source",
    "external_id", "status", "tags", "lead_score", "total_opens", "total_clicks", "last_email_opened_at", "source",
    "created_at", "updated_at",
)  # fmt: skip
ATTRIBUTE = "attributes."
MOST_IN_XLSX = 1_048_575
"""A sheet has 1,048,576 rows, one of them the header
(https://support.microsoft.com/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3)."""


def all_fields(custom_keys: Iterable[str]) -> list[str]:
    """Every field, those that the account has declared included."""
    return [*FIELDS, *(ATTRIBUTE + key for key in sorted(custom_keys))]
