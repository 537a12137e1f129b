"""What mail systems report by mail: deliveries and bounces (RFC 3464, in RFC 3462's multipart/report), complaints (RFC 5965)."""

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_string, policy
from email.message import Message
from typing import cast
from uuid import UUID

from penguinmails.domain.bounces import bounce_of
from penguinmails.domain.mail_reports import Report
from provider_events.parsed import text_of
from provider_events.raw_mail import header_of, parts_of, text_of_part

_OUR_MESSAGE_ID = re.compile(r"<([0-9a-f]{32})@penguinmails\.com>", re.IGNORECASE)
_REPLY_CODE = re.compile(r"(?:^|[\s;])([245]\d\d)\b")
_STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
_COMPLAINTS = {"abuse", "fraud"}


@dataclass(frozen=True, slots=True)
class SystemReport:
    """`report` is None for what says nothing that counts; `email_id` is the mail of ours that comes along, if any."""

    report: Report | None
    email_id: UUID | None


def report_of(message: Message, now: datetime) -> SystemReport | None:
    """What a mail system reports; None for any other mail."""
    if message.get_content_type() != "multipart/report":
        return None
    kind = text_of(message.get_param("report-type", "")).lower()
    if kind == "delivery-status":
        return SystemReport(_delivery_report(message, now), _original(message))
    if kind == "feedback-report":
        return SystemReport(_complaint(message, now), _original(message))
    return None


def _delivery_report(message: Message, now: datetime) -> Report | None:
    fields = next((found for found in _blocks(message, "message/delivery-status") if "Action" in found), None)
    if fields is None:
        return None
    action = header_of(fields, "Action").strip().lower()
    status, diagnostic = header_of(fields, "Status"), header_of(fields, "Diagnostic-Code")
    detail = (diagnostic.partition(";")[2].strip() or diagnostic or status)[:500]
    match action:
        case "failed":
            bounce = bounce_of(_code(status, diagnostic), f"{diagnostic} {status}", "recipient") or "soft"
            return Report(kind="bounced", source="smtp", occurred_at=now, bounce=bounce, detail=detail)
        case "delayed":
            return Report(kind="deferred", source="smtp", occurred_at=now, detail=detail)
        case "delivered":
            return Report(kind="delivered", source="smtp", occurred_at=now, detail=detail)
        case _:
            return None


def _code(status: str, diagnostic: str) -> int:
    """The reply code of the recipient's server; what the enhanced status (RFC 3463) stands for where there is none."""
    code = _REPLY_CODE.search(diagnostic)
    if code is not None:
        return int(code[1])
    found = _STATUS.search(status)
    return int(found[1]) * 100 + 50 if found is not None else 0


def _complaint(message: Message, now: datetime) -> Report | None:
    for fields in _blocks(message, "message/feedback-report"):
        if header_of(fields, "Feedback-Type").strip().lower() in _COMPLAINTS:
            return Report(kind="complained", source="smtp", occurred_at=now)
    return None


def _blocks(message: Message, media_type: str) -> list[Message]:
    """The groups of fields of the report's machine-readable part."""
    for part in parts_of(message):
        if part.get_content_type() == media_type:
            payload = part.get_payload()
            if isinstance(payload, list):
                return cast("list[Message]", payload)
            return [message_from_string(text_of_part(part), policy=policy.compat32)]
    return []


def _original(message: Message) -> UUID | None:
    """The mail of ours whose content or headers are sent along."""
    is_below = False
    for part in parts_of(message):
        kind = part.get_content_type()
        named = part.get("Message-ID") if is_below else None
        if kind == "text/rfc822-headers":
            named = message_from_string(text_of_part(part), policy=policy.compat32).get("Message-ID")
        found = _OUR_MESSAGE_ID.search(str(named or ""))
        if found is not None:
            return UUID(found[1])
        is_below = is_below or kind == "message/rfc822"
    return None
