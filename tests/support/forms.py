"""Bodies of forms."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from urllib3 import encode_multipart_formdata


def urlencoded(fields: Mapping[str, str]) -> tuple[bytes, str]:
    """A body, and its content type."""
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def multipart(fields: Mapping[str, str], files: Sequence[tuple[str, str, bytes]]) -> tuple[bytes, str]:
    """A body with files (name, media type, content), and its content type."""
    parts = [*fields.items(), *((f"attachment-{n}", (f[0], f[2], f[1])) for n, f in enumerate(files, 1))]
    return encode_multipart_formdata(parts)
