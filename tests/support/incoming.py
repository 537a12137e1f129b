"""Mail that comes in by Postmark, by Mailgun and by our own mail server."""

from base64 import b64encode
from typing import Any
from uuid import UUID, uuid4

from local.sandboxes.mailgun_inbound import incoming_fields
from local.services.incoming_mail import relay_headers
from penguinmails.domain.incoming_mail import relay_key, reply_address
from penguinmails.platform_secrets import current_key
from provider_events.app import handler
from tests.support.forms import multipart, urlencoded
from tests.support.http import Answer, call
from tests.support.people import signed_in
from tests.support.providers import configure, configured, send_by
from tests.support.tenants import TestKey, TestTenant

File = tuple[str, str, bytes]
"""Name, media type and content."""
REPLY_DOMAIN = "replies.example.test"
"""The domain of the fixture `reply_domain`."""


def postmark_mail(sender: str, answers: str | None = None, text: str = "Yes, please.", **fields: Any) -> dict[str, Any]:
    headers = {"Message-Id": f"<{uuid4()}@example.com>", **fields.pop("headers", {})}
    if answers is not None:
        headers |= {"In-Reply-To": answers}
    return {
        "FromFull": {"Email": sender, "Name": "Ada"},
        "Subject": "Re: Hello",
        "TextBody": text,
        "MessageID": str(uuid4()),
        "Date": "Sat, 31 Jan 2026 12:00:00 +0000",
        "Headers": [{"Name": name, "Value": value} for name, value in headers.items()],
        **fields,
    }


class PostmarkInbound:
    """An account whose incoming mail Postmark hands over."""

    def __init__(self, tenant: TestTenant, key: TestKey) -> None:
        self.tenant, self.key, self.set_up = tenant, key, configured(tenant, "postmark")
        self.path = "/webhooks/" + self.set_up["webhook_url"].partition("/webhooks/")[2] + "/inbound"

    def sent(self, **fields: Any) -> tuple[str, str]:
        to = f"{uuid4().hex}@example.com"
        return send_by(self.tenant, self.key, "postmark", to, **fields), to

    def post(self, body: dict[str, Any], password: str | None = None) -> Answer:
        credentials = f"{self.set_up['webhook_username']}:{password or self.set_up['webhook_password']}"
        headers = {"Authorization": "Basic " + b64encode(credentials.encode()).decode()}
        return call(handler, "POST", self.path, json=body, headers=headers)

    def mail(self, sender: str, answers: str | None = None, plus: str | None = None, **fields: Any) -> dict[str, Any]:
        """What Postmark posts of a mail; `plus` stood behind a plus in the address that it came to."""
        return postmark_mail(sender, answers, **({"MailboxHash": plus} if plus else {}), **fields)

    def answer(self, sender: str, answers: str | None = None, **fields: Any) -> Answer:
        return self.post(self.mail(sender, answers, **fields))


class MailgunInbound:
    """An account whose incoming mail Mailgun forwards."""

    def __init__(self, tenant: TestTenant, key: TestKey) -> None:
        self.tenant, self.key, self.signing_key = tenant, key, f"signing-{uuid4().hex}"
        answer = configure(signed_in(tenant), "mailgun", signing_key=self.signing_key)
        assert answer.status == 200, answer.body
        self.path = "/webhooks/" + answer.json["webhook_url"].partition("/webhooks/")[2] + "/inbound"

    def sent(self, **fields: Any) -> tuple[str, str]:
        to = f"{uuid4().hex}@example.com"
        return send_by(self.tenant, self.key, "mailgun", to, **fields), to

    def mail(self, sender: str, answers: str | None = None, plus: str | None = None, **more: Any) -> dict[str, str]:
        """What Mailgun posts of a mail; `plus` stood behind a plus in the address that it came to."""
        mail = {"from": sender, "to": f"Shop <shop{'+' + plus if plus else ''}@mg.example.com>", **more}
        if answers is not None:
            mail["in_reply_to"] = answers
        return incoming_fields(mail, self.signing_key)

    def post(self, fields: dict[str, str], files: list[File] | None = None) -> Answer:
        body, content_type = multipart(fields, files or []) if files is not None else urlencoded(fields)
        return call(handler, "POST", self.path, raw=body, headers={"Content-Type": content_type})

    def answer(self, sender: str, answers: str | None = None, **more: Any) -> Answer:
        return self.post(self.mail(sender, answers, **more))


Inbound = PostmarkInbound | MailgunInbound
BY_PROVIDER: dict[str, type[Inbound]] = {"postmark": PostmarkInbound, "mailgun": MailgunInbound}


def relay(content: bytes, recipient: str, sender: str = "ada@example.com", **changed: str) -> Answer:
    version, key = current_key("link_keys")
    headers = relay_headers(relay_key(key), version, sender=sender, recipient=recipient, content=content)
    return call(handler, "POST", "/webhooks/smtp/inbound", raw=content, headers={**headers, **changed})


def address_of(email_id: str) -> str:
    address = reply_address(UUID(email_id))
    assert address is not None
    return address
