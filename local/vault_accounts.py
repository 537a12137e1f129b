"""What each service account and each group of staff may do in Vault.

KV version 2 checks `data/` for content and `metadata/` for names, versions and removal, so both are written out
(https://developer.hashicorp.com/vault/docs/secrets/kv/kv-v2/setup#acl-rules). Tenants hold no tokens: the API checks tenant
and role, then acts as its own account.
"""

import json
from dataclasses import dataclass

TRANSIT_KEY = "penguinmails"
_READ = ["read"]
_LIST = ["list"]
_WRITE = ["create", "update"]
_READ_WRITE = ["create", "read", "update"]
_REMOVE = ["delete", "read", "list"]
_EVERYTHING = ["create", "read", "update", "delete", "list"]
_SEAL = {f"transit/encrypt/{TRANSIT_KEY}": ["update"]}
_OPEN = {f"transit/decrypt/{TRANSIT_KEY}": ["update"]}

Rules = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A login of one kind of function: capabilities per path glob, and the life of its tokens in seconds."""

    name: str
    rules: Rules
    token_seconds: int
    most_seconds: int
    """How long a token can be renewed."""
    is_standing: bool = True
    """Whether it has a secret id at all times; without one nobody can log in as it."""


def _account(name: str, minutes: int, rules: Rules, *, renewable_minutes: int = 0) -> ServiceAccount:
    return ServiceAccount(name, rules, minutes * 60, (renewable_minutes or minutes) * 60)


ACCOUNTS = (
    _account(
        "api-service",
        20,
        {
            "secret/data/api_keys/*": _READ_WRITE,
            "secret/metadata/api_keys/*": [*_READ_WRITE, "delete"],
            "secret/data/webhooks/*": _READ_WRITE,
            "secret/metadata/webhooks/*": _REMOVE,
            "secret/data/esp/*": _READ_WRITE,
            "secret/metadata/esp/*": _REMOVE,
            "secret/data/crm/*": _WRITE,
            "secret/data/totp/*": _READ_WRITE,
            "secret/metadata/totp/*": _REMOVE,
            # Makes the signing keys of domains and forgets them, but reads none.
            "secret/data/dkim/*": _WRITE,
            "secret/metadata/dkim/*": _REMOVE,
        },
        renewable_minutes=60,
    ),
    _account(
        "provisioning-service",
        30,
        {"secret/data/vps/*": _WRITE, "secret/data/smtp/*": _WRITE, "secret/data/dkim/*": _WRITE, **_SEAL},
    ),
    _account(
        "rotation-service",
        30,
        {
            # The first version of an SSH key is sometimes its doing.
            "secret/data/vps/*": _READ_WRITE,
            "secret/data/smtp/*": ["read", "update"],
            "secret/data/dkim/*": ["read", "update"],
            "secret/data/crm/*": ["read", "update"],
            **{f"secret/metadata/{kind}/*": _LIST for kind in ("vps", "smtp", "dkim", "crm")},
            **_SEAL,
            **_OPEN,
        },
    ),
    _account("delivery-service", 20, {"secret/data/webhooks/*": _READ}),
    _account(
        "sending-service",
        20,
        {
            "secret/data/esp/*": _READ,
            "secret/data/dkim/*": _READ,
            "secret/data/smtp/+/sending": _READ,
            "secret/data/platform/smtp": _READ,
        },
    ),
    _account("platform-mail-service", 20, {"secret/data/platform/smtp": _READ}),
    _account(
        "staff-service",
        20,
        {
            # Sets passwords of mail servers and forgets them, but reads none; takes lost second factors away.
            "secret/data/smtp/+/sending": _WRITE,
            "secret/metadata/smtp/+/sending": ["delete", "read"],
            "secret/metadata/totp/*": ["delete"],
        },
    ),
    _account("crm-service", 20, {"secret/data/crm/*": ["read", "update"]}),
    _account(
        "admin-console",
        15,
        {
            "secret/data/smtp/*": _READ,
            # A policy cannot part one field from another: the private key is in the record's data, so the console reads
            # names, versions, times and custom metadata (the fingerprint) alone.
            "secret/metadata/vps/*": ["read", "list"],
            "secret/metadata/*": _LIST,
            **_OPEN,
        },
    ),
    # A closed account leaves no secret of any kind behind: names are listed and records removed, none is read.
    _account("closing-service", 15, {"secret/metadata/*": ["delete", "list"]}),
    _account("backup-service", 15, {"sys/storage/raft/snapshot": _READ}),
    _account("monitor", 10, {"sys/metrics": _READ, "sys/ha-status": _READ}),
    ServiceAccount(
        "incident-service",
        {
            "sys/seal": ["update", "sudo"],
            "auth/token/accessors": ["list", "sudo"],
            "auth/token/revoke-accessor": ["update"],
            "secret/data/api_keys/*": ["delete"],
            "secret/metadata/api_keys/*": ["delete", "list"],
        },
        15 * 60,
        15 * 60,
        is_standing=False,
    ),
)
"""Health, seal status and leader are open to all, so `monitor` needs no rule for them."""

STAFF_POLICIES: dict[str, Rules] = {
    "platform-admin": {"secret/data/*": _EVERYTHING, "secret/metadata/*": _EVERYTHING},
    "support-team": {"secret/data/smtp/+/admin": _READ},
    # Kept for tokens of tenants' own, which nobody has today.
    "tenant": {"secret/data/vps/{{identity.entity.metadata.tenant_id}}/tenant_ssh": _READ},
}


def policy_text(rules: Rules) -> str:
    """Rules in the JSON form of Vault's policy language."""
    return json.dumps({"path": {path: {"capabilities": capabilities} for path, capabilities in rules.items()}})
