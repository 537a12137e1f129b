"""What a recipient does with a mail becomes a report about it. A reader is never kept waiting for, or stopped by, our records."""

import re
from urllib.parse import quote

from penguinmails import clock
from penguinmails.db import transaction
from penguinmails.domain.mail_reports import Report, record_report
from penguinmails.domain.tracking_links import TrackedMail
from penguinmails.errors import ServiceUnavailable
from penguinmails.logging import count, logger
from track import repository
from track.repository import Subscription

SOURCE = "link"
# Apple's Mail Privacy Protection loads every picture ahead under exactly this name. Gmail's and Yahoo's proxies load a picture
# when a person opens the mail, so they are people. The others are scanners that follow every link.
_LOADS_AHEAD = "Mozilla/5.0"
_SCANNERS = re.compile(
    r"bot\b|crawl|spider|scan|preview|barracuda|proofpoint|mimecast|messagelabs|forcepoint|trendmicro|symantec|"
    r"safelinks|urldefense|cloudmark|fireeye|fortinet|sophos|python-|curl/|wget/|go-http-client|okhttp|java/|libwww|"
    r"headlesschrome|phantomjs",
    re.IGNORECASE,
)


def is_machine(user_agent: str) -> bool:
    """Whether this is a program that loads what nobody looks at."""
    name = user_agent.strip()
    return name in {"", _LOADS_AHEAD} or _SCANNERS.search(name) is not None


def record_open(mail: TrackedMail, *, user_agent: str, source_ip: str) -> None:
    """The pixel was loaded."""
    _record(
        mail,
        Report(
            kind="opened",
            source=SOURCE,
            occurred_at=clock.now(),
            user_agent=user_agent or None,
            ip_address=source_ip or None,
            is_machine=is_machine(user_agent),
        ),
    )


def record_click(mail: TrackedMail, url: str, *, user_agent: str, source_ip: str, is_head: bool) -> None:
    """A link was followed; who asks for its headers alone is no person."""
    _record(
        mail,
        Report(
            kind="clicked",
            source=SOURCE,
            occurred_at=clock.now(),
            url=url,
            user_agent=user_agent or None,
            ip_address=source_ip or None,
            is_machine=is_head or is_machine(user_agent),
        ),
    )


def subscription(mail: TrackedMail) -> Subscription | None:
    """Who writes to whom; None once either is gone."""
    with transaction(tenant_id=mail.tenant_id, mode=mail.mode) as tx:
        return repository.subscription(tx, mail)


def unsubscribe(mail: TrackedMail, *, user_agent: str, source_ip: str) -> None:
    """End the subscription at once, everywhere in the account. Asking again changes nothing."""
    report = Report(
        kind="unsubscribed",
        source="one_click_unsubscribe",
        occurred_at=clock.now(),
        user_agent=user_agent or None,
        ip_address=source_ip or None,
    )
    with transaction(tenant_id=mail.tenant_id, mode=mail.mode) as tx:
        record_report(tx, mail.email_id, report)


def location(url: str) -> str:
    """The address as a header can carry it (RFC 3986): what is not ASCII is percent-encoded."""
    return quote(url, safe="!#$%&'()*+,/:;=?@[]~")


def _record(mail: TrackedMail, report: Report) -> None:
    try:
        with transaction(tenant_id=mail.tenant_id, mode=mail.mode) as tx:
            record_report(tx, mail.email_id, report)
    except ServiceUnavailable:
        logger.warning("an open or click was not recorded", extra={"email_id": str(mail.email_id), "kind": report.kind})
        count("tracking_lost_total", kind=report.kind)
