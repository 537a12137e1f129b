"""Which domain a mail comes from, and whether the account may send from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parseaddr
from functools import lru_cache
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.mail_addresses import ascii_domain
from penguinmails.errors import DomainNotVerified, FieldError
from penguinmails.settings import get_settings


@dataclass(frozen=True, slots=True)
class SigningDomain:
    """A domain of the account; `secret_ref` is where Vault keeps the private key of its selector."""

    id: UUID
    domain: str
    verification_status: str
    dkim_selector: str
    secret_ref: str


@lru_cache(maxsize=256)
def domain_of(mailbox: str) -> str:
    """The domain of a mailbox or address as DNS knows it (IDNA 2008)."""
    return ascii_domain(parseaddr(mailbox)[1].rpartition("@")[2])


def platform_domain() -> str:
    """The domain of the platform's own mail."""
    return domain_of(get_settings().mail_from)


def signing_domains(tx: Tx, mailboxes: Iterable[str]) -> dict[str, SigningDomain]:
    """The account's domains among those of the mailboxes, by name; the platform's own is nobody's and not asked for."""
    names = sorted({domain_of(mailbox) for mailbox in mailboxes} - {platform_domain()})
    if not names:
        return {}
    found = tx.all(
        """
        SELECT id, domain, verification_status, dkim_selector, secret_ref FROM domains
        WHERE domain = ANY(%(names)s::text[])
        """,
        {"names": names},
        SigningDomain,
    )
    return {row.domain: row for row in found}


def require_verified(tx: Tx, mailbox: str | None, *, field: str) -> None:
    """Raise DomainNotVerified unless the account may send from a mailbox.

    Without one mail comes from the platform's own address. What test keys send reaches nobody, so it may come from anywhere.
    """
    if mailbox is None or tx.mode == "test":
        return
    name = domain_of(mailbox)
    present = signing_domains(tx, [mailbox]).get(name)
    if present is not None and present.verification_status == "verified":
        return
    if present is None:
        to_do = "Add it with POST /api/v1/domains, publish the DNS records that the answer lists, then verify it."
    else:
        path = f"/api/v1/domains/{present.id}"
        to_do = f"Publish the DNS records that GET {path}/dns lists, then POST {path}/verify."
    raise DomainNotVerified(
        f"Mail from {name} needs a domain that the account has verified. {to_do}",
        errors=[FieldError(field, f"is at {name}, which is not verified", "domain_not_verified")],
    )
