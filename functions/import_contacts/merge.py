"""The second phase: a slice of checked rows becomes contacts, with their tags, list, custom values and events."""

from import_contacts import merging
from import_contacts.merging import Slice
from import_contacts.repository import Job
from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain.contact_fields import declared_fields, store_field_values
from penguinmails.domain.contact_links import make_tags
from penguinmails.domain.contact_room import require_room
from penguinmails.domain.suppression import suppress
from penguinmails.events.catalogue import ContactBlock, ContactUnsubscribed
from penguinmails.events.emit import announce, emit_many

ROWS_PER_SLICE = 10_000
_SLICES_BEFORE_STATISTICS = (0, 9)


def merge_slice(tx: Tx, job: Job) -> bool:
    """Merge the next rows and move the job behind them; False when none was left. Raises QuotaExceeded."""
    upto = merging.end_of_slice(tx, job.id, job.done_line, ROWS_PER_SLICE)
    if upto is None:
        return False
    part = Slice(job.id, job.done_line, upto)
    created, updated = _write(tx, part, str(job.options.get("duplicates", "skip")))
    if created:
        require_room(tx)
    if created or updated:
        _finish_contacts(tx, part)
    listed = merging.add_to_list(tx, part, job.options["list_id"]) if job.options.get("list_id") else 0
    skipped = merging.count_rows(tx, part) - merging.count_faults(tx, part) - created - updated
    if job.merged_slices in _SLICES_BEFORE_STATISTICS:
        merging.refresh_statistics(tx)
    merging.move_merging(tx, part, created=created, updated=updated, skipped=skipped, listed=listed)
    return True


def _write(tx: Tx, part: Slice, duplicates: str) -> tuple[int, int]:
    present = merging.find_present(tx, part)
    created = merging.add_contacts(tx, part)
    merging.mark_refused(tx, part)
    if not present:
        return created, 0
    if duplicates == "create":
        merging.mark_present(tx, part)
        return created, 0
    if duplicates == "skip":
        return created, 0
    merging.mark_foreign_ids(tx, part)
    return created, merging.update_contacts(tx, part)


def _finish_contacts(tx: Tx, part: Slice) -> None:
    names = merging.tag_names(tx, part)
    if names:
        make_tags(tx, names)
        merging.add_tags(tx, part)
    if declared_fields(tx):
        store_field_values(tx, merging.written_contacts(tx, part))
    gone = merging.opted_out(tx, part)
    if gone:
        suppress(tx, [contact.email for contact in gone], reason="user_request", source="import")
        blocks = [
            ContactBlock(id=c.id, email=c.email, first_name=c.first_name, last_name=c.last_name) for c in gone if c.now
        ]
        emit_many(tx, [ContactUnsubscribed(contact=block, reason="user_request", method="import") for block in blocks])
    created_at = clock.now().isoformat()
    announce(tx, merging.raise_events(tx, part, created_at=created_at), created_at)
