"""The pages that a recipient sees."""

from base64 import b64encode
from hashlib import sha256
from html import escape

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f4f6f8;color:#1c2733}"
    "main{max-width:26rem;margin:12vh auto;padding:2rem;background:#fff;border-radius:8px;box-shadow:0 1px 4px #0002}"
    "h1{font-size:1.25rem;margin:0 0 .5rem}button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:6px;"
    "background:#0b5fff;color:#fff;cursor:pointer}button:focus-visible{outline:3px solid #0b5fff66}"
)
POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing but its own style, and a form that leads back here."""


def _page(title: str, content: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )


UNKNOWN = _page("This link does not work", "<p>A part of it may be missing. Open it from the mail again.</p>")


def question(sender: str, address: str) -> str:
    """Asks before anything changes."""
    return _page(
        "Unsubscribe?",
        f"<p>{escape(sender)} will not write to {escape(masked(address))} any more.</p>"
        '<form method="post"><button type="submit">Unsubscribe</button></form>',
    )


def done(sender: str, address: str) -> str:
    """Says that it has changed."""
    return _page(
        "You are unsubscribed", f"<p>{escape(sender)} does not write to {escape(masked(address))} any more.</p>"
    )


def masked(address: str) -> str:
    """`a…@example.com`: the reader knows it, and whoever the mail was passed on to learns nothing."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}…@{domain}"
