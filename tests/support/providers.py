"""Accounts with mail providers, and mails sent through them."""

from typing import Any, Literal
from uuid import uuid4

from emails.app import handler as emails
from local.sandboxes.mailgun import signing_key_of
from provider_accounts.app import handler as provider_accounts
from send_emails.app import handler as send_emails
from tests.support.http import Answer, call
from tests.support.people import Person, signed_in
from tests.support.queues import consume, messages_for
from tests.support.secret_watch import remember
from tests.support.tenants import TestKey, TestTenant

ESP = "/api/v1/tenant/esp"
ProviderName = Literal["postmark", "mailgun"]


def configure(person: Person, provider: ProviderName, **fields: Any) -> Answer:
    """Set up an account; the API key is one that the sandbox takes."""
    key = f"sandbox-{uuid4().hex}"
    body: dict[str, Any] = {"api_key": key, "default_sender": "Shop <shop@example.com>"}
    if provider == "mailgun":
        body |= {"domain": "mg.example.com", "signing_key": signing_key_of(key)}
        remember("signing key", body["signing_key"])
    remember("provider key", key)
    answer = call(provider_accounts, "POST", f"{ESP}/{provider}", token=person.access_token, json=body | fields)
    if answer.status == 200 and "webhook_url" in answer.json:
        remember("endpoint", answer.json["webhook_url"].rpartition("/")[2])
        if answer.json["webhook_password"]:
            remember("webhook password", answer.json["webhook_password"])
    return answer


def configured(tenant: TestTenant, provider: ProviderName) -> Any:
    """The answer to setting up an account."""
    answer = configure(signed_in(tenant), provider)
    assert answer.status == 200, answer.body
    return answer.json


def send_by(tenant: TestTenant, key: TestKey, provider: str, to: str, **fields: Any) -> str:
    """The id of an email that was handed to a provider."""
    body = {"to": to, "subject": "Hello", "text_body": "Hello", "provider": provider, **fields}
    answer = call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=body)
    assert answer.status == 200, answer.body
    assert consume(send_emails, *messages_for("emails", tenant.id)) == []
    return answer.json["id"]


def shown(key: TestKey, email_id: str) -> Any:
    """An email as the API shows it."""
    return call(emails, "GET", f"/api/v1/emails/{email_id}", token=key.plaintext).json
