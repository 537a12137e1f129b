"""The signature that a mail gets on its way out, from the domain that it comes from."""

from penguinmails.domain.provider_secrets import provider_secret
from penguinmails.domain.sender_domains import SigningDomain, domain_of, platform_domain
from penguinmails.errors import ServiceUnavailable
from penguinmails.smtp import MailRefused


class SenderNotVerified(MailRefused):
    """The sender's domain was lost after the mail was accepted: what can be repaired costs the mail no attempt."""

    def __init__(self, domain: str) -> None:
        super().__init__(f"the domain {domain} is not verified any more", is_permanent=False)


def signed(content: bytes, sender: str, domains: dict[str, SigningDomain]) -> bytes:
    """A written message with the signature of its sender's domain; as it is when it comes from the platform's own address.

    Raises MailRefused, for now: the domain may be verified again, and Vault be back, at the next attempt.
    """
    name = domain_of(sender)
    if name == platform_domain():
        return content
    present = domains.get(name)
    if present is None or present.verification_status != "verified":
        raise SenderNotVerified(name)
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
