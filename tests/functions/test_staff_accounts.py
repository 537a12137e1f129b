"""What staff see of accounts, and what they change: in force on the next request, and in the account's audit log."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from contacts.app import handler as contacts
from me.app import handler as me
from penguinmails.auth.principal import PLATFORM_TENANT_ID
from penguinmails.cache import CacheUnavailable
from penguinmails.db import transaction
from penguinmails.domain import key_changes
from tests.support.http import call
from tests.support.people import Person, signed_in
from tests.support.staff import StaffPerson, staff
from tests.support.tenants import TestKey, TestTenant, make_tenant

WHY = {"reason": "The invoice of May is unpaid."}


@pytest.fixture
def admin() -> StaffPerson:
    return staff("admin")


def rename(tenant: TestTenant, name: str) -> str:
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE tenants SET name = %(name)s", {"name": name})
        return tx.one("SELECT email FROM users WHERE role = 'owner'", {})


def history(tenant_id: UUID) -> list[dict[str, Any]]:
    with transaction(tenant_id=tenant_id) as tx:
        return tx.all("SELECT row_to_json(a) FROM audit_log a WHERE actor_type = 'staff' ORDER BY created_at", {})


def rate_limit_of(key: TestKey) -> int:
    return call(me, "GET", "/api/v1/me", token=key.plaintext).json["rate_limit"]["requests_per_minute"]


def add_contact(token: str) -> int:
    return call(contacts, "POST", "/api/v1/contacts", token=token, json={"email": f"{uuid4().hex}@example.com"}).status


def test_accounts_are_found_by_a_part_of_the_name_by_id_and_by_an_address(
    admin: StaffPerson, tenant: TestTenant
) -> None:
    name = f"Searched {uuid4().hex}"
    email = rename(tenant, name)

    for search in (name[9:20].upper(), str(tenant.id), email.upper()):
        found = admin.call("GET", "/tenants", query={"search": search}).json["data"]
        assert [item["id"] for item in found] == [str(tenant.id)]
        assert found[0]["owner"] == {"name": "Olive Owner", "email": email}
    assert admin.call("GET", "/tenants", query={"search": email[:-1]}).json["data"] == []


def test_support_sees_no_names_and_addresses_and_cannot_ask_whose_an_address_is(tenant: TestTenant) -> None:
    support = staff("support")
    email = rename(tenant, f"Masked {uuid4().hex}")

    shown = support.call("GET", "/tenants", query={"search": str(tenant.id)})
    details = support.call("GET", f"/tenants/{tenant.id}")

    assert shown.json["data"][0]["owner"] == details.json["owner"] == {"name": None, "email": f"{email[0]}***@e***"}
    assert email not in shown.body + details.body
    assert support.call("GET", "/tenants", query={"search": email}).json["data"] == []


def test_lists_are_paged_and_filtered(admin: StaffPerson) -> None:
    mark = uuid4().hex
    tenants = [make_tenant("pro") for _ in range(3)]
    for number, tenant in enumerate(tenants):
        rename(tenant, f"{mark} {number}")
    admin.confirmed("POST", f"/tenants/{tenants[1].id}/suspend", json=WHY)
    order = {"search": mark, "sort_by": "name", "order": "asc", "limit": 2}

    first = admin.call("GET", "/tenants", query=order).json
    second = admin.call("GET", "/tenants", query={**order, "cursor": first["pagination"]["next_cursor"]}).json
    suspended = admin.call("GET", "/tenants", query={"search": mark, "status": "suspended", "plan": "pro"}).json
    counted = admin.call("GET", "/tenants", query={"search": mark, "offset": 1}).json["pagination"]

    assert [item["name"][-1] for item in first["data"] + second["data"]] == ["0", "1", "2"]
    assert second["pagination"]["has_more"] is False
    assert [item["id"] for item in suspended["data"]] == [str(tenants[1].id)]
    assert counted["total"] == 3
    assert admin.call("GET", "/tenants", query={"search": mark, "plan": "starter"}).json["data"] == []


def test_the_platform_itself_is_no_account(admin: StaffPerson) -> None:
    assert admin.call("GET", "/tenants", query={"search": str(PLATFORM_TENANT_ID)}).json["data"] == []
    assert admin.call("GET", f"/tenants/{PLATFORM_TENANT_ID}").status == 404
    assert admin.confirmed("POST", f"/tenants/{PLATFORM_TENANT_ID}/suspend", json=WHY).status == 404


def test_an_account_is_shown_with_limits_and_usage_and_the_look_is_recorded(admin: StaffPerson) -> None:
    tenant = make_tenant("pro")
    key = tenant.key()
    assert [add_contact(key.plaintext) for _ in range(2)] == [201, 201]

    shown = admin.call("GET", f"/tenants/{tenant.id}").json

    assert shown["limits"]["api_rate_limit"] == 300
    assert shown["overrides"] is None
    assert shown["usage"] == {"users": 1, "active_api_keys": 1, "contacts": 2, "webhooks": 0, "emails_this_month": 0}
    (look,) = history(tenant.id)
    assert (look["event"], look["actor_id"]) == ("account_viewed", str(admin.id))


def test_a_list_is_recorded_in_the_platforms_own_log(admin: StaffPerson) -> None:
    admin.call("GET", "/tenants", query={"limit": 1})

    listed = [row for row in history(PLATFORM_TENANT_ID) if row["actor_id"] == str(admin.id)]
    assert [(row["event"], row["details"]) for row in listed] == [("accounts_listed", {"shown": 1})]


def test_a_suspension_and_its_end_hold_on_the_next_request_of_keys_and_sessions(
    admin: StaffPerson, tenant: TestTenant, key: TestKey
) -> None:
    owner: Person = signed_in(tenant)
    tokens = (key.plaintext, owner.access_token)
    assert [add_contact(token) for token in tokens] == [201, 201]

    suspended = admin.confirmed("POST", f"/tenants/{tenant.id}/suspend", json=WHY)

    assert (suspended.status, suspended.json["status"], suspended.json["status_reason"]) == (
        200, "suspended", WHY["reason"],
    )  # fmt: skip
    assert [add_contact(token) for token in tokens] == [403, 403]
    assert call(me, "GET", "/api/v1/me", token=key.plaintext).status == 200

    reinstated = admin.confirmed("POST", f"/tenants/{tenant.id}/reinstate", json={"reason": "It was paid."})

    assert reinstated.json["status"] == "active"
    assert [add_contact(token) for token in tokens] == [201, 201]
    assert [(row["event"], row["actor_id"], row["details"], row["severity"]) for row in history(tenant.id)] == [
        ("account_suspended", str(admin.id), WHY, "warning"),
        ("account_reinstated", str(admin.id), {"reason": "It was paid."}, "warning"),
    ]


@pytest.mark.parametrize("action", ["suspend", "reinstate"])
def test_a_closed_account_is_neither_suspended_nor_reinstated(
    action: str, admin: StaffPerson, tenant: TestTenant
) -> None:
    with transaction(tenant_id=tenant.id) as tx:
        tx.run("UPDATE tenants SET status = 'canceled'", {})

    answer = admin.confirmed("POST", f"/tenants/{tenant.id}/{action}", json=WHY)

    assert (answer.status, answer.code) == (409, "INVALID_STATE_TRANSITION")
    assert history(tenant.id) == []


def test_another_plan_holds_on_the_next_request(admin: StaffPerson) -> None:
    tenant = make_tenant("starter")
    key = tenant.key()
    assert rate_limit_of(key) == 60

    answer = admin.confirmed("PUT", f"/tenants/{tenant.id}/plan", json={"plan": "pro", **WHY})

    assert (answer.status, answer.json["plan"]) == (200, "pro")
    assert rate_limit_of(key) == 300
    (row,) = history(tenant.id)
    assert (row["event"], row["details"]) == ("account_plan_changed", {"from": "starter", "to": "pro", **WHY})


def test_the_plans_are_listed_with_their_limits(admin: StaffPerson) -> None:
    plans = admin.call("GET", "/plans").json["data"]

    assert [plan["slug"] for plan in plans] == ["free", "starter", "pro", "business", "enterprise"]
    assert (plans[2]["api_rate_limit"], plans[2]["price_monthly_cents"], plans[4]["max_contacts"]) == (
        300,
        14_900,
        None,
    )


def test_a_plan_that_is_not_sold_is_refused(admin: StaffPerson, tenant: TestTenant) -> None:
    answer = admin.confirmed("PUT", f"/tenants/{tenant.id}/plan", json={"plan": "platinum", **WHY})

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "plan")


def test_overrides_win_over_the_plan_until_they_are_cleared(admin: StaffPerson) -> None:
    tenant = make_tenant("starter")
    key, path = tenant.key(), f"/tenants/{tenant.id}/overrides"
    assert rate_limit_of(key) == 60
    limits = {"api_rate_limit": 90, "max_webhooks": 0}

    answer = admin.confirmed("PUT", path, json={**limits, **WHY})

    assert (answer.json["overrides"]["limits"], answer.json["overrides"]["reason"]) == (limits, WHY["reason"])
    assert (answer.json["limits"]["api_rate_limit"], answer.json["limits"]["api_burst_limit"]) == (90, 100)
    assert answer.json["limits"]["max_webhooks"] == 0
    assert rate_limit_of(key) == 90

    replaced = admin.confirmed("PUT", path, json={"max_contacts": 5, **WHY})
    assert replaced.json["overrides"]["limits"] == {"max_contacts": 5}
    assert rate_limit_of(key) == 60

    cleared = admin.confirmed("DELETE", path, query=WHY)
    assert (cleared.json["overrides"], cleared.json["limits"]["max_contacts"]) == (None, 10_000)
    assert [row["event"] for row in history(tenant.id)] == [
        "account_limits_set", "account_limits_set", "account_limits_cleared",
    ]  # fmt: skip


def test_a_burst_below_the_rate_is_refused_and_nothing_changed(admin: StaffPerson) -> None:
    tenant = make_tenant("starter")

    answer = admin.confirmed("PUT", f"/tenants/{tenant.id}/overrides", json={"api_rate_limit": 101, **WHY})

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "api_burst_limit")
    assert admin.call("GET", f"/tenants/{tenant.id}").json["overrides"] is None


@pytest.mark.parametrize(
    ("method", "action", "body"),
    [
        ("POST", "suspend", {}),
        ("POST", "reinstate", {"reason": "  "}),
        ("PUT", "plan", {"plan": "pro"}),
        ("PUT", "overrides", {"max_contacts": 1}),
        ("DELETE", "overrides", None),
    ],
)
def test_every_change_says_why(
    method: str, action: str, body: dict[str, Any] | None, admin: StaffPerson, tenant: TestTenant
) -> None:
    answer = admin.confirmed(method, f"/tenants/{tenant.id}/{action}", json=body)

    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "reason")


def test_a_change_that_the_cache_was_not_told_of_is_stored_and_said_to_be_pending(
    admin: StaffPerson, tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise CacheUnavailable

    headers = admin.step_up()
    with monkeypatch.context() as patch:
        patch.setattr(key_changes, "bury", away)
        pending = admin.call("POST", f"/tenants/{tenant.id}/suspend", headers=headers, json=WHY)

    assert (pending.status, pending.code) == (503, "REVOCATION_PENDING")
    assert int(pending.headers["retry-after"]) > 0
    assert admin.call("GET", f"/tenants/{tenant.id}").json["status"] == "suspended"
    assert admin.call("POST", f"/tenants/{tenant.id}/suspend", headers=headers, json=WHY).status == 200
