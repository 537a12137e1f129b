"""Identifiers: UUIDv7 for rows made in bulk, UUIDv4 for tenants and keys, prefixed forms for the public ones."""

import secrets
import string
import time
from datetime import datetime
from uuid import UUID, uuid4

_VARIANT = dict(zip(string.hexdigits[:16], "89ab" * 4, strict=True))
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
# The last bytes are no whole round of the letters, and would make the first letters likelier.
_LETTER_OF_BYTE = (BASE62 * 5)[:256].encode()
_SURPLUS_BYTES = bytes(range(256 // len(BASE62) * len(BASE62), 256))


def random_base62(length: int) -> str:
    """`length` independent uniform draws from the 62 letters and digits, from the system's secure generator."""
    drawn = b""
    while len(drawn) < length:
        drawn += secrets.token_bytes(2 * length).translate(_LETTER_OF_BYTE, _SURPLUS_BYTES)
    return drawn[:length].decode()


def uuid_or_none(text: str | None) -> UUID | None:
    """The id that a text is; None when it is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def new_uuid4() -> UUID:
    """For what must not reveal when it was made: tenants, users, API keys."""
    return uuid4()


def new_uuid7() -> UUID:
    """Time-ordered (RFC 9562 §5.7), so that bulk inserts append to their index instead of scattering over it."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = int.from_bytes(secrets.token_bytes(10), "big")
    value = (milliseconds & (1 << 48) - 1) << 80 | random_bits
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def first_uuid7(moment: datetime) -> UUID:
    """What all ids of `new_uuid7` that were made before a moment are smaller than."""
    return UUID(int=int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | 0x2 << 62)


def uuid7_texts(count: int) -> list[str]:
    """Many of `new_uuid7` as text, for rows that are streamed by the thousand."""
    milliseconds = f"{time.time_ns() // 1_000_000 & (1 << 48) - 1:012x}"
    start = f"{milliseconds[:8]}-{milliseconds[8:]}-7"
    digits = secrets.token_hex(10 * count)
    return [
        f"{start}{part[:3]}-{_VARIANT[part[3]]}{part[4:7]}-{part[7:19]}"
        for part in (digits[at : at + 20] for at in range(0, 20 * count, 20))
    ]


def new_request_id() -> str:
    """`req_` and 24 base62 characters; returned in X-Request-Id and written to logs and audit rows."""
    return "req_" + random_base62(24)


def event_public_id(event_id: UUID) -> str:
    """The form of an event id that customers see, `evt_` and 32 hex digits."""
    return "evt_" + event_id.hex


def test_event_public_id(moment: datetime) -> str:
    """The id of the event of a test post that was made at this moment, `evt_test_` and milliseconds since 1970."""
    return f"evt_test_{round(moment.timestamp() * 1000)}"


def delivery_public_id(delivery_id: UUID) -> str:
    """The form of a delivery id that customers see, `del_` and 32 hex digits."""
    return "del_" + delivery_id.hex
