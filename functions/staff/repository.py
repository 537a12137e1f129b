"""SQL of staff: accounts across tenants, one account from within, and the members of staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from penguinmails.auth.principal import PLATFORM_TENANT_ID, StaffRole
from penguinmails.db import Tx, jsonb
from penguinmails.keyset import Conditions, Keyset, select_page

TENANT_COLUMNS: dict[str, LiteralString] = {"created_at": "t.created_at", "name": "t.name"}
MEMBER_COLUMNS: dict[str, LiteralString] = {"created_at": "m.created_at", "email": "u.email"}
KINDS = {"created_at": "time", "name": "text", "email": "text"}

_TENANTS: LiteralString = """
SELECT t.id, t.name, t.status, t.status_reason, t.created_at, s.plan_slug AS plan, s.status AS subscription_status,
       o.name AS owner_name, o.email AS owner_email
FROM tenants t
JOIN subscriptions s ON s.tenant_id = t.id
LEFT JOIN LATERAL (
  SELECT u.name, u.email FROM users u
  WHERE u.tenant_id = t.id AND u.role = 'owner' AND u.deleted_at IS NULL ORDER BY u.created_at, u.id LIMIT 1
) o ON true"""

_MEMBERS: LiteralString = """
SELECT m.user_id AS id, u.email, u.name, m.role, m.grants, m.is_active, m.created_at,
       coalesce(c.totp_confirmed_at IS NOT NULL, false) AS has_second_factor
FROM staff_members m
JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
LEFT JOIN user_credentials c ON c.tenant_id = m.tenant_id AND c.user_id = m.user_id"""


@dataclass(frozen=True, slots=True)
class TenantRow:
    """An account with its first owner."""

    id: UUID
    name: str
    status: str
    status_reason: str | None
    created_at: datetime
    plan: str
    subscription_status: str
    owner_name: str | None
    owner_email: str | None


@dataclass(frozen=True, slots=True)
class LimitsRow:
    """The limits that hold for an account."""

    api_access: bool
    api_rate_limit: int
    api_burst_limit: int
    send_rate_per_second: int
    max_contacts: int | None
    max_emails_per_month: int | None
    max_webhooks: int
    max_domains: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow(LimitsRow):
    """What is sold."""

    slug: str
    name: str
    price_monthly_cents: int | None
    is_active: bool


@dataclass(frozen=True, slots=True)
class OverridesRow:
    """What staff have set for an account."""

    limits: dict[str, int]
    reason: str
    set_at: datetime


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What an account uses."""

    users: int
    active_api_keys: int
    contacts: int
    webhooks: int
    emails_this_month: int


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member of staff."""

    id: UUID
    email: str
    name: str
    role: StaffRole
    grants: list[str]
    is_active: bool
    created_at: datetime
    has_second_factor: bool


def list_tenants(
    tx: Tx, keyset: Keyset, *, search: str | None, by_address: bool, status: str | None, plan: str | None
) -> tuple[list[TenantRow], int | None]:
    """A page of accounts. `search` is a part of the name, the id, or, with `by_address`, somebody's whole address."""
    where = Conditions()
    where.add("t.id <> %(platform)s", platform=PLATFORM_TENANT_ID)
    where.add_given("t.status = %(status)s", status=status)
    where.add_given("s.plan_slug = %(plan)s", plan=plan)
    if search is not None:
        where.add(
            """
            (strpos(lower(t.name), lower(%(search)s)) > 0 OR t.id::text = lower(%(search)s)
             OR (%(by_address)s AND EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = t.id AND u.deleted_at IS NULL
                                            AND u.email = lower(%(search)s))))
            """,
            search=search,
            by_address=by_address,
        )
    return select_page(
        tx, _TENANTS, where, keyset, TENANT_COLUMNS, TenantRow,
        id_column="t.id", count_from=" FROM tenants t JOIN subscriptions s ON s.tenant_id = t.id",
    )  # fmt: skip


def find_tenant(tx: Tx, tenant_id: UUID) -> TenantRow | None:
    """One account; the platform itself is none."""
    return tx.one(
        _TENANTS + " WHERE t.id = %(id)s AND t.id <> %(platform)s",
        {"id": tenant_id, "platform": PLATFORM_TENANT_ID},
        TenantRow,
    )


def lock_tenant(tx: Tx, tenant_id: UUID) -> TenantRow | None:
    """One account, locked until the end of the transaction."""
    tx.run("SELECT 1 FROM tenants WHERE id = %(id)s FOR UPDATE", {"id": tenant_id})
    return find_tenant(tx, tenant_id)


def find_limits(tx: Tx, tenant_id: UUID) -> LimitsRow | None:
    """The limits that hold."""
    return tx.one(
        """
        SELECT api_access, api_rate_limit, api_burst_limit, send_rate_per_second, max_contacts, max_emails_per_month,
               max_webhooks, max_domains
        FROM tenant_limits WHERE tenant_id = %(id)s
        """,
        {"id": tenant_id},
        LimitsRow,
    )


