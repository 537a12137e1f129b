"""Webhooks that want some of the events of their types only."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from penguinmails import clock
from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from penguinmails.events.catalogue import CampaignPaused, ContactBlock, ContactCreated
from penguinmails.events.emit import emit
from tests.support.hooks import deliveries, hook, work_off
from tests.support.http import call
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks


def created(tenant: TestTenant, *, source: str = "api", contact_id: Any = None, workspace_id: Any = None) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        contact = ContactBlock(id=contact_id or uuid4(), email="ada@example.com")
        emit(tx, ContactCreated(contact=contact, source=source), workspace_id=workspace_id)


def filtered(key: TestKey, receiver: Receiver, document: Any, **fields: Any) -> str:
    return hook(key, receiver, event_filters=document, **fields).id


def test_an_event_goes_to_those_whose_filter_takes_it(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    wanted = filtered(key, receiver, {"filters": {"source": ["import"]}})
    filtered(key, receiver, {"filters": {"source": {"$ne": "import"}}})

    created(tenant, source="import")
    work_off(tenant)

    assert [delivery["webhook_id"] for delivery in deliveries(tenant)] == [wanted]
    assert len(receiver.posts) == 1


def test_the_contacts_tags_are_those_it_has_when_the_event_is_fanned_out(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    from contacts.app import handler as contacts

    filtered(key, receiver, {"tags": ["vip"]})
    body = {"email": f"{uuid4().hex}@example.com", "tags": ["vip"]}
    answer = call(contacts, "POST", "/api/v1/contacts", token=key.plaintext, json=body)
    assert answer.status == 201, answer.body
    created(tenant)
    work_off(tenant)

    assert len(receiver.posts) == 1


def test_workspaces_and_campaigns_narrow_what_is_sent(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    filtered(key, receiver, {"workspaces": [str(tenant.workspace_id)]}, event_types=["contact.created"])
    created(tenant, workspace_id=tenant.workspace_id)
    created(tenant, workspace_id=uuid4())
    work_off(tenant)
    assert len(receiver.posts) == 1

    campaign_id = uuid4()
    filtered(key, receiver, {"filters": {"campaign.id": str(campaign_id)}}, event_types=["campaign.paused"])
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        for id_ in (campaign_id, uuid4()):
            emit(
                tx, CampaignPaused(campaign_id=id_, name="n", status="paused", paused_by=uuid4(), paused_at=clock.now())
            )
    work_off(tenant)
    assert len(receiver.posts) == 2


@pytest.mark.parametrize("write", [lambda id_: id_.hex.upper(), lambda id_: id_.urn, lambda id_: f"{{{id_}}}"])
def test_ids_are_stored_as_events_have_them_however_they_were_written(
    tenant: TestTenant, key: TestKey, receiver: Receiver, write: Callable[[UUID], str]
) -> None:
    webhook = filtered(key, receiver, {"workspaces": [write(tenant.workspace_id)]})
    created(tenant, workspace_id=tenant.workspace_id)
    work_off(tenant)
    path = f"/api/v1/webhooks/{webhook}"
    shown = [call(webhooks, "GET", path, token=key.plaintext).json]
    again = {"event_filters": {"workspaces": [write(tenant.workspace_id)]}}
    shown.append(call(webhooks, "PUT", path, token=key.plaintext, json=again).json)

    assert len(receiver.posts) == 1
    assert [webhook["event_filters"] for webhook in shown] == [{"workspaces": [str(tenant.workspace_id)]}] * 2


def test_a_filter_that_cannot_be_understood_is_refused_field_by_field(key: TestKey, receiver: Receiver) -> None:
    body = {"name": "hook", "endpoint_url": receiver.url, "event_types": ["contact.created"]}
    document = {"tag": [], "filters": {"source": {"$like": "x"}}}
    answer = call(webhooks, "POST", "/api/v1/webhooks", token=key.plaintext, json={**body, "event_filters": document})

    assert answer.status == 400
    assert {e["field"] for e in answer.json["errors"]} == {"event_filters.tag", "event_filters.filters.source.$like"}


@pytest.mark.parametrize("part", ["workspaces", "campaigns"])
@pytest.mark.parametrize("named", ["0190a3c4-7d2e-7c31-9a55-1f2b3c4d5e6f", "nonsense"])
def test_a_filter_names_what_is_there(key: TestKey, receiver: Receiver, part: str, named: str) -> None:
    body = {"name": "hook", "endpoint_url": receiver.url, "event_types": ["contact.created"]}
    answer = call(
        webhooks, "POST", "/api/v1/webhooks", token=key.plaintext, json={**body, "event_filters": {part: [named]}}
    )

    assert answer.status == 400
    assert answer.json["errors"][0]["field"] == f"event_filters.{part}[0]"


def test_another_accounts_workspace_is_not_there(key: TestKey, other_tenant: TestTenant, receiver: Receiver) -> None:
    body = {"name": "hook", "endpoint_url": receiver.url, "event_types": ["contact.created"]}
    document = {"workspaces": [str(other_tenant.workspace_id)]}
    answer = call(webhooks, "POST", "/api/v1/webhooks", token=key.plaintext, json={**body, "event_filters": document})

    assert answer.status == 400


def test_changing_a_filter_takes_the_scopes_of_the_data(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    document = {"filters": {"contact.email": "ada@example.com"}}
    path = f"/api/v1/webhooks/{filtered(key, receiver, document)}"
    weak = tenant.key(Scope.MANAGE_WEBHOOKS)

    for changed in ({"filters": {"contact.email": {"$gte": "b"}}}, {}, None):
        refused = call(webhooks, "PUT", path, token=weak.plaintext, json={"event_filters": changed})
        assert (refused.status, refused.code) == (403, "INSUFFICIENT_PERMISSIONS"), changed
        assert refused.json["required_scopes"] == ["manage_contacts"]
    same = call(webhooks, "PUT", path, token=weak.plaintext, json={"event_filters": document, "name": "renamed"})
    assert (same.status, same.json["name"], same.json["event_filters"]) == (200, "renamed", document)
    more = call(webhooks, "PUT", path, token=key.plaintext, json={"event_filters": {"tags": ["vip"]}})
    assert (more.status, more.json["event_filters"]) == (200, {"tags": ["vip"]})


def test_a_filter_is_shown_changed_and_cleared(key: TestKey, receiver: Receiver) -> None:
    path = f"/api/v1/webhooks/{filtered(key, receiver, {'tags': ['vip']})}"
    assert call(webhooks, "GET", path, token=key.plaintext).json["event_filters"] == {"tags": ["vip"]}

    changed = call(webhooks, "PUT", path, token=key.plaintext, json={"event_filters": {"tags": ["beta"]}})
    assert changed.json["event_filters"] == {"tags": ["beta"]}
    assert call(webhooks, "PUT", path, token=key.plaintext, json={"name": "x"}).json["event_filters"] == {
        "tags": ["beta"]
    }
    assert call(webhooks, "PUT", path, token=key.plaintext, json={"event_filters": None}).json["event_filters"] is None
