"""The second phase: a slice of checked rows becomes contacts, with their tags, list, custom values and events."""

from import_contacts import merging, slices
from import_contacts.repository import Job
from import_contacts.slices import Slice
from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.domain.contact_fields import declared_fields, store_field_values
from penguinmails.domain.contact_links import make_tags
from penguinmails.domain.contact_room import require_room
from penguinmails.domain.suppression import suppress
from penguinmails.events.catalogue import ContactBlock, ContactUnsubscribed
from penguinmails.events.emit import announce, emit_many

ROWS_PER_SLICE = 10_000


class JobEnded(Exception):
    """The job was cancelled while the slice was merged, which is undone."""


def merge_slice(tx: Tx, job: Job, part: Slice) -> int:
    """Merge the rows of a slice; how many slices of the job are merged now. Raises QuotaExceeded, JobEnded."""
    merging.find_present(tx, part)
    rows = slices.contents(tx, part)
    created_at = clock.now().isoformat()
    events, raced, refused = _add_new(tx, part, rows.new, created_at) if rows.new else ([], 0, 0)
    created = len(events)
    if created:
        require_room(tx)
    updated = 0
    if rows.present + raced:
        left_out, updated = _change_present(tx, part, str(job.options.get("duplicates", "skip")))
        refused += left_out
    if updated:
        events += merging.announce_changes(tx, part, created_at=created_at)
    if created or updated:
        _finish_contacts(tx, part, may_opt_out=bool(rows.unsubscribed or updated))
    announce(tx, events, created_at)
    listed = merging.add_to_list(tx, part, job.options["list_id"]) if job.options.get("list_id") else 0
    skipped = rows.new + rows.present - refused - created - updated
    merged = slices.finish(tx, part, created=created, updated=updated, skipped=skipped, listed=listed)
    if merged is None:
        raise JobEnded
    return merged


def _add_new(tx: Tx, part: Slice, new: int, created_at: str) -> tuple[list[str], int, int]:
    """Add the new contacts; the events, how many are there since a moment ago, and how many have a taken external id.

    Each row that could not be added is looked at again until it is known why. It goes round once more only where somebody who
    was in the way is gone in between.
    """
    events = merging.add_contacts(tx, part, created_at=created_at)
    raced = refused = 0
    while len(events) + raced + refused < new:
        raced += merging.find_present_since(tx, part)
        refused += merging.mark_refused(tx, part)
        if len(events) + raced + refused < new:
            events += merging.add_free_contacts(tx, part, created_at=created_at)
    return events, raced, refused


def _change_present(tx: Tx, part: Slice, duplicates: str) -> tuple[int, int]:
    """How many rows of contacts that were there are left out, and how many changed theirs."""
    if duplicates == "create":
        return merging.mark_present(tx, part), 0
    if duplicates == "skip":
        return 0, 0
    return merging.mark_foreign_ids(tx, part), merging.update_contacts(tx, part)


def _finish_contacts(tx: Tx, part: Slice, *, may_opt_out: bool) -> None:
    names = merging.tag_names(tx, part)
    if names:
        make_tags(tx, names)
        merging.add_tags(tx, part)
    if declared_fields(tx):
        store_field_values(tx, merging.written_contacts(tx, part))
    gone = merging.opted_out(tx, part) if may_opt_out else []
    if gone:
        suppress(tx, [contact.email for contact in gone], reason="user_request", source="import")
        blocks = [
            ContactBlock(id=c.id, email=c.email, first_name=c.first_name, last_name=c.last_name) for c in gone if c.now
        ]
        emit_many(tx, [ContactUnsubscribed(contact=block, reason="user_request", method="import") for block in blocks])
