"""Where a vulnerability is reported, as machines and researchers look for it (RFC 9116)."""

from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from docs.access import Anyone
from penguinmails import clock
from penguinmails.settings import get_settings

router = APIRouter(prefix="/.well-known", include_in_schema=False)

_GOOD_FOR = timedelta(days=180)
"""A file that says it has expired is not to be trusted, and under a year is advised (RFC 9116, section 2.5.5)."""


@router.get("/security.txt")
async def get_security_txt(context: Anyone) -> Response:
    """Contact, until when that holds, and the address that makes a copy elsewhere known as one."""
    context.rate_limit = None
    settings = get_settings()
    expires = (clock.now() + _GOOD_FOR).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {settings.security_contact}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.public_url}/.well-known/security.txt",
    ]
    text = "".join(f"{line}\n" for line in lines)
    return Response(text, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "public, max-age=3600"})
