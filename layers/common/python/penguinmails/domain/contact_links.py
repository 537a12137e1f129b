"""Tags and workspaces of contacts, set for one or many of them with the same few statements."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.ids import new_uuid7


def contacts_among(tx: Tx, contact_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that are contacts."""
    return set(tx.all("SELECT id FROM contacts WHERE id = ANY(%(ids)s::uuid[])", {"ids": list(contact_ids)}))


def make_tags(tx: Tx, names: Sequence[str]) -> None:
    """Make those tags that do not exist yet."""
    wanted = sorted(set(names))
    tx.run(
        """
        INSERT INTO tags (id, tenant_id, mode, name)
        SELECT id, %(tenant_id)s, %(mode)s, name FROM unnest(%(ids)s::uuid[], %(names)s::text[]) AS new (id, name)
        ON CONFLICT (tenant_id, mode, name) DO NOTHING
        """,
        {
            "tenant_id": tx.tenant_id,
            "mode": tx.mode,
            "names": wanted,
            "ids": [new_uuid7() for _ in wanted],
        },
    )


def set_tags(tx: Tx, wanted: Mapping[UUID, Sequence[str]]) -> None:
    """Give each contact exactly these tags, making those that do not exist yet."""
    pairs = [(contact_id, name) for contact_id, names in wanted.items() for name in sorted(set(names))]
    params = {
        "touched": list(wanted),
        "contact_ids": [contact_id for contact_id, _ in pairs],
        "names": [name for _, name in pairs],
    }
    if pairs:
        make_tags(tx, [name for _, name in pairs])
    tx.run(
        """
        DELETE FROM contact_tags ct USING tags t
        WHERE ct.contact_id = ANY(%(touched)s::uuid[])
          AND t.tenant_id = ct.tenant_id AND t.mode = ct.mode AND t.id = ct.tag_id
          AND NOT EXISTS (SELECT 1 FROM unnest(%(contact_ids)s::uuid[], %(names)s::text[]) AS kept (contact_id, name)
                          WHERE kept.contact_id = ct.contact_id AND kept.name = t.name)
        """,
        params,
    )
    if pairs:
        tx.run(
            """
            INSERT INTO contact_tags (tenant_id, mode, contact_id, tag_id, contact_created_at)
            SELECT c.tenant_id, c.mode, c.id, t.id, c.created_at
            FROM unnest(%(contact_ids)s::uuid[], %(names)s::text[]) AS new (contact_id, name)
            JOIN contacts c ON c.id = new.contact_id
            JOIN tags t ON t.name = new.name
            ON CONFLICT DO NOTHING
            """,
            params,
        )


def set_workspaces(tx: Tx, wanted: Mapping[UUID, Sequence[UUID]]) -> None:
    """Link each contact to exactly these workspaces; raises ForeignKeyViolation for one that does not exist."""
    pairs = [(contact_id, space) for contact_id, spaces in wanted.items() for space in sorted(set(spaces))]
    params = {
        "touched": list(wanted),
        "contact_ids": [contact_id for contact_id, _ in pairs],
        "workspace_ids": [space for _, space in pairs],
    }
    tx.run(
        """
        DELETE FROM contact_workspaces cw
        WHERE cw.contact_id = ANY(%(touched)s::uuid[])
          AND NOT EXISTS (SELECT 1 FROM unnest(%(contact_ids)s::uuid[], %(workspace_ids)s::uuid[]) AS kept (contact_id, id)
                          WHERE kept.contact_id = cw.contact_id AND kept.id = cw.workspace_id)
        """,
        params,
    )
    if pairs:
        tx.run(
            """
            INSERT INTO contact_workspaces (tenant_id, mode, contact_id, workspace_id, contact_created_at)
            SELECT c.tenant_id, c.mode, c.id, new.workspace_id, c.created_at
            FROM unnest(%(contact_ids)s::uuid[], %(workspace_ids)s::uuid[]) AS new (contact_id, workspace_id)
            JOIN contacts c ON c.id = new.contact_id
            ON CONFLICT DO NOTHING
            """,
            params,
        )
