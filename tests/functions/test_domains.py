"""Domains: added with a key of their own, verified by what DNS says, given up when DNS no longer says it."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from check_domains.app import handler as check_domains
from domains.app import handler
from local.services.dns import DnsSandbox
from penguinmails.db import transaction
from penguinmails.vault import VaultRefused, read_secret, secret_path
from tests.support.http import Answer, call
from tests.support.queues import run_job
from tests.support.tenants import TestKey, TestTenant, make_tenant

DOMAINS = "/api/v1/domains"
REQUIRED = {"ownership", "dkim", "spf"}


def some_name() -> str:
    return f"d{uuid4().hex[:12]}.example.com"


def add(key: TestKey, domain: str | None = None, **fields: Any) -> Answer:
    return call(handler, "POST", DOMAINS, token=key.plaintext, json={"domain": domain or some_name(), **fields})


def verify(key: TestKey, domain_id: str) -> dict[str, Any]:
    answer = call(handler, "POST", f"{DOMAINS}/{domain_id}/verify", token=key.plaintext)
    assert answer.status == 200, answer.body
    return answer.json


def show(key: TestKey, domain_id: str) -> dict[str, Any]:
    return call(handler, "GET", f"{DOMAINS}/{domain_id}", token=key.plaintext).json


def publish(sandbox: DnsSandbox, domain: dict[str, Any], *purposes: str) -> None:
    for record in domain["dns_records"]:
        if not purposes or record["purpose"] in purposes:
            sandbox.publish(record["name"], record["type"], record["value"])


def finding(domain: dict[str, Any], purpose: str) -> str:
    return next(record["status"] for record in domain["dns_records"] if record["purpose"] == purpose)


def make_due(tenant: TestTenant, assignments: str = "") -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(f"UPDATE domains SET next_check_at = now() - interval '1 year'{assignments}", {})  # type: ignore[arg-type]  # noqa: S608 - texts of this file


def history(tenant: TestTenant) -> list[str]:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.all("SELECT event FROM audit_log WHERE event LIKE 'domain%%' ORDER BY created_at, id", {})


def test_a_new_domain_is_pending_and_says_what_to_publish(key: TestKey) -> None:
    name = some_name()

    made = add(key, name)

    assert made.status == 201
    assert made.json["verification_status"] == "pending"
    records = {record["purpose"]: record for record in made.json["dns_records"]}
    assert {purpose for purpose, record in records.items() if record["required"]} == REQUIRED
    assert {record["status"] for record in records.values()} == {"unchecked"}
    assert records["dkim"]["name"] == f"pm1._domainkey.{name}"
    assert records["spf"]["value"] == "v=spf1 include:spf.penguinmails.com ~all"
    dns = call(handler, "GET", f"{DOMAINS}/{made.json['id']}/dns", token=key.plaintext)
    assert dns.json == {"domain": name, "records": made.json["dns_records"]}


def test_a_plan_allows_so_many_domains(tenant: TestTenant, key: TestKey) -> None:
    with transaction(role="jobs") as tx:
        tx.run(
            "INSERT INTO tenant_overrides (tenant_id, limits, reason) VALUES (%(id)s, '{\"max_domains\": 1}', 'test')",
            {"id": tenant.id},
        )
    assert add(key).status == 201

    refused = add(key)

    assert (refused.status, refused.json["code"]) == (403, "QUOTA_EXCEEDED")
    assert "allows 1 domains" in refused.json["detail"]
    assert add(tenant.key(mode="test")).status == 201


@pytest.mark.parametrize(("plan", "allowed"), [("free", 0), ("starter", 5), ("pro", 15), ("business", None)])
def test_how_many_domains_each_plan_allows(plan: str, allowed: int | None) -> None:
    tenant = make_tenant(plan)
    with transaction(tenant_id=tenant.id) as tx:
        found = tx.one("SELECT max_domains FROM tenant_limits WHERE tenant_id = %(id)s", {"id": tenant.id})
    assert found == allowed


def test_the_published_key_is_rsa_2048_and_its_private_half_is_in_no_table(tenant: TestTenant, key: TestKey) -> None:
    import base64

    made = add(key).json
    value = next(record["value"] for record in made["dns_records"] if record["purpose"] == "dkim")

    public: Any = load_der_public_key(base64.b64decode(value.partition("p=")[2]))
    assert public.key_size == 2048
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        row = tx.one("SELECT to_jsonb(d)::text AS row FROM domains d", {})
    assert "PRIVATE" not in row
    # The API writes keys and may read none.
    with pytest.raises(VaultRefused):
        read_secret(secret_path("dkim", str(tenant.id), made["id"]))


def test_a_domain_is_verified_once_all_required_records_are_found(
    tenant: TestTenant, key: TestKey, dns_sandbox: DnsSandbox
) -> None:
    made = add(key).json
    publish(dns_sandbox, made, "ownership", "spf")

    waiting = verify(key, made["id"])

    assert (waiting["verification_status"], finding(waiting, "dkim")) == ("pending", "missing")
    assert "pm1._domainkey" in waiting["verification_error"]

    publish(dns_sandbox, made, "dkim")
    done = verify(key, made["id"])

    assert done["verification_status"] == "verified"
    assert done["verification_error"] is None
    assert done["verified_at"] is not None
    assert [finding(done, purpose) for purpose in ("dmarc", "return_path")] == ["missing", "missing"]
    assert done["verification_attempts"] == 2
    assert history(tenant) == ["domain_added", "domain_verified"]


def test_recommended_records_are_checked_too(key: TestKey, dns_sandbox: DnsSandbox) -> None:
    made = add(key).json
    publish(dns_sandbox, made)

    done = verify(key, made["id"])

    assert {record["status"] for record in done["dns_records"]} == {"valid"}


@pytest.mark.parametrize(
    ("purpose", "published", "expected"),
    [
        ("spf", ["v=spf1 mx include:spf.penguinmails.com -all"], "valid"),
        ("spf", ["google-site-verification=x", "v=spf1 +include:spf.penguinmails.com -all"], "valid"),
        ("spf", ["v=spf1 mx -all"], "invalid"),
        ("spf", ["v=spf1 include:spf.penguinmails.com ~all", "v=spf1 mx -all"], "invalid"),
        ("spf", ["v=spf10 include:spf.penguinmails.com"], "missing"),
        ("dmarc", ["v=DMARC1; p=reject; rua=mailto:a@example.com"], "valid"),
        ("dmarc", ["v=DMARC1; rua=mailto:a@example.com"], "invalid"),
        ("dkim", ["v=DKIM1; k=rsa; p=bm90IG91ciBrZXk="], "invalid"),
        ("ownership", ["penguinmails=somebody-else"], "invalid"),
    ],
)
def test_a_record_is_judged_as_receivers_judge_it(
    key: TestKey, dns_sandbox: DnsSandbox, purpose: str, published: list[str], expected: str
) -> None:
    made = add(key).json
    name = next(record["name"] for record in made["dns_records"] if record["purpose"] == purpose)
    dns_sandbox.publish(name, "TXT", *published)

    assert finding(verify(key, made["id"]), purpose) == expected


def test_a_dkim_key_may_be_published_with_spaces_in_it(key: TestKey, dns_sandbox: DnsSandbox) -> None:
    made = add(key).json
    record = next(record for record in made["dns_records"] if record["purpose"] == "dkim")
    head, _, value = record["value"].partition("p=")
    dns_sandbox.publish(record["name"], "TXT", f"{head}p={value[:100]} {value[100:]}")

    assert finding(verify(key, made["id"]), "dkim") == "valid"


def test_name_servers_that_do_not_answer_count_neither_for_nor_against_a_domain(
    tenant: TestTenant, key: TestKey
) -> None:
    made = add(key, f"{uuid4().hex[:12]}.unreachable.example").json
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE domains SET verification_status = 'verified', failed_checks = 2", {})

    seen = verify(key, made["id"])

    assert finding(seen, "ownership") == "unreachable"
    assert seen["verification_status"] == "verified"


@pytest.mark.parametrize("written", ["bücher.example", "BÜCHER.example.", "xn--bcher-kva.example"])
def test_an_international_domain_is_taken_in_each_form(key: TestKey, written: str) -> None:
    made = add(key, written)

    assert (made.json["domain"], made.json["display_name"]) == ("xn--bcher-kva.example", "bücher.example")
    listed = call(handler, "GET", DOMAINS, token=key.plaintext, query={"domain": written})
    assert [domain["id"] for domain in listed.json["data"]] == [made.json["id"]]


@pytest.mark.parametrize(
    "written",
    ["localhost", "192.0.2.7", "a b.example", "me@example.com", "a..example", "penguinmails.com", "x.penguinmails.com"],
)
def test_what_is_no_domain_of_the_account_s_own_is_refused(key: TestKey, written: str) -> None:
    refused = add(key, written)

    assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")
    assert refused.json["errors"][0]["field"] == "domain"


def test_an_account_has_a_domain_once(key: TestKey) -> None:
    name = some_name()
    add(key, name)

    assert add(key, name.upper()).status == 409


def test_a_workspace_that_is_not_there_is_named(key: TestKey) -> None:
    refused = add(key, workspace_id=str(uuid4()))

    assert (refused.status, refused.json["errors"][0]["field"]) == (400, "workspace_id")


def test_a_domain_is_verified_for_one_account_alone(
    key: TestKey, other_tenant: TestTenant, dns_sandbox: DnsSandbox
) -> None:
    """Both publish what they were told, so both have access to the DNS; the first to prove it stays."""
    other = other_tenant.key()
    first = add(key, (name := some_name())).json
    second = add(other, name).json
    publish(dns_sandbox, first)
    assert verify(key, first["id"])["verification_status"] == "verified"
    publish(dns_sandbox, second)

    refused = verify(other, second["id"])

    assert refused["verification_status"] == "pending"
    assert "another account" in refused["verification_error"]


def test_a_domain_is_checked_by_itself_and_lost_after_three_checks_in_a_row(
    tenant: TestTenant, key: TestKey, dns_sandbox: DnsSandbox
) -> None:
    made = add(key).json
    publish(dns_sandbox, made)
    make_due(tenant)
    run_job(check_domains)
    assert show(key, made["id"])["verification_status"] == "verified"

    dns_sandbox.publish(next(r["name"] for r in made["dns_records"] if r["purpose"] == "ownership"), "TXT")
    states: list[str] = []
    for _ in range(3):
        make_due(tenant)
        run_job(check_domains)
        states.append(show(key, made["id"])["verification_status"])

    assert states == ["verified", "verified", "failed"]
    assert history(tenant) == ["domain_added", "domain_verified", "domain_lost"]

    publish(dns_sandbox, made, "ownership")
    assert verify(key, made["id"])["verification_status"] == "verified"


def test_a_domain_that_nobody_finishes_is_left_alone_after_a_week(tenant: TestTenant, key: TestKey) -> None:
    made = add(key).json
    make_due(tenant, ", created_at = now() - interval '8 days'")

    run_job(check_domains)

    assert show(key, made["id"])["next_check_at"] is None


def test_a_lost_domain_that_is_repaired_is_found_so_by_itself(
    tenant: TestTenant, key: TestKey, dns_sandbox: DnsSandbox
) -> None:
    made = add(key).json
    publish(dns_sandbox, made)
    lost = ", verification_status = 'failed', created_at = now() - interval '1 year', dns_last_verified_at = now()"

    for days, is_asked_again in ((6, True), (8, False)):
        dns_sandbox.publish(next(r["name"] for r in made["dns_records"] if r["purpose"] == "ownership"), "TXT")
        make_due(tenant, f"{lost} - interval '{days} days'")
        run_job(check_domains)
        assert (show(key, made["id"])["next_check_at"] is not None) is is_asked_again

    publish(dns_sandbox, made, "ownership")
    make_due(tenant)
    run_job(check_domains)
    assert show(key, made["id"])["verification_status"] == "verified"


def test_a_check_that_was_overtaken_is_not_stored(tenant: TestTenant, key: TestKey) -> None:
    from penguinmails.domain.sending_domains import check, find_domain, store

    made = add(key).json

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        row = find_domain(tx, UUID(made["id"]))
    assert row is not None
    verify(key, made["id"])

    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert store(tx, row, check(row)) is None


def test_a_deleted_domain_comes_back_with_new_records(key: TestKey) -> None:
    made = add(key).json
    etag = call(handler, "GET", f"{DOMAINS}/{made['id']}", token=key.plaintext).headers["etag"]
    verify(key, made["id"])
    path = f"{DOMAINS}/{made['id']}"

    assert call(handler, "DELETE", path, token=key.plaintext, headers={"If-Match": etag}).status == 412
    assert call(handler, "DELETE", path, token=key.plaintext).json == {"deleted": True, "id": made["id"]}
    assert call(handler, "GET", path, token=key.plaintext).status == 404
    again = add(key, made["domain"])
    assert again.status == 201
    assert again.json["dns_records"][0]["value"] != made["dns_records"][0]["value"]
