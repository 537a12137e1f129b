"""Which addresses a customer's endpoint may have: the guard against requests into our own network.

The URL is checked when it is stored; the addresses that its name resolves to are checked for every connection, and the
connection goes to the very address that was checked.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from penguinmails.errors import ValidationFailed
from penguinmails.settings import get_settings

_LOWEST_FREE_PORT = 1024
_EMBEDDED_V4 = (ip_network("64:ff9b::/96"), ip_network("::/96"))
_SIX_TO_FOUR = ip_network("2002::/16")
_UNICAST_V6 = ip_network("2000::/3")
"""All that is global unicast in IPv6 so far (RFC 4291, IANA): what is outside is refused, whatever it will be."""
_ISATAP = 0x5EFE
_REFUSED = tuple(
    ip_network(network) for network in ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "2001::/32", "3fff::/20")
)
"""Beside what every Python knows as not global. Some clouds keep their metadata service in 192.0.0.0/24."""


class RefusedAddress(OSError):
    """An endpoint's name leads to an address that is not on the public Internet."""


def check_url(url: str, *, field: str) -> None:
    """Raises ValidationFailed when a customer's endpoint may not be called at this URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValidationFailed.of(field, "is not a URL") from None
    host = (parts.hostname or "").rstrip(".").lower()
    if not host or any(character.isspace() or ord(character) < 0x20 for character in url):
        raise ValidationFailed.of(field, "is not a URL with a host")
    if not host.isascii():
        # Clients read other spellings of digits and dots as these, each in its own way: 127。0。0。1 is an address to some.
        raise ValidationFailed.of(
            field,
            "must have its host in ASCII; write a name with other letters as DNS has it: xn--bcher-kva.example",
            "not_ascii",
        )
    if "@" in parts.netloc:
        raise ValidationFailed.of(field, "must not carry a user name or password", "userinfo")
    if get_settings().allow_localhost_webhooks and is_localhost(host) and parts.scheme in {"http", "https"}:
        return
    if parts.scheme != "https":
        raise ValidationFailed.of(field, "must start with https://", "not_https")
    if port is not None and port != 443 and port < _LOWEST_FREE_PORT:
        raise ValidationFailed.of(field, f"uses port {port}; 443 and ports from 1024 on are possible", "port")
    settings = get_settings()
    if host in {urlsplit(settings.public_url).hostname, urlsplit(settings.tracking_url).hostname}:
        raise ValidationFailed.of(field, "points back to this platform, which would loop", "own_host")
    check_host(host, field=field)


def check_host(host: str, *, field: str) -> None:
    """Raises ValidationFailed when a customer's server may not be connected to under this name, in lower case."""
    if is_localhost(host):
        if get_settings().allow_localhost_webhooks:
            return
        raise ValidationFailed.of(field, "is not reachable from the Internet", "not_public")
    literal = _literal(host)
    if literal is not None and not is_public(literal):
        raise ValidationFailed.of(field, "is not an address on the public Internet", "not_public")


def is_localhost(host: str) -> bool:
    """Whether a host name or address literal means this machine."""
    literal = _literal(host)
    return host == "localhost" or host.endswith(".localhost") or (literal is not None and literal.is_loopback)


def vet(addresses: list[str], *, host: str) -> None:
    """Raises RefusedAddress unless every resolved address may be connected to; a mixed answer is refused whole."""
    if not addresses:
        raise RefusedAddress("the name resolves to nothing")
    if get_settings().allow_localhost_webhooks and is_localhost(host):
        return
    for text in addresses:
        if not is_public(ip_address(text.partition("%")[0])):
            raise RefusedAddress("the name leads to an address that is not on the public Internet")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Globally routable unicast that is not ours, also where an IPv6 address hides one of IPv4 (mapped, NAT64, 6to4, ISATAP)."""
    if any(address in network for network in (*_REFUSED, *_own_networks(get_settings().webhook_source_ips))):
        return False
    inner = _embedded(address)
    if inner is not None:
        return is_public(inner)
    if isinstance(address, IPv6Address) and address not in _UNICAST_V6:
        return False
    return address.is_global and not address.is_multicast


@lru_cache(maxsize=8)
def _own_networks(source_ips: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Where our own posts come from: nothing of a customer's is there."""
    return tuple(ip_network(network, strict=False) for network in source_ips)


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _SIX_TO_FOUR:
        return address.sixtofour
    if any(address in network for network in _EMBEDDED_V4):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _UNICAST_V6 and int(address) >> 32 & 0xFDFFFFFF == _ISATAP:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, in the forms that resolvers accept too (2130706433, 0x7f.1, 017700000001)."""
    import socket

    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return None
