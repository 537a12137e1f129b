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


def delete(tx: Tx, domain_id: UUID) -> None:
    """Forget a domain."""
    tx.run("DELETE FROM domains WHERE id = %(id)s", {"id": domain_id})
