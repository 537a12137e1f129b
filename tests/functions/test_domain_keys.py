"""A domain's signing key is replaced without a mail in between that nobody can check."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import dkim
import pytest

from check_domains.app import handler as check_domains
from domains.app import handler
from emails.app import handler as emails
from local.services.dns import DnsSandbox
from local.services.mail import MailCatcher
from penguinmails.db import transaction
from penguinmails.vault import read_secret
from send_emails.app import handler as send_emails
from tests.functions.test_domains import DOMAINS, add, history, make_due, publish, show, verify
from tests.support.http import Answer, call
from tests.support.queues import consume, messages_for, run_job
from tests.support.tenants import TestKey, TestTenant
from tests.support.vaults import AsSender

SentMail = Callable[[dict[str, Any]], str]


@pytest.fixture
def domain(key: TestKey, dns_sandbox: DnsSandbox) -> dict[str, Any]:
    """Verified, with all its records."""
    made = add(key).json
    publish(dns_sandbox, made)
    return verify(key, made["id"])


@pytest.fixture
def selector_of_a_mail(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher, as_sender: AsSender, dns_sandbox: DnsSandbox
) -> SentMail:
    """Sends a mail from the domain, checks its signature as a receiver does, and says whose key it was."""

    def send(domain: dict[str, Any]) -> str:
        to = f"{uuid4().hex}@example.com"
        body = {"to": to, "from": f"grace@{domain['domain']}", "subject": "Hello", "text_body": "Hello"}
        assert call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body).status == 200
        with as_sender():
            assert consume(send_emails, *messages_for("emails", tenant.id)) == []
        (mail,) = mail_catcher.mails_to(to)
        records = {r["name"]: r["value"] for r in show(key, domain["id"])["dns_records"] if r["status"] == "valid"}
        asked: list[str] = []

        def texts(name: bytes, timeout: int = 5) -> bytes:
            asked.append(name.decode().rstrip("."))
            return records[asked[-1]].encode()

        assert dkim.verify(mail.content, dnsfunc=texts)
        return asked[0].partition(".")[0]

    return send


def rotate(key: TestKey, domain: dict[str, Any], method: str = "POST") -> Answer:
    return call(handler, method, f"{DOMAINS}/{domain['id']}/rotate-dkim", token=key.plaintext)


def paths(tenant: TestTenant) -> list[str]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        found = tx.one("SELECT ARRAY[secret_ref, next_secret_ref, old_secret_ref] FROM domains", {})
    return [path for path in found if path is not None]


def test_mail_is_signed_with_the_old_key_until_the_new_record_was_seen(
    tenant: TestTenant, key: TestKey, domain: dict[str, Any], dns_sandbox: DnsSandbox, selector_of_a_mail: SentMail
) -> None:
    begun = rotate(key, domain)
    assert (begun.status, begun.json["dkim_selector"], begun.json["next_dkim_selector"]) == (200, "pm1", "pm2")
    assert verify(key, domain["id"])["verification_status"] == "verified", "its absence takes nothing from the domain"
    assert selector_of_a_mail(domain) == "pm1"

    publish(dns_sandbox, begun.json, "dkim_next")
    rotated = verify(key, domain["id"])

    assert (rotated["dkim_selector"], rotated["next_dkim_selector"]) == ("pm2", None)
    assert selector_of_a_mail(domain) == "pm2"
    assert history(tenant)[-2:] == ["domain_dkim_rotation_begun", "domain_dkim_rotated"]


def test_the_hourly_check_goes_over_to_the_new_key_by_itself(
    tenant: TestTenant, key: TestKey, domain: dict[str, Any], dns_sandbox: DnsSandbox, selector_of_a_mail: SentMail
) -> None:
    publish(dns_sandbox, rotate(key, domain).json, "dkim_next")
    make_due(tenant)
    run_job(check_domains)

    assert show(key, domain["id"])["dkim_selector"] == "pm2"
    assert selector_of_a_mail(domain) == "pm2"
    assert history(tenant)[-1] == "domain_dkim_rotated"


def test_dns_is_asked_hourly_while_a_key_waits(tenant: TestTenant, key: TestKey, domain: dict[str, Any]) -> None:
    rotate(key, domain)
    verify(key, domain["id"])

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.one("SELECT next_check_at < now() + interval '61 minutes' FROM domains", {})


def test_the_old_record_may_go_after_a_week_and_is_not_missed(
    tenant: TestTenant, key: TestKey, domain: dict[str, Any], dns_sandbox: DnsSandbox
) -> None:
    publish(dns_sandbox, rotate(key, domain).json, "dkim_next")
    rotated = verify(key, domain["id"])
    assert rotated["previous_dkim_record"]["name"] == f"pm1._domainkey.{domain['domain']}"

    dns_sandbox.publish(rotated["previous_dkim_record"]["name"], "TXT")
    assert verify(key, domain["id"])["verification_error"] is None
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE domains SET dkim_rotated_at = now() - interval '8 days'", {})
    assert show(key, domain["id"])["previous_dkim_record"] is None


def test_a_replaced_key_is_deleted_from_vault(
    tenant: TestTenant, key: TestKey, domain: dict[str, Any], dns_sandbox: DnsSandbox, as_sender: AsSender
) -> None:
    begun = rotate(key, domain).json
    old, new = paths(tenant)
    publish(dns_sandbox, begun, "dkim_next")
    verify(key, domain["id"])

    assert paths(tenant) == [new]
    with as_sender():
        assert read_secret(old) is None
        assert read_secret(new) is not None


def test_a_new_key_can_be_given_up(
    tenant: TestTenant, key: TestKey, domain: dict[str, Any], as_sender: AsSender, selector_of_a_mail: SentMail
) -> None:
    rotate(key, domain)
    _, new = paths(tenant)

    kept = rotate(key, domain, "DELETE")

    assert (kept.status, kept.json["next_dkim_selector"]) == (200, None)
    assert "dkim_next" not in {record["purpose"] for record in kept.json["dns_records"]}
    with as_sender():
        assert read_secret(new) is None
    assert selector_of_a_mail(domain) == "pm1"
    assert rotate(key, domain).json["next_dkim_selector"] == "pm2"


def test_what_is_out_of_turn_is_refused_with_what_to_do(key: TestKey, domain: dict[str, Any]) -> None:
    none_waits = rotate(key, domain, "DELETE")
    rotate(key, domain)
    waits = rotate(key, domain)
    unverified = rotate(key, add(key).json)

    assert [answer.status for answer in (none_waits, waits, unverified)] == [409] * 3
    assert "POST on this path" in none_waits.json["detail"]
    assert "dkim_next" in waits.json["detail"]
    assert "Verify the domain first" in unverified.json["detail"]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_an_unknown_domain_is_404(key: TestKey, method: str) -> None:
    assert rotate(key, {"id": uuid4()}, method).status == 404


def test_deleting_the_domain_deletes_the_key_that_waits(
    tenant: TestTenant, key: TestKey, domain: dict[str, Any], as_sender: AsSender
) -> None:
    rotate(key, domain)
    both = paths(tenant)
    assert call(handler, "DELETE", f"{DOMAINS}/{domain['id']}", token=key.plaintext).status == 200

    with as_sender():
        assert [read_secret(path) for path in both] == [None, None]


def test_a_check_that_was_under_way_when_the_rotation_began_is_not_stored(
    tenant: TestTenant, key: TestKey, domain: dict[str, Any]
) -> None:
    from penguinmails.domain.sending_domains import check, find_domain, store

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        row = find_domain(tx, UUID(domain["id"]))
    assert row is not None
    rotate(key, domain)

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert store(tx, row, check(row)) is None
