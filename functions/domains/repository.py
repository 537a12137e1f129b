"""SQL of domains."""

from typing import Any, LiteralString
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.sending_domains import SELECT, DomainRow
from penguinmails.keyset import Conditions, Keyset, select_page

COLUMNS: dict[str, LiteralString] = {"created_at": "created_at", "domain": "domain"}
KINDS = {"created_at": "time", "domain": "text"}


def list_domains(tx: Tx, keyset: Keyset, *, name: str | None, status: str | None) -> tuple[list[DomainRow], int | None]:
    """A page of domains."""
    where = Conditions()
    where.add_given("domain = %(name)s", name=name)
    where.add_given("verification_status = %(status)s", status=status)
    return select_page(tx, SELECT, where, keyset, COLUMNS, DomainRow)


def find_locked(tx: Tx, domain_id: UUID) -> DomainRow | None:
    """One domain, which nobody else changes meanwhile."""
    return tx.one(SELECT + " WHERE id = %(id)s FOR UPDATE", {"id": domain_id}, DomainRow)


def count_and_limit(tx: Tx) -> tuple[int, int | None]:
    """How many domains there are in this mode, and may be; creations of one tenant wait for each other."""
    tx.run(
        "SELECT pg_advisory_xact_lock(hashtextextended('domains ' || %(tenant)s::text, 0))", {"tenant": tx.tenant_id}
    )
    present: int = tx.one("SELECT count(*) FROM domains", {})
    allowed: int | None = tx.one("SELECT max_domains FROM tenant_limits WHERE tenant_id = %(id)s", {"id": tx.tenant_id})
    return present, allowed


def insert(tx: Tx, values: dict[str, Any]) -> None:
    """Add a domain; raises UniqueViolation when it is there, ForeignKeyViolation for an unknown workspace."""
    tx.run(
        """
        INSERT INTO domains (id, tenant_id, mode, workspace_id, domain, verification_token, dkim_selector,
                             dkim_public_key, secret_ref)
        VALUES (%(id)s, %(tenant_id)s, %(mode)s, %(workspace_id)s, %(domain)s, %(verification_token)s,
                %(dkim_selector)s, %(dkim_public_key)s, %(secret_ref)s)
        """,
        {"tenant_id": tx.tenant_id, "mode": tx.mode, **values},
    )


def begin_rotation(tx: Tx, domain_id: UUID, *, selector: str, public_key: str, secret_ref: str) -> None:
    """Keep the next signing key; DNS is asked for its record within the hour."""
    tx.run(
        """
        UPDATE domains
        SET next_dkim_selector = %(selector)s, next_dkim_public_key = %(public_key)s, next_secret_ref = %(secret_ref)s,
            dkim_rotation_began_at = now(), next_check_at = least(next_check_at, now() + interval '1 hour')
        WHERE id = %(id)s
        """,
        {"id": domain_id, "selector": selector, "public_key": public_key, "secret_ref": secret_ref},
    )


def cancel_rotation(tx: Tx, domain_id: UUID) -> None:
    """Forget the next signing key."""
    tx.run(
        """
        UPDATE domains
        SET next_dkim_selector = NULL, next_dkim_public_key = NULL, next_secret_ref = NULL, dkim_rotation_began_at = NULL,
            dns_results = dns_results - 'dkim_next'
        WHERE id = %(id)s
        """,
        {"id": domain_id},
    )


def forget_old_key(tx: Tx, domain_id: UUID) -> None:
    """The key that was used before the last rotation is about to be deleted."""
    tx.run("UPDATE domains SET old_secret_ref = NULL WHERE id = %(id)s", {"id": domain_id})


def delete(tx: Tx, domain_id: UUID) -> None:
    """Forget a domain."""
    tx.run("DELETE FROM domains WHERE id = %(id)s", {"id": domain_id})
