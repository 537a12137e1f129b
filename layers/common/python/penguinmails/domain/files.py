"""Customers' files: each lies under its tenant's prefix, under a name that nobody can guess or choose."""

import secrets
from uuid import UUID

UPLOAD_SECONDS = 3_600
"""How long a link takes an upload."""
MOST_BYTES_OF_A_MAIL = 10_000_000
"""Files of one mail together: encoded they are a third larger, and many mail servers refuse more than that."""


def new_key(tenant_id: UUID) -> str:
    """Where a new file of a tenant is kept."""
    return f"{tenant_id}/{secrets.token_hex(16)}"


def require_own(key: str, tenant_id: UUID) -> str:
    """The key; raises PermissionError when it is not below the tenant's prefix."""
    if not key.startswith(f"{tenant_id}/"):
        raise PermissionError("the file is not the tenant's")
    return key
