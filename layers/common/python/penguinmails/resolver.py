"""Questions to the domain name system (RFC 1035). The only module that knows dnspython, loaded on first use."""

from functools import lru_cache
from typing import Any

from penguinmails.settings import ConfigurationError, get_settings

_PATIENCE_SECONDS = 3.0


class DnsUnavailable(Exception):
    """No server gave an answer that says whether the record is there."""


def texts(name: str) -> list[str]:
    """The TXT records of a name, the strings of each joined (RFC 7208, section 3.3); empty when there are none.

    Raises DnsUnavailable.
    """
    return [b"".join(record.strings).decode("utf-8", "replace") for record in _ask(name, "TXT")]


def alias(name: str) -> str | None:
    """What a name is a CNAME of, in lower case without the final dot; None when it is none. Raises DnsUnavailable."""
    found = _ask(name, "CNAME")
    return found[0].target.to_text(omit_final_dot=True).lower() if found else None


def _ask(name: str, kind: str) -> list[Any]:
    import dns.exception
    import dns.resolver

    try:
        return list(_resolver().resolve(name + ".", kind))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except dns.exception.DNSException as error:
        raise DnsUnavailable(f"DNS gave no answer for {name} ({type(error).__name__})") from None


@lru_cache(maxsize=1)
def _resolver() -> Any:
    """Nothing is cached: who has just published a record wants to see it found."""
    import dns.resolver

    servers = get_settings().dns_resolvers
    resolver = dns.resolver.Resolver(configure=not servers)
    resolver.lifetime = _PATIENCE_SECONDS
    if servers:
        resolver.nameservers = [_server(entry) for entry in servers]
    return resolver


def _server(entry: str) -> Any:
    import dns.nameserver

    address, _, port = entry.partition(":")
    if not port.isdecimal():
        raise ConfigurationError(f"DNS_RESOLVERS holds {entry!r}; set it to address:port, several with commas between.")
    return dns.nameserver.Do53Nameserver(address, int(port))
