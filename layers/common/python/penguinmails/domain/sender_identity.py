"""Who stands behind an account's commercial mail, as its footer says."""

from penguinmails.db import Tx
from penguinmails.errors import PostalAddressMissing


def require_postal_address(tx: Tx) -> None:
    """Raise PostalAddressMissing unless the account has said where it can be reached."""
    if not tx.one("SELECT coalesce(settings ->> 'postal_address', '') FROM tenants WHERE id = current_tenant_id()", {}):
        raise PostalAddressMissing(
            "Commercial mail must carry the sender's postal address, and the account has none. Set it with "
            "PUT /api/v1/account/sender; then send this again."
        )
