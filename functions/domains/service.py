"""The rules of domains: what a domain is, whose it is, and how its signing key comes and goes."""

import secrets
from functools import partial
from ipaddress import ip_address
from uuid import UUID

from domains import repository, signing_keys
from domains.signing_keys import keep, new_key
from penguinmails.db import ForeignKeyViolation, Tx, UniqueViolation
from penguinmails.domain import domain_loss
from penguinmails.domain.sender_domains import platform_domain
from penguinmails.domain.sending_domains import Checked, DomainRow, find_domain, store
from penguinmails.errors import Conflict, FieldError, NotFound, QuotaExceeded, ValidationFailed
from penguinmails.ids import new_uuid7
from penguinmails.vault import delete_secret, secret_path

_SELECTOR = "pm1"
_ENCODED_LABEL = "xn--"
"""How a label begins that stands for other letters than ASCII (RFC 5890, section 2.3.2.1)."""


def ascii_name(written: str) -> str:
    """A domain as DNS knows it (IDNA 2008, UTS 46). Raises ValidationFailed for what is none, or the platform's own."""
    import idna

    try:
        name = idna.encode(written.strip().removesuffix("."), uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        raise _not_a_domain() from None
    if "." not in name or _is_address(name) or name.rpartition(".")[2].isdecimal():
        raise _not_a_domain()
    platform = platform_domain()
    if name == platform or name.endswith("." + platform):
        raise ValidationFailed.of("domain", "belongs to the platform; name one of your own")
    return name


def _not_a_domain() -> ValidationFailed:
    return ValidationFailed.of(
        "domain", "is not a domain; write the part after the @ of your addresses, like example.com"
    )


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def unicode_name(name: str) -> str:
    """A domain as people write it."""
    if _ENCODED_LABEL not in name:
        return name
    import idna

    try:
        return idna.decode(name)
    except idna.IDNAError:
        return name


def require_room(tx: Tx) -> None:
    """Raise QuotaExceeded when the plan allows no further domain."""
    present, allowed = repository.count_and_limit(tx)
    if allowed is not None and present >= allowed:
        raise QuotaExceeded(
            f"The plan allows {allowed} domains and all are used. Delete one that is not sent from any more, or choose a larger "
            "plan."
        )


def create(tx: Tx, domain: str, workspace_id: UUID | None) -> DomainRow:
    """Add a domain with a signing key of its own.

    The key is in Vault before the row is committed: a domain that others see can always sign. Raises Conflict for a domain that
    the account has, ValidationFailed for an unknown workspace.
    """
    name, domain_id = ascii_name(domain), new_uuid7()
    private, public = new_key()
    path = secret_path("dkim", str(tx.tenant_id), str(domain_id))
    values = {
        "id": domain_id,
        "workspace_id": workspace_id,
        "domain": name,
        "verification_token": secrets.token_hex(20),
        "dkim_selector": _SELECTOR,
        "dkim_public_key": public,
        "secret_ref": path,
    }
    try:
        with tx.savepoint():
            repository.insert(tx, values)
    except UniqueViolation:
        raise Conflict(
            f"The account has the domain {name} already. Use that one.",
            errors=[FieldError("domain", "is there already", "taken")],
        ) from None
    except ForeignKeyViolation:
        raise ValidationFailed.of("workspace_id", "names a workspace that does not exist", "not_found") from None
    keep(path, name, _SELECTOR, private)
    return existing(tx, domain_id)


def existing(tx: Tx, domain_id: UUID) -> DomainRow:
    """The domain, or NotFound."""
    row = find_domain(tx, domain_id)
    if row is None:
        raise NotFound.of("domain", domain_id)
    return row


def existing_locked(tx: Tx, domain_id: UUID) -> DomainRow:
    """The domain, which nobody else changes meanwhile, or NotFound."""
    row = repository.find_locked(tx, domain_id)
    if row is None:
        raise NotFound.of("domain", domain_id)
    return row


def record_check(tx: Tx, row: DomainRow, checked: list[Checked]) -> DomainRow:
    """Store what DNS said; the domain as it is now. Raises NotFound when it was deleted meanwhile."""
    now = signing_keys.delete_old(tx, store(tx, row, checked) or existing(tx, row.id))
    if row.verification_status == "verified" and now.verification_status != "verified":
        domain_loss.follow(tx, now)
    return now


def delete(tx: Tx, present: DomainRow) -> None:
    """Forget a domain and, once that is committed, its key; campaigns that send from it are stopped."""
    repository.delete(tx, present.id)
    domain_loss.stop_campaigns(tx, present.domain)
    for path in (present.secret_ref, present.next_secret_ref, present.old_secret_ref):
        if path is not None:
            tx.after_commit(partial(delete_secret, path))
