"""Tenants of a test's own, so that tests share nothing and commit for real."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from penguinmails.auth.key_format import make_key
from penguinmails.auth.passwords import hash_secret
from penguinmails.auth.scopes import ALL_SCOPES, Scope
from penguinmails.db import Mode, transaction
from penguinmails.vault import secret_path, write_secret
from tests.support.secret_watch import remember


@dataclass(frozen=True)
class DkimKey:
    """An RSA key: private as PEM, public as a DKIM record has it."""

    private: str
    public: str


def _make_dkim_key() -> DkimKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return DkimKey(private.decode(), b64encode(public).decode())


DKIM_KEY = _make_dkim_key()
"""Of all domains of tests, since making one takes a while."""


@dataclass(frozen=True)
class TestKey:
    """An API key and its plaintext."""

    __test__ = False
    id: UUID
    plaintext: str
    digest: bytes


@dataclass(frozen=True)
class TestTenant:
    """A tenant with its owner and default workspace."""

    __test__ = False
    id: UUID
    owner_id: UUID
    workspace_id: UUID
    plan: str

    def key(self, *scopes: Scope, mode: Mode = "live", **columns: Any) -> TestKey:
        """An API key with these scopes (all when none is named), made as the platform makes them."""
        made, key_id = make_key(mode), uuid4()
        remember("api_key", made.plaintext)
        record = {"key_hash": hash_secret(made.plaintext)}
        version = write_secret(secret_path("api_keys", str(self.id), str(key_id)), record, expected_version=0)
        values = {
            "id": key_id,
            "tenant_id": self.id,
            "name": "test key",
            "mode": mode,
            "key_prefix": made.prefix,
            "key_last4": made.last4,
            "lookup_digest": made.digest,
            "digest_version": made.digest_version,
            "vault_version": version,
            "permissions": sorted(scopes or ALL_SCOPES),
            "created_by": self.owner_id,
            "allowed_cidrs": [],
            "monthly_quota": None,
            "expires_at": None,
        } | columns
        with transaction(tenant_id=self.id) as tx:
            tx.run(
                """
                INSERT INTO api_keys (id, tenant_id, name, mode, key_prefix, key_last4, lookup_digest, digest_version,
                                      vault_version, permissions, created_by, allowed_cidrs, monthly_quota, expires_at)
                VALUES (%(id)s, %(tenant_id)s, %(name)s, %(mode)s, %(key_prefix)s, %(key_last4)s, %(lookup_digest)s,
                        %(digest_version)s, %(vault_version)s, %(permissions)s, %(created_by)s,
                        %(allowed_cidrs)s::cidr[], %(monthly_quota)s, %(expires_at)s)
                """,
                values,
            )
        return TestKey(key_id, made.plaintext, made.digest)

    def verified_domain(self, name: str | None = None) -> str:
        """A domain that the account may send from, whose signing key is `DKIM_KEY`."""
        domain_id, domain = uuid4(), name or f"{uuid4().hex[:12]}.example.com"
        path = secret_path("dkim", str(self.id), str(domain_id))
        write_secret(path, {"domain": domain, "selector": "pm1", "private_key": DKIM_KEY.private}, expected_version=0)
        with transaction(tenant_id=self.id, mode="live") as tx:
            tx.run(
                """
                INSERT INTO domains (id, tenant_id, mode, domain, verification_status, verification_token, dkim_selector,
                                     dkim_public_key, secret_ref, verified_at)
                VALUES (%(id)s, %(tenant)s, 'live', %(domain)s, 'verified', 'token', 'pm1', %(key)s, %(path)s, now())
                """,
                {"id": domain_id, "tenant": self.id, "domain": domain, "key": DKIM_KEY.public, "path": path},
            )
        return domain


def make_tenant(plan: str = "enterprise") -> TestTenant:
    """A tenant on a plan, with an owner and a default workspace."""
    tenant = TestTenant(uuid4(), uuid4(), uuid4(), plan)
    with transaction(tenant_id=tenant.id) as tx:
        params = {
            "tenant": tenant.id,
            "owner": tenant.owner_id,
            "workspace": tenant.workspace_id,
            "plan": plan,
            "email": f"owner-{tenant.owner_id.hex}@example.com",
            "id": uuid4(),
        }
        tx.run(
            "INSERT INTO tenants (id, name, settings)"
            " VALUES (%(tenant)s, 'Test tenant', jsonb_build_object('postal_address', '1 Ice Shelf Road, Port Stanley'))",
            params,
        )
        tx.run(
            "INSERT INTO subscriptions (id, tenant_id, plan_slug) VALUES (%(id)s, %(tenant)s, %(plan)s)",
            params,
        )
        tx.run(
            "INSERT INTO users (id, tenant_id, email, name, role, email_verified_at)"
            " VALUES (%(owner)s, %(tenant)s, %(email)s, 'Olive Owner', 'owner', now())",
            params,
        )
        tx.run(
            "INSERT INTO workspaces (id, tenant_id, name, slug, is_default)"
            " VALUES (%(workspace)s, %(tenant)s, 'Default', 'default', true)",
            params,
        )
    return tenant
