"""Domains that accounts send from: which records prove and protect them, and what their DNS says of these.

SPF is RFC 7208, DKIM RFC 6376, DMARC RFC 7489.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from penguinmails.db import Tx, UniqueViolation, jsonb
from penguinmails.domain.sender_domains import platform_domain
from penguinmails.resolver import DnsUnavailable, alias, texts

Purpose = Literal["ownership", "dkim", "dkim_next", "spf", "dmarc", "return_path"]
Finding = Literal["unchecked", "valid", "missing", "invalid", "unreachable"]

CHECKS_UNTIL_LOST = 3
"""How many checks in a row must miss a record before a verified domain is none any more: one slip of DNS is no loss."""

_TAG = re.compile(r"\s*([a-z]+)\s*=\s*([^;]*)", re.IGNORECASE)

SELECT: LiteralString = """
SELECT id, tenant_id, mode, workspace_id, domain, verification_status, verification_token, dkim_selector, dkim_public_key,
secret_ref, dns_results, dns_verification_attempts, dns_verification_error, verified_at, dns_last_verified_at,
next_check_at, next_dkim_selector, next_dkim_public_key, next_secret_ref, dkim_rotated_at, previous_dkim_selector,
old_secret_ref, created_at, updated_at
FROM domains"""


@dataclass(frozen=True, slots=True)
class DomainRow:
    """One domain; `domain` in ASCII."""

    id: UUID
    tenant_id: UUID
    mode: Literal["live", "test"]
    workspace_id: UUID | None
    domain: str
    verification_status: Literal["pending", "verified", "failed"]
    verification_token: str
    dkim_selector: str
    dkim_public_key: str
    secret_ref: str
    dns_results: dict[str, Any]
    dns_verification_attempts: int
    dns_verification_error: str | None
    verified_at: datetime | None
    dns_last_verified_at: datetime | None
    next_check_at: datetime | None
    next_dkim_selector: str | None
    """Of the key that waits for its record."""
    next_dkim_public_key: str | None
    next_secret_ref: str | None
    dkim_rotated_at: datetime | None
    previous_dkim_selector: str | None
    old_secret_ref: str | None
    """A key that is used no more and still to be deleted."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A record to publish; without the required ones nothing is sent from the domain."""

    purpose: Purpose
    type: Literal["TXT", "CNAME"]
    name: str
    value: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What DNS has for one record."""

    record: DnsRecord
    finding: Finding
    found: list[str]


def records_of(row: DomainRow) -> list[DnsRecord]:
    """What the owner is to publish."""
    platform = platform_domain()
    records = [
        DnsRecord("ownership", "TXT", f"_penguinmails.{row.domain}", f"penguinmails={row.verification_token}", True),
        _dkim_record("dkim", row.domain, row.dkim_selector, row.dkim_public_key),
        DnsRecord("spf", "TXT", row.domain, f"v=spf1 include:spf.{platform} ~all", True),
        DnsRecord("dmarc", "TXT", f"_dmarc.{row.domain}", "v=DMARC1; p=none", False),
        DnsRecord("return_path", "CNAME", f"bounces.{row.domain}", f"bounces.{platform}", False),
    ]
    if row.next_dkim_selector is not None and row.next_dkim_public_key is not None:
        records.append(_dkim_record("dkim_next", row.domain, row.next_dkim_selector, row.next_dkim_public_key))
    return records


def _dkim_record(purpose: Literal["dkim", "dkim_next"], domain: str, selector: str, public_key: str) -> DnsRecord:
    name, value = f"{selector}._domainkey.{domain}", f"v=DKIM1; k=rsa; p={public_key}"
    return DnsRecord(purpose, "TXT", name, value, purpose == "dkim")


def check(row: DomainRow) -> list[Checked]:
    """Ask DNS for every record. Takes up to 15 seconds, so call it outside any transaction."""
    return [_check(record) for record in records_of(row)]


def _check(record: DnsRecord) -> Checked:
    try:
        if record.type == "CNAME":
            target = alias(record.name)
            found = [] if target is None else [target]
        else:
            found = [text for text in texts(record.name) if _concerns(record, text)]
    except DnsUnavailable:
        return Checked(record, "unreachable", [])
    if not found:
        return Checked(record, "missing", [])
    shown = [text[:1_000] for text in found[:5]]
    return Checked(record, "valid" if _satisfies(record, found) else "invalid", shown)


def _concerns(record: DnsRecord, text: str) -> bool:
    """Whether a TXT record is of the kind that is looked for: a name may have many of other kinds."""
    lowered = text.lower().lstrip()
    if record.purpose == "spf":
        return lowered.split(" ", 1)[0] == "v=spf1"
    if record.purpose == "dmarc":
        return lowered.startswith("v=dmarc1")
    return True


def _satisfies(record: DnsRecord, found: list[str]) -> bool:
    match record.purpose:
        case "ownership":
            return record.value in (text.strip() for text in found)
        case "spf":
            # Two SPF records are an error for every receiver (RFC 7208, section 4.5).
            include = record.value.split()[1]
            return len(found) == 1 and include in {term.lstrip("+") for term in found[0].lower().split()}
        case "dkim" | "dkim_next":
            key = _tags(record.value)["p"]
            return len(found) == 1 and _tags(found[0]).get("p") == key
        case "dmarc":
            return len(found) == 1 and _tags(found[0]).get("p", "").lower() in {"none", "quarantine", "reject"}
        case "return_path":
            return found == [record.value]


def _tags(text: str) -> dict[str, str]:
    """The tags of a DKIM or DMARC record; white space within a value does not count (RFC 6376, section 3.2)."""
    return {name.lower(): re.sub(r"\s", "", value) for name, value in _TAG.findall(text)}


def store(tx: Tx, row: DomainRow, checked: list[Checked]) -> DomainRow | None:
    """Record a check; the domain as it is now, or None when another check was stored since `row` was read.

    A signing key whose record was seen takes the place of the present one, whose record is no longer wanted.
    A name that another account has verified is not verified a second time: the error says so.
    """
    is_rotated = any(c.record.purpose == "dkim_next" and c.finding == "valid" for c in checked)
    if is_rotated:
        checked = [_as_present(c) for c in checked if c.record.purpose != "dkim"]
    wanting = [c for c in checked if c.record.is_required and c.finding != "valid"]
    lacking = [c for c in wanting if c.finding != "unreachable"]
    error = "; ".join(f"{c.record.type} {c.record.name} is {c.finding}" for c in wanting) or None
    values = {
        "id": row.id,
        "attempts": row.dns_verification_attempts,
        "results": jsonb({c.record.purpose: {"finding": c.finding, "found": c.found} for c in checked}),
        "error": error,
        "complete": not wanting,
        "lacking": bool(lacking),
        "until_lost": CHECKS_UNTIL_LOST,
        "is_rotated": is_rotated,
        "next_selector": row.next_dkim_selector,
    }
    try:
        with tx.savepoint():
            return _store(tx, values)
    except UniqueViolation:
        taken = "another account has verified this domain; remove it there first"
        return _store(tx, {**values, "complete": False, "lacking": True, "error": taken})


def _as_present(checked: Checked) -> Checked:
    """What was found of the next key, said of the present one."""
    if checked.record.purpose != "dkim_next":
        return checked
    return replace(checked, record=replace(checked.record, purpose="dkim", is_required=True))


def _store(tx: Tx, values: dict[str, Any]) -> DomainRow | None:
    # A verified domain is asked once a day, or hourly while something lacks; others hourly for a week after they were added
    # or were last whole: mails wait for three days for a lost one.
    stored = tx.one(
        """
        UPDATE domains
        SET dns_results = %(results)s, dns_verification_error = %(error)s,
            dns_verification_attempts = dns_verification_attempts + 1,
            failed_checks = CASE WHEN %(complete)s THEN 0 WHEN %(lacking)s THEN failed_checks + 1 ELSE failed_checks END,
            verification_status = CASE
              WHEN %(complete)s THEN 'verified'
              WHEN verification_status = 'verified' AND %(lacking)s AND failed_checks + 1 >= %(until_lost)s THEN 'failed'
              ELSE verification_status END,
            verified_at = CASE WHEN %(complete)s AND verification_status <> 'verified' THEN now() ELSE verified_at END,
            dns_last_verified_at = CASE WHEN %(complete)s THEN now() ELSE dns_last_verified_at END,
            dkim_selector = CASE WHEN %(is_rotated)s THEN next_dkim_selector ELSE dkim_selector END,
            dkim_public_key = CASE WHEN %(is_rotated)s THEN next_dkim_public_key ELSE dkim_public_key END,
            secret_ref = CASE WHEN %(is_rotated)s THEN next_secret_ref ELSE secret_ref END,
            previous_dkim_selector = CASE WHEN %(is_rotated)s THEN dkim_selector ELSE previous_dkim_selector END,
            old_secret_ref = CASE WHEN %(is_rotated)s THEN secret_ref ELSE old_secret_ref END,
            dkim_rotated_at = CASE WHEN %(is_rotated)s THEN now() ELSE dkim_rotated_at END,
            next_dkim_selector = CASE WHEN NOT %(is_rotated)s THEN next_dkim_selector END,
            next_dkim_public_key = CASE WHEN NOT %(is_rotated)s THEN next_dkim_public_key END,
            next_secret_ref = CASE WHEN NOT %(is_rotated)s THEN next_secret_ref END,
            dkim_rotation_began_at = CASE WHEN NOT %(is_rotated)s THEN dkim_rotation_began_at END,
            next_check_at = CASE
              WHEN NOT %(is_rotated)s AND dkim_rotation_began_at > now() - interval '7 days' THEN now() + interval '1 hour'
              WHEN %(complete)s THEN now() + interval '1 day'
              WHEN verification_status = 'verified' OR greatest(created_at, dns_last_verified_at) > now() - interval '7 days'
                THEN now() + interval '1 hour'
              ELSE NULL END
        WHERE id = %(id)s AND dns_verification_attempts = %(attempts)s
          AND next_dkim_selector IS NOT DISTINCT FROM %(next_selector)s
        RETURNING id
        """,
        values,
    )
    return None if stored is None else find_domain(tx, stored)


def find_domain(tx: Tx, domain_id: UUID) -> DomainRow | None:
    """One domain."""
    return tx.one(SELECT + " WHERE id = %(id)s", {"id": domain_id}, DomainRow)
