"""Reading raw mail never fails, whatever comes."""

from email.message import Message

from hypothesis import given, settings
from hypothesis import strategies as st

from penguinmails import clock
from provider_events import mail_system_reports, raw_mail

_LINES = st.lists(
    st.sampled_from(
        [
            b"From: =?x?b?///?= <a@b.c>", b"From: \xff\xfe", b"Content-Type: multipart/mixed; boundary=b", b"", b"--b",
            b"--b--", b"Content-Type: text/plain; charset=\xff", b"Content-Type: text/html; charset=utf-7",
            b"Content-Type: message/rfc822", b"Content-Type: message/delivery-status", b"Action: failed",
            b"Content-Transfer-Encoding: base64", b"=", b"+AAA", b"Content-Disposition: attachment; filename*=x'y'%ff",
            b"Content-Type: multipart/report; report-type=delivery-status; boundary=b", b"Status: 5", b"Date: 99 x",
            b"Content-Type: multipart/report; report-type*0*=feedback; boundary=b", b"Message-ID: <<>>",
            b"Content-Transfer-Encoding: x-uuencode", b"begin 644 \x00", b"Content-Type: ;;;=", b"\x00\x80\xff: x",
            b"Content-Type: message/feedback-report", b"Subject: =?utf-8?q?=ff=?= =?none?b?a?=",
        ]
    ),
    max_size=30,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(content=st.one_of(st.binary(max_size=400), _LINES.map(b"\r\n".join), _LINES.map(b"\n".join)))
def test_no_bytes_make_the_reader_fail(content: bytes) -> None:
    message = raw_mail.read_mail(content)
    assert isinstance(message, Message)

    found = raw_mail.answer_of(message, envelope_sender="ada@example.com", plus=None, now=clock.now())
    mail_system_reports.report_of(message, clock.now())

    assert found is not None
    assert "\x00" not in found.text + found.subject + found.from_name + found.message_id
    assert (found.text + found.subject + found.from_name + found.message_id + found.from_email).encode()
    for file in found.files:
        assert len(file.file_name.encode()) > 0 and len(file.file_name) <= 255
        assert file.file_name.isprintable()
        assert not set(file.file_name) & {"/", "\\"}
