"""Provider accounts with their credentials, for those who send with them."""

from penguinmails.domain.provider_accounts import StoredAccount
from penguinmails.domain.provider_secrets import provider_secret
from penguinmails.errors import ServiceUnavailable
from penguinmails.providers.account import ProviderAccount
from penguinmails.smtp import MailRefused


def opened(provider: str, account: StoredAccount | None) -> ProviderAccount:
    """An account with its credentials. Raises MailRefused, for now, while they cannot be had."""
    try:
        secret = (
            provider_secret(account.secret_ref, account.secret_version, account.created_at)
            if account is not None
            else None
        )
    except ServiceUnavailable:
        raise MailRefused(
            "the provider's credentials cannot be read just now", is_permanent=False, scope="moment"
        ) from None
    if account is None or secret is None:
        raise MailRefused(f"there is no {provider} account; configure it", is_permanent=False, scope="account")
    return ProviderAccount(account.provider, account.settings, secret)
