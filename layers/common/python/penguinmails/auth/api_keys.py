"""Verifies API keys: one Redis round trip per request, one bcrypt per key and generation.

Order of checks: shape, look-up, proof, status, address, subscription, rate limit. Scopes are the route's business.
What is cached is the proof that a secret matches, never the decision to admit it.
"""

import hmac
import time
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Protocol
from uuid import UUID

from penguinmails import audit, clock, ratelimit
from penguinmails.auth import key_state, usage
from penguinmails.auth.key_format import PATTERN, digests_of
from penguinmails.auth.key_state import Admission, KeyState, Verdict
from penguinmails.auth.passwords import matches
from penguinmails.auth.principal import KeyPrincipal, RateLimitState
from penguinmails.auth.scopes import Scope
from penguinmails.cache import CacheUnavailable
from penguinmails.db import Mode, transaction
from penguinmails.errors import (
    InsufficientPermissions,
    InvalidApiKey,
    QuotaExceeded,
    ServiceUnavailable,
    SubscriptionSuspended,
)
from penguinmails.logging import count, logger
from penguinmails.platform_secrets import keyed_digest
from penguinmails.vault import read_secret, secret_path

_VERIFICATION_SECONDS = 3
_POLL_SECONDS = 0.02
_MAX_PROOFS_IN_PROCESS = 2_000
_proofs: dict[bytes, bytes] = {}


@dataclass(frozen=True, slots=True)
class _KeyRow:
    id: UUID
    tenant_id: UUID
    name: str
    mode: Mode
    vault_version: int
    generation: int
    permissions: list[str]
    status: str
    allowed_cidrs: list[str]
    monthly_quota: int | None
    expires_at: datetime | None
    tenant_status: str
    subscription_status: str
    plan: str
    api_access: bool
    rate_limit: int
    burst_limit: int
    month_requests: int


class Observed(Protocol):
    """What is told about the key as soon as it is known, so that refusals are logged and counted under it too."""

    rate_limit: RateLimitState | None
    key_id: str | None
    tenant_id: str | None
    plan: str | None


def verify(plaintext: str, *, source_ip: str, writes: bool, context: Observed) -> KeyPrincipal:
    """Admit a presented key or say why not.

    Raises InvalidApiKey (401), InsufficientPermissions, SubscriptionSuspended or QuotaExceeded (403),
    RateLimitExceeded (429), ServiceUnavailable (503, when the key has no proof and Vault is away). `writes` is whether
    the request may change something: a suspended subscription may still read.
    """
    if not PATTERN.fullmatch(plaintext):
        raise _refused("malformed", source_ip)
    for digest in digests_of(plaintext):
        admission = _admission(digest)
        if admission.state is not None:
            _prove(plaintext, digest, admission.state, admission.proof)
            context.key_id, context.tenant_id = admission.state.id, admission.state.tenant_id
            context.plan, context.rate_limit = admission.state.plan, admission.rate_limit
            return _decide(admission, admission.state, source_ip=source_ip, writes=writes)
    raise _refused("unknown", source_ip)


def _refused(reason: str, source_ip: str) -> Exception:
    """Counts a failed attempt per address; an address with too many of them is told to slow down."""
    count("api_key_auth_failures_total", reason=reason)
    logger.warning("api key refused", extra={"reason": reason, "source_ip": source_ip})
    # 20 failures at once, then four a minute: what passes that is more than 20 in five minutes.
    if not ratelimit.take(f"auth_failures_alert:{source_ip}", limit=4, burst=20)[0]:
        count("api_key_auth_failures_from_one_address_total")
    admitted, state = ratelimit.take(f"auth_failures:{source_ip}", limit=100, burst=100)
    if not admitted:
        return ratelimit.refuse(state, "This address")
    return InvalidApiKey(
        "The API key is malformed, unknown, revoked or expired. Check that it was copied whole, or create a new one.",
    )


def _admission(digest: bytes) -> Admission:
    month = clock.now().strftime("%Y-%m")
    records = usage.take_pending()
    try:
        admission = key_state.admit(digest, month, usage=records)
        records = []
        if admission.verdict is not Verdict.ASK_DATABASE:
            return admission
        state = state_in_database(digest)
        if state is None:
            key_state.remember_unknown(digest)
            return Admission(Verdict.UNKNOWN, None, None, None)
        return key_state.admit(digest, month, fill=state)
    except CacheUnavailable:
        usage.give_back(records)
        count("cache_unavailable_total")
        return _admission_without_cache(digest)


def _admission_without_cache(digest: bytes) -> Admission:
    """Redis is away: identity and status come from PostgreSQL on each request, only the limit fails open."""
    state = state_in_database(digest)
    if state is None:
        return Admission(Verdict.UNKNOWN, None, None, None)
    admitted, limit = ratelimit.take_locally(digest.hex(), limit=state.rate_limit, burst=state.burst)
    return Admission(Verdict.ADMITTED if admitted else Verdict.LIMITED, state, None, limit)


