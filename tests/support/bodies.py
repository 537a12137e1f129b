"""A body that each write of the API takes. A new write with a body needs an entry here."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.support.operations import Operation
from tests.support.people import PASSWORD


def somebody() -> str:
    return f"somebody-{uuid4().hex}@example.com"


def _name() -> dict[str, Any]:
    return {"name": f"Made by a test {uuid4().hex[:8]}"}


_EVERYBODY = {"not": {"field": "email", "operator": "equals", "value": "nobody@example.com"}}

BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "setSender": lambda: {"postal_address": "1 Ice Shelf Road, Port Stanley"},
    "previewCampaign": lambda: {"values": {"first_name": "Ada"}},
    "testCampaign": lambda: {"to": [somebody()]},
    "createPrivacyRequest": lambda: {"type": "access", "email": somebody()},
    "closeAccount": lambda: {"account_name": "Test tenant"},
    "acceptInvitation": lambda: {"token": "x" * 43, "name": "Grace", "password": PASSWORD},
    "changeMemberRole": lambda: {"role": "member"},
    "changePassword": lambda: {"current_password": PASSWORD, "new_password": "Another-horse-8"},
    "configureMailgun": lambda: {
        "api_key": "sandbox-key",
        "signing_key": "sandbox-signing",
        "domain": "mg.example.com",
        "default_sender": "a@mg.example.com",
    },
    "configurePostmark": lambda: {"api_key": "sandbox-key", "default_sender": "a@example.com"},
    "confirmSecondFactor": lambda: {"code": "123456"},
    "createAttachmentUpload": lambda: {"file_name": "report.pdf", "size": 4_000_000},
    "createApiKey": lambda: {"name": "Made by a test", "permissions": ["send_email"]},
    "cloneCampaign": dict[str, Any],
    "createCampaign": lambda: {**_name(), "steps": [{"type": "email", "subject": "Hello", "text_body": "Hello"}]},
    "enrolRecipients": lambda: {"contact_ids": []},
    "createContact": lambda: {"email": somebody()},
    "addListContacts": lambda: {"contact_ids": []},
    "bulkContacts": lambda: {"action": "upsert", "contacts": [{"email": somebody()}]},
    "cancelContactImport": lambda: {},
    "createContactExport": lambda: {},
    "createContactImport": lambda: {"file_name": "p.csv", "file_type": "csv", "content": "email\na@example.com\n"},
    "createContactField": lambda: {"key": f"field_{uuid4().hex[:8]}", "type": "text"},
    "createList": _name,
    "createSegment": lambda: {**_name(), "definition": _EVERYBODY},
    "createSuppression": lambda: {"email": somebody()},
    "createSuppressions": lambda: {"emails": [somebody()]},
    "createTag": _name,
    "createTemplate": lambda: {**_name(), "subject": "Hello", "text_body": "Hello {{ first_name }}"},
    "patchTemplate": lambda: {"subject": "Changed"},
    "updateTemplate": lambda: {"subject": "Changed"},
    "renderTemplate": lambda: {"variables": {"first_name": "Ada"}},
    "testWebhook": dict[str, Any],
    "replayWebhook": lambda: {"from": "2026-01-15T00:00:00Z", "to": "2026-01-16T00:00:00Z"},
    "rehearseWebhook": lambda: {"event_types": ["contact.created"]},
    "createDomain": lambda: {"domain": f"d{uuid4().hex[:12]}.example.com"},
    "createWebhook": lambda: {
        "name": "Hook",
        "endpoint_url": "https://hooks.example.com/in",
        "event_types": ["email.sent"],
    },
    "forgotPassword": lambda: {"email": somebody()},
    "createWorkspace": lambda: {"name": "Launch", "slug": uuid4().hex},
    "inviteMember": lambda: {"email": somebody(), "role": "member"},
    "patchCampaign": lambda: {"description": "Changed"},
    "patchApiKey": lambda: {"name": "Renamed"},
    "patchContact": lambda: {"first_name": "Changed"},
    "patchContactField": lambda: {"label": "Changed"},
    "patchList": lambda: {"description": "Changed"},
    "patchSegment": _name,
    "patchThread": lambda: {"status": "archived"},
    "patchTag": _name,
    "previewSegment": lambda: {"definition": _EVERYBODY},
    "patchWebhook": lambda: {"name": "Renamed"},
    "patchWorkspace": lambda: {"name": "Renamed"},
    "refreshSession": lambda: {"refresh_token": "x" * 43},
    "resendVerification": lambda: {"email": somebody()},
    "resetPassword": lambda: {"token": "x" * 43, "password": "Another-horse-8"},
    "sendCampaign": lambda: {"action": "pause"},
    "sendEmail": lambda: {"to": somebody(), "subject": "Hello", "text_body": "Hello"},
    "resumeWebhook": lambda: {"backlog": "deliver"},
    "rotateWebhookSecret": lambda: {"overlap_hours": 1},
    "revokeAllApiKeys": lambda: {"reason": "A test"},
    "setWorkspaceMember": lambda: {"role": "viewer"},
    "signIn": lambda: {"email": somebody(), "password": PASSWORD},
    "signUp": lambda: {"email": somebody(), "password": PASSWORD, "name": "Ada", "company": "Engines"},
    "stepUp": lambda: {"password": PASSWORD},
    "updateApiKey": lambda: {"name": "Renamed"},
    "updateCampaign": lambda: {"description": "Changed"},
    "updateContact": lambda: {"first_name": "Changed"},
    "updateContactField": lambda: {"label": "Changed"},
    "updateList": lambda: {"description": "Changed"},
    "updateSegment": _name,
    "updateTag": _name,
    "startContactImport": lambda: {},
    "updateWebhook": lambda: {"name": "Renamed"},
    "updateWorkspace": lambda: {"name": "Renamed"},
    "verifyEmail": lambda: {"token": "x" * 43},
}
"""By operation: a body that fits its schema, and is accepted where no token or address of somebody's own is needed."""


REPLACED: dict[tuple[str, str], dict[str, Any]] = {
    ("sendEmail", "template_id"): {"subject": None, "text_body": None, "variables": {"first_name": "Ada"}},
}
"""By operation and field that holds an id: what else of the body changes with it; None takes a field out."""


def body_for(operation: Operation) -> dict[str, Any] | None:
    """A body that the operation accepts; None when it takes none."""
    if operation.body is None:
        return None
    assert operation.id in BODIES, f"{operation}: add a body that it accepts to BODIES in tests/support/resources.py"
    return BODIES[operation.id]()
