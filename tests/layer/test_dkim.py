"""Signatures of mail, held against dkimpy, which knows the RFC and nothing of ours."""

from email.message import EmailMessage
from email.policy import SMTP

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penguinmails.dkim import SIGNED, signature_header
from tests.support.tenants import DKIM_KEY

DOMAIN = "example.com"


def records(name: bytes, timeout: int = 5) -> bytes:
    assert name.rstrip(b".") == b"pm1._domainkey.example.com"
    return f"v=DKIM1; k=rsa; p={DKIM_KEY.public}".encode()


def signed(content: bytes) -> bytes:
    header = signature_header(content, domain=DOMAIN, selector="pm1", private_key=DKIM_KEY.private)
    return header + content


def holds(content: bytes) -> bool:
    return bool(dkim.verify(content, dnsfunc=records, minkey=2048))


def written(subject: str, text: str, **headers: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = f"Grace <grace@{DOMAIN}>"
    message["To"] = "ada@example.net"
    message["Subject"] = subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


@settings(max_examples=60, deadline=None)
@given(
    subject=st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), codec="utf-8"), max_size=200),
    text=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=500),
)
def test_whatever_is_written_verifies(subject: str, text: str) -> None:
    assert holds(signed(written(subject, text)))


@pytest.mark.parametrize(
    "body",
    [b"", b"\r\n", b"no line end", b"two  spaces\t and a tab \r\n", b"empty lines follow\r\n\r\n \r\n\r\n", b"\r\n\r\nlate\r\n",
     b"8 bit: \xc3\xa4\xff\r\n", b".\r\n..\r\n"],
)  # fmt: skip
def test_bodies_are_canonicalised_as_the_rfc_says(body: bytes) -> None:
    head = b"From: grace@example.com\r\nsubject:  folded\r\n\tover \r\n lines  \r\nTo: ada@example.net\r\n\r\n"
    assert holds(signed(head + body))


def test_spaces_that_a_relay_changes_do_not_break_a_signature() -> None:
    content = signed(written("A  subject", "Hello\r\n"))
    assert holds(
        content.replace(b"Subject: A  subject", b"SUBJECT:   A subject").replace(b"Hello\r\n", b"Hello  \r\n\r\n")
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"Hello", b"Hullo"), (b"ada@example.net", b"eve@example.net"), (b"grace@", b"ghost@")],
)
def test_a_changed_mail_does_not_verify(before: bytes, after: bytes) -> None:
    content = signed(written("A subject", "Hello"))
    assert holds(content)
    assert not holds(content.replace(before, after, 1))


@pytest.mark.parametrize(
    "added", ["From: ghost@example.com", "Reply-To: eve@example.org", "List-Unsubscribe: <https://x>"]
)
def test_a_header_that_is_added_on_the_way_does_not_verify(added: str) -> None:
    content = signed(written("A subject", "Hello"))
    header, _, rest = content.partition(b"From: Grace")
    assert not holds(header + added.encode() + b"\r\nFrom: Grace" + rest)


def test_what_ends_a_subscription_is_covered() -> None:
    fields = {"List_Unsubscribe": "<https://links.example/u>", "List_Unsubscribe_Post": "List-Unsubscribe=One-Click"}
    content = signed(written("A subject", "Hello", **fields))
    assert holds(content)
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(SIGNED)
    assert not holds(content.replace(b"One-Click", b"Two-Click"))


def test_lines_of_the_header_are_short_enough_for_every_relay() -> None:
    header = signature_header(
        written("x", "y"), domain="d" * 60 + ".example.com", selector="pm1", private_key=DKIM_KEY.private
    )
    assert max(map(len, header.split(b"\r\n"))) <= 160
    assert header.endswith(b"\r\n")


def test_a_message_without_an_end_of_its_headers_is_not_signed() -> None:
    with pytest.raises(ValueError, match="end of its headers"):
        signed(b"From: grace@example.com\r\n")
