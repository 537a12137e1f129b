"""Mails that are written by hand say the same to a reader as those that the standard library writes."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penguinmails.mime import OutgoingMail, compose

_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"), max_size=3_000)
_LINE = (
    st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=300).map(str.strip).filter(bool)
)


def written(**fields: Any) -> bytes:
    standard = {
        "message_id": "<1@penguinmails.com>",
        "sender": "News <news@sender.example.com>",
        "recipient": "ada@example.com",
        "subject": "Hello",
        "text": "Hello",
        "html": None,
    }
    return compose(OutgoingMail(**{**standard, **fields}), "Fri, 01 May 2026 12:00:00 GMT")


def parsed(content: bytes) -> EmailMessage:
    message = cast("EmailMessage", message_from_bytes(content, policy=default))
    assert not message.defects
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def as_read(text: str) -> str:
    """Line ends of any kind are one, and a text ends with one."""
    return text.replace("\r\n", "\n").rstrip("\n")


@given(text=_TEXT, html=st.none() | _TEXT, subject=_LINE, value=_LINE)
def test_whatever_is_written_is_read_as_it_was(text: str, html: str | None, subject: str, value: str) -> None:
    content = written(text=text, html=html, subject=subject, headers={"X-Note": value})
    message = parsed(content)

    assert as_read(body(message, "plain")) == as_read(text)
    if html is not None:
        assert as_read(body(message, "html")) == as_read(html)
    assert message["Subject"].split() == subject.split()
    assert message["X-Note"].split() == value.split()
    assert message["To"] == "ada@example.com"


@given(text=_TEXT, html=_TEXT, subject=_LINE)
def test_every_line_is_ascii_ends_in_crlf_and_is_short_enough_for_smtp(text: str, html: str, subject: str) -> None:
    content = written(text=text, html=html, subject=subject)

    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 998


def test_headers_and_structure_are_those_of_the_standard_library() -> None:
    message = parsed(written(html="<p>Hello</p>", reply_to="Bücher <a@b.example.com>", subject="Grüße"))

    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert (message["From"], message["Reply-To"]) == ("News <news@sender.example.com>", "Bücher <a@b.example.com>")
    assert (message["Subject"], message["Message-ID"]) == ("Grüße", "<1@penguinmails.com>")
    assert message["Date"] == "Fri, 01 May 2026 12:00:00 +0000"


@pytest.mark.parametrize("header", ["a\r\nBcc: b@example.com", "a\nb"])
def test_a_header_cannot_bring_another_one_along(header: str) -> None:
    with pytest.raises(ValueError, match="newline"):
        written(headers={"X-Note": header})
    with pytest.raises(ValueError, match="newline"):
        written(subject=header)


def test_plain_ascii_is_not_encoded() -> None:
    content = written(text="Hello\n.\nFrom here", html="<p>Hello</p>")

    assert b"Hello\r\n.\r\nFrom here\r\n" in content
    assert b"quoted-printable" not in content
