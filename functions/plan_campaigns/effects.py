"""What the actions of a campaign do to contacts, for all who came by one with the same statement."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.contact_links import make_tags
from penguinmails.events.catalogue import ContactBlock, ContactUpdated
from penguinmails.events.emit import emit_many
from plan_campaigns import writes
from plan_campaigns.journey import Effect, Move
from plan_campaigns.writes import ChangedContact


def apply(tx: Tx, moves: Sequence[Move]) -> None:
    """Do what actions ask for, and tell which contacts that has changed."""
    wanted: defaultdict[Effect, list[UUID]] = defaultdict(list)
    for move in moves:
        for effect in move.effects:
            wanted[effect].append(move.contact_id)
    changed: dict[UUID, ChangedContact] = {}
    for effect, contact_ids in wanted.items():
        changed |= {contact.id: contact for contact in _apply(tx, effect, contact_ids)}
    emit_many(
        tx,
        [
            ContactUpdated(
                contact=ContactBlock(id=c.id, email=c.email, first_name=c.first_name, last_name=c.last_name),
                changed_fields=["tags"],
            )
            for c in changed.values()
        ],
    )


def _apply(tx: Tx, effect: Effect, contact_ids: Sequence[UUID]) -> Sequence[ChangedContact]:
    if effect.type == "add_tag" and effect.tag is not None:
        make_tags(tx, [effect.tag])
        return writes.add_tag(tx, effect.tag, contact_ids)
    if effect.type == "remove_tag" and effect.tag is not None:
        return writes.remove_tag(tx, effect.tag, contact_ids)
    if effect.type == "add_to_list" and effect.list_id is not None:
        writes.add_to_list(tx, effect.list_id, contact_ids)
    return ()
