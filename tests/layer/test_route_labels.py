"""Logs and metrics name routes by their templates, whole and without anybody's ids."""

from uuid import uuid4

import pytest

from campaigns.app import handler as campaigns
from contacts.app import handler as contacts
from tests.support.http import Handler, call
from tests.support.tenants import TestKey
from webhooks.app import handler as webhooks


@pytest.mark.parametrize(
    ("handler", "template"),
    [
        (contacts, "/api/v1/contacts"),
        (contacts, "/api/v1/contacts/{contact_id}"),
        (webhooks, "/api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}"),
        (webhooks, "/api/v1/platform/webhooks/{webhook_id}"),
        (webhooks, "/api/v1/events/{event_id}"),
        (campaigns, "/api/v1/campaigns/{campaign_id}/recipients/{contact_id}"),
    ],
)
def test_a_request_is_logged_under_its_template(
    key: TestKey, handler: Handler, template: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = "/".join(str(uuid4()) if part.startswith("{") else part for part in template.split("/"))

    call(handler, "GET", path, token=key.plaintext)

    assert [record.route for record in caplog.records if record.message == "request"] == [template]  # type: ignore[attr-defined]


def test_what_is_no_route_is_logged_as_unmatched(key: TestKey, caplog: pytest.LogCaptureFixture) -> None:
    call(contacts, "GET", "/api/v1/contacts/a/b/c", token=key.plaintext)

    assert [record.route for record in caplog.records if record.message == "request"] == ["unmatched"]  # type: ignore[attr-defined]
