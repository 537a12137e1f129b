"""How much CPU time signing one mail takes: `python -m bench.sign_mails`. Prints microseconds."""

import statistics
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from penguinmails.dkim import signature_header
from penguinmails.mime import OutgoingMail, compose

_MAILS = 1_000


def main() -> None:
    """Sign a campaign's mails, each with another text."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    taken: list[float] = []
    for number in range(_MAILS):
        mail = OutgoingMail(
            message_id=f"<{number}@example.com>",
            sender="News <news@example.com>",
            recipient=f"reader{number}@example.com",
            subject=f"Hello {number}",
            text=f"Dear {number},\n" + "a line of text that is as long as most are\n" * 40,
            html=f"<p>Dear {number},</p>" + "<p>a paragraph that is as long as most are</p>\n" * 60,
        )
        content = compose(mail, "Mon, 02 Nov 2026 10:00:00 GMT")
        began = time.process_time_ns()
        signature_header(content, domain="example.com", selector="pm1", private_key=key)
        taken.append((time.process_time_ns() - began) / 1_000)
    taken.sort()
    print(f"{_MAILS} mails: median {statistics.median(taken):.0f} µs, p95 {taken[int(_MAILS * 0.95)]:.0f} µs")


if __name__ == "__main__":
    main()
