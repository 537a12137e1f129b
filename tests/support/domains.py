"""Domains in the states that their operations want."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import dkim

from domains.app import handler
from penguinmails.db import Mode, transaction
from tests.support.http import call
from tests.support.tenants import DKIM_KEY


def is_signed(content: bytes, domain: str) -> bool:
    """Whether a mail bears the signature of a domain of `TestTenant.verified_domain`."""

    def records(name: bytes, timeout: int = 5) -> bytes:
        assert name.rstrip(b".").decode() == f"pm1._domainkey.{domain}"
        return f"v=DKIM1; k=rsa; p={DKIM_KEY.public}".encode()

    return bool(dkim.verify(content, dnsfunc=records))


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
