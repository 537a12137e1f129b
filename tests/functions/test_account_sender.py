"""Who stands behind commercial mail is said by the account, and shown to recipients."""

from account.app import handler
from tests.support.http import call
from tests.support.people import signed_in
from tests.support.tenants import TestTenant

SENDER = "/api/v1/account/sender"


def test_the_footer_s_name_is_the_account_s_until_another_is_set(tenant: TestTenant) -> None:
    token = signed_in(tenant).access_token
    before = call(handler, "GET", SENDER, token=token)
    body = {"company_name": "Fish & Ships", "postal_address": " 2 Quay Street, Port Stanley "}
    changed = call(handler, "PUT", SENDER, token=token, json=body)

    assert before.json == {"company_name": "Test tenant", "postal_address": "1 Ice Shelf Road, Port Stanley"}
    assert changed.json == {"company_name": "Fish & Ships", "postal_address": "2 Quay Street, Port Stanley"}
    again = call(handler, "PUT", SENDER, token=token, json={"postal_address": "3 Quay Street, Port Stanley"})
    assert again.json["company_name"] == "Test tenant"


def test_what_cannot_be_an_address_is_refused(tenant: TestTenant) -> None:
    refused = call(handler, "PUT", SENDER, token=signed_in(tenant).access_token, json={"postal_address": "here"})

    assert (refused.status, refused.json["errors"][0]["field"]) == (400, "postal_address")


def test_members_may_read_but_not_change_it(tenant: TestTenant) -> None:
    token = signed_in(tenant, "member").access_token

    assert call(handler, "GET", SENDER, token=token).status == 200
    assert (
        call(handler, "PUT", SENDER, token=token, json={"postal_address": "2 Quay Street, Port Stanley"}).status == 403
    )
