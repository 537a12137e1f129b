"""Addresses in the two forms that they have: as people write them and the database keeps them, and as mail carries them.

A domain travels in ASCII (IDNA 2008). The part before the @ has no ASCII form: a mail that names one with other characters
needs servers that take them (SMTPUTF8, RFC 6531).
"""

from functools import lru_cache


@lru_cache(maxsize=1024)
def ascii_domain(name: str) -> str:
    """A domain as DNS knows it; as it stands when it is none."""
    name = name.lower()
    if name.isascii():
        return name
    import idna

    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return name


@lru_cache(maxsize=1024)
def unicode_domain(name: str) -> str:
    """A domain as people write it; as it stands when it is none."""
    name = name.lower()
    if "xn--" not in name:
        return name
    import idna

    try:
        return idna.decode(name)
    except idna.IDNAError:
        return name


def on_the_wire(address: str) -> str:
    """An address as a mail carries it."""
    if address.isascii():
        return address
    name, _, domain = address.rpartition("@")
    return f"{name}@{ascii_domain(domain)}"


def as_kept(address: str) -> str:
    """An address that came with a mail as contacts and mails have it."""
    name, _, domain = address.lower().rpartition("@")
    return f"{name}@{unicode_domain(domain)}"


def is_international(address: str) -> bool:
    """Whether the part before the @ has characters that only some mail servers take."""
    return not address.rpartition("@")[0].isascii()