def find_overrides(tx: Tx, tenant_id: UUID) -> OverridesRow | None:
    """What staff have set."""
    return tx.one(
        "SELECT limits, reason, set_at FROM tenant_overrides WHERE tenant_id = %(id)s", {"id": tenant_id}, OverridesRow
    )


def find_usage(tx: Tx) -> UsageRow:
    """What the tenant of the transaction uses."""
    row = tx.one(
        """
        SELECT (SELECT count(*) FROM users WHERE deleted_at IS NULL) AS users,
               (SELECT count(*) FROM api_keys
                WHERE status = 'active' AND (expires_at IS NULL OR expires_at > now())) AS active_api_keys,
               (SELECT count(*) FROM contacts) AS contacts,
               (SELECT count(*) FROM webhooks WHERE deleted_at IS NULL) AS webhooks,
               coalesce((SELECT value FROM usage_counters
                         WHERE metric = 'emails'
                           AND period_start = date_trunc('month', now() AT TIME ZONE 'UTC')::date), 0)
                 AS emails_this_month
        """,
        {},
        UsageRow,
    )
    if row is None:
        raise LookupError("counting answers always")
    return row


def set_status(tx: Tx, tenant_id: UUID, *, status: str, reason: str) -> None:
    """Give an account another status. Reinstated, it is no longer about to be closed either."""
    tx.run(
        """
        UPDATE tenants
        SET status = %(status)s, status_reason = %(reason)s,
            closes_at = CASE WHEN %(status)s = 'active' THEN NULL ELSE closes_at END,
            status_before_closing = CASE WHEN closes_at IS NULL OR %(status)s = 'active' THEN NULL ELSE %(status)s END
        WHERE id = %(id)s
        """,
        {"id": tenant_id, "status": status, "reason": reason},
    )


def list_plans(tx: Tx) -> list[PlanRow]:
    """All plans, the cheapest first."""
    return tx.all(
        """
        SELECT slug, name, api_access, api_rate_limit, api_burst_limit, send_rate_per_second, max_contacts,
               max_emails_per_month, max_webhooks, max_domains, price_monthly_cents, is_active
        FROM plans ORDER BY price_monthly_cents NULLS LAST, slug
        """,
        {},
        PlanRow,
    )


def plan_is_sold(tx: Tx, plan: str) -> bool:
    """Whether there is such a plan."""
    return bool(tx.one("SELECT 1 FROM plans WHERE slug = %(plan)s AND is_active", {"plan": plan}))


def set_plan(tx: Tx, tenant_id: UUID, plan: str) -> None:
    """Give an account another plan."""
    tx.run("UPDATE subscriptions SET plan_slug = %(plan)s WHERE tenant_id = %(id)s", {"id": tenant_id, "plan": plan})


def set_overrides(tx: Tx, tenant_id: UUID, *, limits: Mapping[str, int], reason: str) -> None:
    """Let limits win over the plan's, in the place of all that were set before."""
    tx.run(
        """
        INSERT INTO tenant_overrides (tenant_id, limits, reason) VALUES (%(id)s, %(limits)s, %(reason)s)
        ON CONFLICT (tenant_id) DO UPDATE
        SET limits = excluded.limits, reason = excluded.reason, set_at = clock_timestamp()
        """,
        {"id": tenant_id, "limits": jsonb(dict(limits)), "reason": reason},
    )


def clear_overrides(tx: Tx, tenant_id: UUID) -> None:
    """Let the plan's limits hold again."""
    tx.run("DELETE FROM tenant_overrides WHERE tenant_id = %(id)s", {"id": tenant_id})


def list_members(tx: Tx, keyset: Keyset, *, is_active: bool | None) -> tuple[list[MemberRow], int | None]:
    """A page of the staff, former members included."""
    where = Conditions()
    where.add_given("m.is_active = %(is_active)s", is_active=is_active)
    return select_page(
        tx, _MEMBERS, where, keyset, MEMBER_COLUMNS, MemberRow,
        id_column="m.user_id", count_from=" FROM staff_members m",
    )  # fmt: skip


def find_member(tx: Tx, user_id: UUID) -> MemberRow | None:
    """One member of staff."""
    return tx.one(_MEMBERS + " WHERE m.user_id = %(id)s", {"id": user_id}, MemberRow)


def change_member(tx: Tx, user_id: UUID, values: dict[str, Any]) -> None:
    """Write role, grants and whether the member is active."""
    tx.run(
        """
        UPDATE staff_members SET role = %(role)s, grants = %(grants)s, is_active = %(is_active)s
        WHERE user_id = %(id)s
        """,
        {"id": user_id, **values},
    )


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Whom an address signs in."""

    id: UUID
    tenant_id: UUID


def find_person(tx: Tx, email: str) -> PersonRow | None:
    """The user with this address, in any account or of the staff."""
    return tx.one("SELECT user_id AS id, tenant_id FROM find_login(%(email)s)", {"email": email}, PersonRow)
