"""How a tenant comes to be: the same for a sign-up and for the seed of a development machine."""

import re
from typing import Any
from uuid import UUID

from penguinmails.auth.scopes import Role
from penguinmails.db import Tx
from penguinmails.ids import new_uuid4, new_uuid7


def create_tenant(
    tx: Tx, *, company: str, email: str, name: str, password_hash: str, plan: str, verified: bool
) -> UUID:
    """Create tenant, subscription, owner and default workspace; the owner's id.

    `tx` must have been opened for the new tenant's id (and any mode). Raises db.UniqueViolation when the e-mail is taken.
    """
    params: dict[str, Any] = {
        "tenant_id": tx.tenant_id,
        "company": company,
        "plan": plan,
        "subscription_id": new_uuid7(),
        "workspace_id": new_uuid7(),
        "slug": _slug(company),
    }
    tx.run("INSERT INTO tenants (id, name) VALUES (%(tenant_id)s, %(company)s)", params)
    tx.run(
        """
        INSERT INTO subscriptions (id, tenant_id, plan_slug) VALUES (%(subscription_id)s, %(tenant_id)s, %(plan)s)
        """,
        params,
    )
    params["owner_id"] = owner_id = add_user(
        tx, email=email, name=name, role="owner", password_hash=password_hash, verified=verified
    )
    tx.run(
        """
        INSERT INTO workspaces (id, tenant_id, name, slug, is_default)
        VALUES (%(workspace_id)s, %(tenant_id)s, %(company)s, %(slug)s, true)
        """,
        params,
    )
    tx.run(
        """
        INSERT INTO workspace_members (tenant_id, workspace_id, user_id, role)
        VALUES (%(tenant_id)s, %(workspace_id)s, %(owner_id)s, 'admin')
        """,
        params,
    )
    return owner_id


def add_user(tx: Tx, *, email: str, name: str, role: Role, password_hash: str, verified: bool) -> UUID:
    """Add a person to the tenant; the new user's id. Raises db.UniqueViolation when the e-mail is taken."""
    user_id = new_uuid4()
    params = {
        "id": user_id,
        "tenant_id": tx.tenant_id,
        "email": email,
        "name": name,
        "role": role,
        "password_hash": password_hash,
        "verified": verified,
    }
    tx.run(
        """
        INSERT INTO users (id, tenant_id, email, name, role, email_verified_at)
        VALUES (%(id)s, %(tenant_id)s, %(email)s, %(name)s, %(role)s,
                CASE WHEN %(verified)s THEN clock_timestamp() END)
        """,
        params,
    )
    tx.run(
        """
        INSERT INTO user_credentials (tenant_id, user_id, password_hash)
        VALUES (%(tenant_id)s, %(id)s, %(password_hash)s)
        """,
        params,
    )
    return user_id


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "default"
