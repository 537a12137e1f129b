"""What the walks over all operations share."""

import pytest

from domains import service, signing_keys
from tests.support.tenants import DKIM_KEY


@pytest.fixture(autouse=True)
def one_signing_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Domains are made by the hundred here, and making a key takes longer than all the rest; their own tests make real ones."""
    for module in (service, signing_keys):
        monkeypatch.setattr(module, "new_key", lambda: (DKIM_KEY.private, DKIM_KEY.public))