def state_in_database(digest: bytes) -> KeyState | None:
    """What PostgreSQL says of an active key with this digest."""
    with transaction() as tx:
        row = tx.one(
            """
            SELECT id, tenant_id, name, mode, vault_version, generation, permissions, status, allowed_cidrs,
                   monthly_quota, expires_at, tenant_status, subscription_status, plan, api_access,
                   rate_limit, burst_limit, month_requests
            FROM find_api_key(%(digest)s)
            """,
            {"digest": digest},
            _KeyRow,
        )
    if row is None or row.status != "active":
        return None
    return KeyState(
        id=str(row.id),
        tenant_id=str(row.tenant_id),
        mode=row.mode,
        name=row.name,
        generation=row.generation,
        vault_version=row.vault_version,
        scopes=sorted(row.permissions),
        status=row.status,
        tenant_status=row.tenant_status,
        subscription_status=row.subscription_status,
        plan=row.plan,
        api_access=row.api_access,
        rate_limit=row.rate_limit,
        burst=row.burst_limit,
        cidrs=row.allowed_cidrs,
        expires_at=int(row.expires_at.timestamp()) if row.expires_at else None,
        quota=row.monthly_quota,
        used_this_month=int(row.month_requests),
    )


def forget_proofs() -> None:
    """Start without the proofs of this process, for tests and for a restored snapshot."""
    _proofs.clear()


def proof_for(digest: bytes, state: KeyState) -> bytes:
    """What proves a past bcrypt success: a MAC that nobody can write who can only write to Redis."""
    message = b"%b|%d|%d" % (digest, state.generation, state.vault_version)
    return keyed_digest("proof_keys", message)


def _prove(plaintext: str, digest: bytes, state: KeyState, cached: bytes | None) -> None:
    """Make sure that the secret matched its bcrypt hash once in this generation."""
    expected = proof_for(digest, state)
    for known in (cached, _proofs.get(digest)):
        if known is not None and hmac.compare_digest(known, expected):
            return
    if not _wait_for_leader(digest, expected):
        _verify_with_vault(plaintext, state)
        try:
            key_state.keep_proof(digest, expected)
        except CacheUnavailable:
            logger.warning("proof not kept, cache unavailable", extra={"key_id": state.id})
    if len(_proofs) >= _MAX_PROOFS_IN_PROCESS:
        _proofs.clear()
    _proofs[digest] = expected


def _wait_for_leader(digest: bytes, expected: bytes) -> bool:
    """True once another caller has proved the key meanwhile: bcrypt is paid once, not by every concurrent request."""
    try:
        if key_state.lead_verification(digest, _VERIFICATION_SECONDS):
            return False
        deadline = time.monotonic() + _VERIFICATION_SECONDS
        while time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            proof = key_state.proof_of(digest)
            if proof is not None and hmac.compare_digest(proof, expected):
                return True
    except CacheUnavailable:
        return False
    return False


def _verify_with_vault(plaintext: str, state: KeyState) -> None:
    count("api_key_bcrypt_total")
    path = secret_path("api_keys", state.tenant_id, state.id)
    secret = read_secret(path, version=state.vault_version)
    if secret is None:
        logger.error("api key has no record in Vault", extra={"key_id": state.id})
        raise ServiceUnavailable.retry_in(
            5, "The key cannot be verified right now. Try again; if it lasts, contact support."
        )
    if not matches(plaintext, secret.data["key_hash"]):
        raise _refused("hash_mismatch", "")


def _decide(admission: Admission, state: KeyState, *, source_ip: str, writes: bool) -> KeyPrincipal:
    if state.expires_at is not None and state.expires_at <= clock.now().timestamp():
        _audit_refusal(state, "expired", source_ip)
        raise _refused("expired", source_ip)
    if state.cidrs and not _within(source_ip, state.cidrs):
        _audit_refusal(state, "address", source_ip)
        raise InsufficientPermissions(
            f"The address {source_ip} is not on this key's allow list. Call from a listed address, or change the list."
        )
    _check_subscription(state, writes=writes)
    if admission.verdict is Verdict.LIMITED and admission.rate_limit is not None:
        count("rate_limited_total", reason="api_key", plan=state.plan)
        raise ratelimit.refuse(admission.rate_limit, f"The {state.plan} plan", limit=admission.rate_limit.limit)
    if admission.verdict is Verdict.OVER_QUOTA:
        raise QuotaExceeded(
            f"This key's quota of {state.quota} requests per month is used up. Raise it, or wait for the next month (UTC)."
        )
    return KeyPrincipal(
        key_id=UUID(state.id),
        tenant_id=UUID(state.tenant_id),
        mode=state.mode,
        scopes=frozenset(Scope(scope) for scope in state.scopes),
        plan=state.plan,
        name=state.name,
    )


def _check_subscription(state: KeyState, *, writes: bool) -> None:
    if "canceled" in (state.tenant_status, state.subscription_status):
        raise SubscriptionSuspended("The account is closed. Contact support to open it again.")
    if not state.api_access:
        raise SubscriptionSuspended(f"The {state.plan} plan has no API access. Choose a plan that has it.")
    if writes and "suspended" in (state.tenant_status, state.subscription_status):
        raise SubscriptionSuspended(
            "The account is suspended: reading works, changing and sending do not. Settle the open invoice to lift it."
        )


def _within(source_ip: str, cidrs: list[str]) -> bool:
    try:
        address = ip_address(source_ip)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    candidates = (address,) if mapped is None else (address, mapped)
    return any(candidate in ip_network(cidr) for cidr in cidrs for candidate in candidates)


def _audit_refusal(state: KeyState, reason: str, source_ip: str) -> None:
    key_id = UUID(state.id)
    if not key_state.first_in_a_minute(f"refused:{reason}", key_id):
        return
    with transaction(tenant_id=UUID(state.tenant_id)) as tx:
        audit.record(
            tx,
            event="api_key_auth_failed",
            actor_type="api_key",
            actor_id=key_id,
            resource_type="api_key",
            resource_id=state.id,
            severity="warning",
            source_ip=source_ip,
            details={"reason": reason},
        )
