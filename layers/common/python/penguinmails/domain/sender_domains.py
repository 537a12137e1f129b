"""Which domain a mail comes from, whether the account may send from it, and its signature on the way out."""

from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parseaddr
from uuid import UUID

from penguinmails.db import Tx
from penguinmails.domain.provider_secrets import provider_secret
from penguinmails.errors import DomainNotVerified, FieldError, ServiceUnavailable
from penguinmails.settings import get_settings
from penguinmails.smtp import MailRefused


@dataclass(frozen=True, slots=True)
class SigningDomain:
    """A domain of the account; `secret_ref` is where Vault keeps the private key of its selector."""

    id: UUID
    domain: str
    verification_status: str
    dkim_selector: str
    secret_ref: str


def domain_of(mailbox: str) -> str:
    """The domain of a mailbox or address as DNS knows it (IDNA 2008)."""
    name = parseaddr(mailbox)[1].rpartition("@")[2].lower()
    if name.isascii():
        return name
    import idna

    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return name


def signing_domains(tx: Tx, mailboxes: Iterable[str]) -> dict[str, SigningDomain]:
    """The account's domains among those of the mailboxes, by name."""
    names = sorted({domain_of(mailbox) for mailbox in mailboxes})
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


def signed(content: bytes, sender: str, domains: dict[str, SigningDomain]) -> bytes:
    """A written message with the signature of its sender's domain; as it is when it comes from the platform's own address.

    Raises MailRefused, for now: the domain may be verified again, and Vault be back, at the next attempt.
    """
    name = domain_of(sender)
    if name == domain_of(get_settings().mail_from):
        return content
    present = domains.get(name)
    if present is None or present.verification_status != "verified":
        raise MailRefused(f"the domain {name} is not verified any more", is_permanent=False)
    try:
        secret = provider_secret(present.secret_ref)
    except ServiceUnavailable:
        secret = None
    if secret is None:
        raise MailRefused("the signing key of the domain cannot be read just now", is_permanent=False)
    from penguinmails.dkim import signature_header

    header = signature_header(
        content, domain=present.domain, selector=present.dkim_selector, private_key=secret["private_key"]
    )
    return header + content
