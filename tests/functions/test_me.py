"""GET /api/v1/me."""

from me.app import handler
from penguinmails.auth.scopes import Scope
from tests.support.http import call
from tests.support.tenants import TestTenant


def test_a_key_learns_its_tenant_mode_plan_and_scopes(tenant: TestTenant) -> None:
    key = tenant.key(Scope.SEND_EMAIL, mode="test")

    answer = call(handler, "GET", "/api/v1/me", token=key.plaintext)

    assert answer.status == 200
    assert answer.json["tenant_id"] == str(tenant.id)
    assert answer.json["mode"] == "test"
    assert answer.json["plan"] == "enterprise"
    assert answer.json["scopes"] == ["send_email"]
    assert answer.json["rate_limit"]["requests_per_minute"] == 1000
