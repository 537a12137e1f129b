"""Campaigns for tests: an account with contacts, a draft, and calls of the endpoints."""

from typing import Any
from uuid import UUID, uuid4

from campaigns.app import handler
from contacts.app import handler as contacts_handler
from lists.app import handler as lists_handler
from tests.support.http import Answer, call
from tests.support.tenants import TestKey

CAMPAIGNS = "/api/v1/campaigns"
EMAIL = {"type": "email", "subject": 'Hello {{ first_name | default("there") }}', "html_body": "<p>Hi {{ email }}</p>"}
WAIT = {"type": "wait", "wait": {"value": 2, "unit": "days"}}
NO_LIMIT = {"daily_limit": 500}


def ask(key: TestKey, method: str, path: str = "", **request: Any) -> Answer:
    """Call an endpoint below /campaigns."""
    return call(handler, method, CAMPAIGNS + path, token=key.plaintext, **request)


def add_contact(key: TestKey, **fields: Any) -> UUID:
    """A contact of the account."""
    body = {"email": f"{uuid4().hex}@example.com", **fields}
    answer = call(contacts_handler, "POST", "/api/v1/contacts", token=key.plaintext, json=body)
    assert answer.status == 201, answer.body
    return UUID(answer.json["id"])


def add_list(key: TestKey, *contact_ids: UUID) -> str:
    """A static list with contacts on it."""
    body = {"name": uuid4().hex}
    list_id = call(lists_handler, "POST", "/api/v1/lists", token=key.plaintext, json=body).json["id"]
    ids = {"contact_ids": [str(contact_id) for contact_id in contact_ids]}
    answer = call(lists_handler, "POST", f"/api/v1/lists/{list_id}/contacts", token=key.plaintext, json=ids)
    assert answer.status == 200, answer.body
    return list_id


def draft(key: TestKey, **fields: Any) -> Any:
    """A drafted campaign of one email, unless other steps are given."""
    body = {"name": "Launch", "steps": [EMAIL], "settings": NO_LIMIT, **fields}
    answer = ask(key, "POST", json=body)
    assert answer.status == 201, answer.body
    return answer.json


def started(key: TestKey, **fields: Any) -> str:
    """The id of a campaign that was started."""
    campaign_id = draft(key, **fields)["id"]
    answer = ask(key, "POST", f"/{campaign_id}/start")
    assert answer.status == 200, answer.body
    return campaign_id


def status_of(key: TestKey, campaign_id: str) -> str:
    """The state that a campaign is in."""
    return ask(key, "GET", f"/{campaign_id}").json["status"]
