"""A delivery log as a CSV file."""

import io
from collections.abc import Sequence

from penguinmails.ids import delivery_public_id
from penguinmails.tabular.writers import CsvWriter
from webhooks.delivery_repository import DeliveryRow, shown_event_id

MOST_ROWS = 10_000
"""More would not fit into the 6 MB that a function may answer."""

_HEADER = (
    "delivery_id", "sequence", "event_id", "event_type", "event_created_at", "status", "is_test", "replay_id", "attempts",
    "last_status_code", "last_duration_ms", "last_error", "next_retry_at", "created_at", "finished_at",
)  # fmt: skip


def csv_of(rows: Sequence[DeliveryRow]) -> bytes:
    """The rows in UTF-8, nothing of which a spreadsheet takes for a formula."""
    file = io.BytesIO()
    writer = CsvWriter(file, _HEADER)
    for row in rows:
        shown = {
            **{name: getattr(row, name) for name in _HEADER if name != "delivery_id"},
            "delivery_id": delivery_public_id(row.id),
            "event_id": shown_event_id(row),
        }
        writer.write([_text(shown[name]) for name in _HEADER])
    writer.close()
    return file.getvalue()


def _text(value: object) -> object:
    return value if value is None or isinstance(value, int) else str(value).replace("+00:00", "Z")
