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
    ],
)
def test_links_are_found_however_they_are_written(html: str) -> None:
    dressed = dress(MAIL, text="", html=html, following=Following(opens=False, clicks=True))

    assert dressed.html is not None
    assert "/t/c/" in dressed.html
    assert dressed.html.endswith(">x</a>") or dressed.html.endswith(">x</A>")


def test_what_is_added_stands_before_the_end_of_the_body_and_is_escaped() -> None:
    sender = Sender("Fish & <Ships>", "1 Quay\nPort Stanley")
    html = "<html><body><p>Hello</p></BODY></html>"

    dressed = dress(MAIL, text="Hello", html=html, following=Following(opens=True, clicks=True, sender=sender))

    assert dressed.html is not None
    assert dressed.html.endswith('style="display:none"></BODY></html>')
    assert "Fish &amp; &lt;Ships&gt;, 1 Quay Port Stanley" in dressed.html
    assert dressed.text.startswith("Hello\n\n-- \nFish & <Ships>, 1 Quay Port Stanley\nUnsubscribe: https://")
    assert set(dressed.headers) == {"List-Unsubscribe", "List-Unsubscribe-Post"}
