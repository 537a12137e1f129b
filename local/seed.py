"""One tenant per plan with an owner, so that there is somebody to sign in as."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from penguinmails.auth.passwords import hash_secret
from penguinmails.db import UniqueViolation, close_connection, transaction
from penguinmails.domain.tenants import create_tenant
from penguinmails.ids import new_uuid4
from penguinmails.settings import get_settings

PLANS = ("starter", "pro", "business", "enterprise")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom to sign in as."""

    plan: str
    email: str
    password: str


def seed(database_url: str, credentials: Path) -> list[Owner]:
    """Create the owners once; their passwords are random and kept in `credentials`, readable by its owner alone."""
    if credentials.exists():
        return [Owner(**entry) for entry in json.loads(credentials.read_text())]
    owners = [Owner(plan, f"owner@{plan}.example.com", f"Pm-{secrets.token_urlsafe(12)}-7a") for plan in PLANS]
    os.environ.update({"DATABASE_URL": database_url, "ENVIRONMENT": "local"})
    get_settings.cache_clear()
    for owner in owners:
        _create(owner)
    close_connection("app")
    with os.fdopen(os.open(credentials, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        json.dump([{"plan": o.plan, "email": o.email, "password": o.password} for o in owners], output)
    return owners


def _create(owner: Owner) -> None:
    try:
        with transaction(tenant_id=new_uuid4(), mode="live") as tx:
            create_tenant(
                tx,
                company=f"{owner.plan.capitalize()} Example",
                email=owner.email,
                name=f"{owner.plan.capitalize()} Owner",
                password_hash=hash_secret(owner.password),
                plan=owner.plan,
                verified=True,
            )
            tx.run(
                "UPDATE tenants SET settings = jsonb_build_object('postal_address', '1 Ice Shelf Road, Port Stanley')"
                " WHERE id = current_tenant_id()",
                {},
            )
    except UniqueViolation:
        raise SystemExit(
            f"{owner.email} exists, but .local/owners.json, which holds its password, is gone. Run `make reset`."
        ) from None
