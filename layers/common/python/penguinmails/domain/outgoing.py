"""What a mail gets on its way out: links that are followed, the pixel, and for commercial mail the way to end it.

Commercial mail carries List-Unsubscribe and List-Unsubscribe-Post (RFC 2369, RFC 8058), and a footer with an unsubscribe
link and the sender's postal address, which laws against spam demand (CAN-SPAM, 15 U.S.C. 7704).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape, unescape

from penguinmails.domain.tracking_links import TrackedMail, link
from penguinmails.settings import get_settings

_VALUE = r"""(?:"[^"]*"|'[^']*'|[^\s"'<>]+)"""
# Attribute by attribute, so that data-href is no href, and possessively, so that the time grows with the text alone.
_LINK = re.compile(
    rf"""(<(?:a|area)[\s/](?:[\s/]*+(?!href[\s=])[^\s"'<>/=]++(?:\s*+=\s*+{_VALUE})?+)*+[\s/]*+href\s*+=\s*+)({_VALUE})""",
    re.IGNORECASE,
)
_BODY_END = re.compile(r"</body\s*+>", re.IGNORECASE)
_LONGEST_LINK = 8_000
"""CloudFront takes 8,192 bytes; a longer address stays as the sender wrote it."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who stands behind commercial mail."""

    name: str
    postal_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What is followed, and whether the mail can be unsubscribed from: only with a sender who answers for it."""

    opens: bool
    clicks: bool
    sender: Sender | None = None


@dataclass(frozen=True, slots=True)
class Dressed:
    """A mail as it leaves."""

    text: str
    html: str | None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def dress(mail: TrackedMail, *, text: str, html: str | None, following: Following) -> Dressed:
    """Text and HTML with everything that is added on the way out, and the headers that go with it."""
    headers: dict[str, str] = {}
    if html is not None and following.clicks:
        html = _LINK.sub(lambda found: found[1] + _followed(mail, found[2]), html)
    if following.sender is not None:
        address = link("unsubscribe", mail)
        headers = {"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        text = f"{text.rstrip()}\n\n-- \n{_footer_text(following.sender, address)}"
        html = html and _before_end(html, _footer_html(following.sender, address))
    if html is not None and following.opens:
        pixel = f'<img src="{link("open", mail)}" width="1" height="1" alt="" style="display:none">'
        html = _before_end(html, pixel)
    return Dressed(text, html, headers)


def _followed(mail: TrackedMail, quoted: str) -> str:
    target = unescape(quoted.strip("\"'")).strip()
    is_web = target[:8].lower().startswith(("http://", "https://"))
    if not is_web or target.startswith(f"{get_settings().tracking_url}/t/"):
        return quoted
    address = link("click", mail, target)
    return quoted if len(address) > _LONGEST_LINK else f'"{escape(address)}"'


def _before_end(html: str, addition: str) -> str:
    ends = list(_BODY_END.finditer(html))
    place = ends[-1].start() if ends else len(html)
    return html[:place] + addition + html[place:]


def _footer_text(sender: Sender, address: str) -> str:
    return f"{sender.name}, {' '.join(sender.postal_address.split())}\nUnsubscribe: {address}\n"


def _footer_html(sender: Sender, address: str) -> str:
    return (
        '<div style="margin-top:24px;font-size:12px;color:#666">'
        f"{escape(sender.name)}, {escape(' '.join(sender.postal_address.split()))}<br>"
        f'<a href="{escape(address)}">Unsubscribe</a></div>'
    )
