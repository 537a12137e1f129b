"""The rules of provider accounts: checked before they are kept, their secrets in Vault alone."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from secrets import token_hex

from penguinmails.auth.tokens import new_token, token_hash
from penguinmails.db import Tx
from penguinmails.domain.secret_rotations import rotation
from penguinmails.errors import NotFound, ValidationFailed
from penguinmails.providers import AccountRefused, Provider, ProviderAccount, check
from penguinmails.settings import get_settings
from penguinmails.vault import delete_secret, read_secret, secret_path, write_secret
from provider_accounts import repository
from provider_accounts.repository import AccountRow

WEBHOOK_USER = "penguinmails"


@dataclass(frozen=True, slots=True)
class Configured:
    """An account as it is kept, and what the customer has to enter at the provider."""

    account: AccountRow
    webhook_url: str = field(repr=False)
    webhook_password: str | None = field(repr=False)


def configure(tx: Tx, provider: Provider, settings: dict[str, str], secret: dict[str, str]) -> Configured:
    """Keep an account once its provider has taken the credentials. Raises ValidationFailed when it has not.

    An account that was there before is replaced, with another address to report to.
    """
    if provider == "postmark":
        secret = {**secret, "webhook_password": new_token()}
    try:
        check(ProviderAccount(provider, settings, secret))
    except AccountRefused as refusal:
        raise ValidationFailed.of("api_key", f"{refusal}", "refused_by_provider") from None
    path = secret_path("esp", str(tx.tenant_id), provider)
    present = read_secret(path)
    with rotation(tx, "provider_account") if present is not None else nullcontext():
        version = write_secret(path, secret, expected_version=present.version if present is not None else 0)
    endpoint = token_hex(16)
    repository.put_account(
        tx,
        {
            "provider": provider,
            "settings": settings,
            "secret_ref": path,
            "secret_version": version,
            "key_last4": secret["api_key"][-4:],
            "endpoint_hash": token_hash(endpoint),
        },
    )
    url = f"{get_settings().public_url}/webhooks/{provider}/{endpoint}"
    return Configured(existing(tx, provider), url, secret.get("webhook_password"))


def test_account(tx: Tx, provider: Provider) -> AccountRow:
    """Ask the provider whether the account works, and keep the answer."""
    row = existing(tx, provider)
    secret = read_secret(row.secret_ref)
    try:
        if secret is None:
            raise AccountRefused("the credentials are gone; configure the provider again")
        check(ProviderAccount(provider, row.settings, secret.data))
    except AccountRefused as refusal:
        repository.set_status(tx, provider, "error", str(refusal)[:500])
    else:
        repository.set_status(tx, provider, "active", None)
    return existing(tx, provider)


def remove(tx: Tx, provider: Provider) -> None:
    """Forget an account and, once that is committed, its credentials."""
    row = existing(tx, provider)
    repository.delete_account(tx, provider)
    tx.after_commit(lambda: delete_secret(row.secret_ref))


def existing(tx: Tx, provider: Provider) -> AccountRow:
    """An account that is there. Raises NotFound."""
    for row in repository.list_accounts(tx):
        if row.provider == provider:
            return row
    raise NotFound(f"There is no {provider.title()} account. Configure it first.")
