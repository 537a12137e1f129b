"""Links of ours are read back whole, and nothing else is read as one, whatever becomes of the keys."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penguinmails import platform_secrets
from penguinmails.db import Mode
from penguinmails.domain import tracking_links
from penguinmails.domain.outgoing import Following, Sender, dress
from penguinmails.domain.tracking_links import LinkKind, TrackedMail, link, read

KINDS: tuple[LinkKind, ...] = ("open", "click", "unsubscribe")
MAILS = st.builds(TrackedMail, st.uuids(), st.sampled_from(["live", "test"]), st.uuids())
MAIL = TrackedMail(UUID(int=1), "live", UUID(int=2))


def token_of(address: str) -> str:
    return address.partition("?")[0].rpartition("/")[2]


@given(MAILS, st.sampled_from(KINDS), st.text(max_size=50))
def test_a_link_is_read_back(mail: TrackedMail, kind: LinkKind, target: str) -> None:
    assert read(kind, token_of(link(kind, mail, target)), target) == mail


@given(MAILS, st.sampled_from(KINDS), st.integers(0, 49), st.integers(1, 255))
def test_a_link_of_which_one_byte_was_changed_is_none(
    mail: TrackedMail, kind: LinkKind, place: int, change: int
) -> None:
    from base64 import urlsafe_b64decode, urlsafe_b64encode

    raw = bytearray(urlsafe_b64decode(token_of(link(kind, mail)) + "=="))
    raw[place] ^= change

    assert read(kind, urlsafe_b64encode(raw).decode().rstrip("=")) is None


@given(st.text(max_size=100))
def test_what_is_no_link_is_read_as_none(token: str) -> None:
    assert read("open", token) is None


@pytest.mark.parametrize("mode", ["live", "test"])
def test_a_link_outlives_every_rotation_of_keys(mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = TrackedMail(UUID(int=1), mode, UUID(int=2))
    old = token_of(link("unsubscribe", mail))
    keys = {**platform_secrets.key_versions("link_keys"), 2: b"n" * 32}
    monkeypatch.setattr(tracking_links, "current_key", lambda _: (2, keys[2]))
    monkeypatch.setattr(tracking_links, "key_versions", lambda _: keys)
    new = token_of(link("unsubscribe", mail))

    assert old != new
    assert [read("unsubscribe", token) for token in (old, new)] == [mail, mail]


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://x.example/">x</a>',
        "<A class='b' HREF='https://x.example/'>x</A>",
        "<a data-note='>' href=https://x.example/>x</a>",
        '<a\n href = " https://x.example/ ">x</a>',
        '<a data-href="https://y.example/" href="https://x.example/">x</a>',
        '<a title="href=https://y.example/"href=https://x.example/>x</a>',
        '<!--[if mso]><a href="https://x.example/">x</a>',
    ],
)
def test_links_are_found_however_they_are_written(html: str) -> None:
    dressed = dress(MAIL, text="", html=html, following=Following(opens=False, clicks=True))

    assert dressed.html is not None
    assert "?u=https%3A%2F%2Fx.example%2F" in dressed.html
    assert dressed.html.count("/t/c/") == 1
    assert dressed.html.endswith(">x</a>") or dressed.html.endswith(">x</A>")


@pytest.mark.parametrize(
    "html",
    [
        '<a href="mailto:ada@example.com">x</a>',
        "<a href=tel:+4930123456>x</a>",
        '<a href="#top">x</a>',
        '<a href="/relative">x</a>',
        '<a href="">x</a>',
        '<a name="https://x.example/">x</a>',
        '<a data-href="https://x.example/">x</a>',
        '<img src="https://x.example/">',
        '<a href="https://links.example.test/t/c/token?u=https%3A%2F%2Fx.example%2F">x</a>',
        f'<a href="https://x.example/{"a" * 8_000}">x</a>',
    ],
)
def test_what_is_no_link_of_the_web_or_too_long_to_follow_stays_as_it_is(html: str) -> None:
    assert dress(MAIL, text="", html=html, following=Following(opens=False, clicks=True)).html == html


@pytest.mark.parametrize("piece", ["<a ", '<a x="', "<a x='\"", "<a href", "<a x=y ", "<a href=' ", "</body "])
def test_html_that_is_broken_from_end_to_end_is_dressed_all_the_same(piece: str) -> None:
    """Going over the rest of it at every piece would take hours."""
    html = piece * 100_000

    assert dress(MAIL, text="", html=html, following=Following(opens=False, clicks=True)).html == html


def test_what_is_added_stands_before_the_end_of_the_body_and_is_escaped() -> None:
    sender = Sender("Fish & <Ships>", "1 Quay\nPort Stanley")
    html = "<html><body><p>Hello</p></BODY></html>"

    dressed = dress(MAIL, text="Hello", html=html, following=Following(opens=True, clicks=True, sender=sender))

    assert dressed.html is not None
    assert dressed.html.endswith('style="display:none"></BODY></html>')
    assert "Fish &amp; &lt;Ships&gt;, 1 Quay Port Stanley" in dressed.html
    assert dressed.text.startswith("Hello\n\n-- \nFish & <Ships>, 1 Quay Port Stanley\nUnsubscribe: https://")
    assert set(dressed.headers) == {"List-Unsubscribe", "List-Unsubscribe-Post"}
