"""Domains in the states that their operations want."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from domains.app import handler
from penguinmails.db import Mode, transaction
from tests.support.http import call


def _verified(account: Any, mode: Mode, ids: dict[str, UUID]) -> None:
    with transaction(tenant_id=account.tenant.id, mode=mode) as tx:
        tx.run("UPDATE domains SET verification_status = 'verified' WHERE id = %(id)s", {"id": ids["domain_id"]})


def _with_a_key_that_waits(account: Any, mode: Mode, ids: dict[str, UUID]) -> None:
    _verified(account, mode, ids)
    answer = call(handler, "POST", f"/api/v1/domains/{ids['domain_id']}/rotate-dkim", token=account.key(mode))
    assert answer.status == 200, answer.body


FIRST: dict[str, Callable[[Any, Mode, dict[str, UUID]], None]] = {
    "rotateDomainDkim": _verified,
    "cancelDomainDkimRotation": _with_a_key_that_waits,
}
"""By operation: what must have been done to a domain before."""
