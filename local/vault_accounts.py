"""Service accounts of the platform in Vault: what each may do below the KV mount.

KV version 2 checks `data/` for content and `metadata/` for names and removal, so both are written out.
"""

from dataclasses import dataclass

_READ = ["read"]
_WRITE = ["create", "read", "update"]
_REMOVE = ["delete", "read", "list"]


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A login of one kind of function: capabilities per path glob, and the life of its tokens in seconds."""

    name: str
    rules: dict[str, list[str]]
    token_seconds: int


ACCOUNTS = (
    ServiceAccount(
        "api-service",
        {
            "secret/data/api_keys/*": _WRITE,
            "secret/metadata/api_keys/*": [*_WRITE, "delete"],
            "secret/data/webhooks/*": _WRITE,
            "secret/metadata/webhooks/*": _REMOVE,
            "secret/data/esp/*": _WRITE,
            "secret/data/totp/*": _WRITE,
            "secret/metadata/totp/*": _REMOVE,
        },
        20 * 60,
    ),
    ServiceAccount("delivery-service", {"secret/data/webhooks/*": _READ, "secret/data/esp/*": _READ}, 20 * 60),
)


def policy_text(account: ServiceAccount) -> str:
    """The account's rules in Vault's policy language."""
    return "\n".join(
        f'path "{path}" {{ capabilities = [{", ".join(f"{c!r}" for c in capabilities)}] }}'.replace("'", '"')
        for path, capabilities in account.rules.items()
    )
