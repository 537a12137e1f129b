"""The catalogue of event types: what is posted is what it says."""

import json
from typing import Any
from uuid import uuid4

import jsonschema
import pytest

from penguinmails.db import transaction
from penguinmails.events.catalogue import EVENT_TYPES, ContactBlock, ContactCreated, Event
from penguinmails.events.emit import emit
from tests.support.emitted import NotOfTheCatalogue
from tests.support.hooks import hook, raise_event, work_off
from tests.support.http import call
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler


def catalogue(key: TestKey) -> dict[str, Any]:
    answer = call(handler, "GET", "/api/v1/webhooks/events", token=key.plaintext)
    assert answer.status == 200, answer.body
    return {entry["type"]: entry for entry in answer.json["data"]}


def test_the_catalogue_names_every_type_with_its_scope_schema_and_a_sample_that_meets_it(key: TestKey) -> None:
    found = catalogue(key)

    assert list(found) == list(EVENT_TYPES)
    for name, entry in found.items():
        jsonschema.validate(entry["sample"], entry["payload_schema"])
        assert entry["required_scope"] == EVENT_TYPES[name].scope.value
        assert entry["sample"]["type"] == name


def test_what_is_posted_meets_the_schema_of_the_catalogue(tenant: TestTenant, key: TestKey, receiver: Receiver) -> None:
    hook(key, receiver)
    raise_event(tenant)
    work_off(tenant)

    (post,) = receiver.posts
    jsonschema.validate(json.loads(post.body), catalogue(key)["contact.created"]["payload_schema"])


def test_a_schema_refuses_a_payload_without_one_of_its_fields(key: TestKey) -> None:
    entry = catalogue(key)["email.bounced"]
    del entry["sample"]["data"]["bounce_type"]

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(entry["sample"], entry["payload_schema"])


def test_an_event_with_a_field_of_another_type_than_the_catalogue_says_fails_its_test(tenant: TestTenant) -> None:
    wrong: Any = 7
    contact = ContactBlock(id=uuid4(), email=wrong)
    with pytest.raises(NotOfTheCatalogue), transaction(tenant_id=tenant.id, mode="live") as tx:
        emit(tx, ContactCreated(contact=contact, source="api"))


def kinds_below(kind: type[Event]) -> set[type[Event]]:
    found: set[type[Event]] = set()
    for below in kind.__subclasses__():
        found |= {below} if "type" in vars(below) else kinds_below(below)
    return found


def test_every_event_class_is_in_the_catalogue() -> None:
    ours = {(kind.type, kind.__name__) for kind in kinds_below(Event)}

    assert ours == {(name, kind.__name__) for name, kind in EVENT_TYPES.items()}


def test_a_webhook_keeps_the_version_that_it_was_made_with(
    tenant: TestTenant, key: TestKey, receiver: Receiver
) -> None:
    old = hook(key, receiver).id
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run("UPDATE webhooks SET api_version = 'v0'", {})
    path = f"/api/v1/webhooks/{old}"
    refused = call(handler, "PUT", path, token=key.plaintext, json={"api_version": "v1"})
    assert (refused.status, refused.json["errors"][0]["field"]) == (400, "api_version")
    assert call(handler, "PUT", path, token=key.plaintext, json={"name": "other"}).json["api_version"] == "v0"
    hook(key, receiver)
    raise_event(tenant)
    work_off(tenant)

    assert sorted(json.loads(post.body)["api_version"] for post in receiver.posts) == ["v0", "v1"]
