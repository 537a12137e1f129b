"""The main job from end to end: a request to send becomes a mail, and a signed webhook says so."""

import json
from uuid import UUID, uuid4

from standardwebhooks.webhooks import Webhook

from dispatch_webhooks.app import handler as dispatch
from emails.app import handler as emails
from fan_out_events.app import handler as fan_out
from local.services.mail import MailCatcher
from send_emails.app import handler as send_emails
from tests.support.http import call
from tests.support.queues import consume, messages_for
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from webhooks.app import handler as webhooks


def test_a_sent_email_is_announced_by_a_signed_webhook_once_though_every_message_comes_twice(
    tenant: TestTenant, key: TestKey, mail_catcher: MailCatcher
) -> None:
    receiver, to = Receiver(), f"{uuid4().hex}@example.com"
    try:
        hook = {"name": "hook", "endpoint_url": receiver.url, "event_types": ["email.sent"]}
        secret = call(webhooks, "POST", "/api/v1/webhooks", token=key.plaintext, json=hook).json["secret_key"]
        mail = {"to": to, "subject": "Hello", "text_body": "Hi"}
        sent = call(emails, "POST", "/api/v1/emails/send", token=key.plaintext, json=mail).json

        for queue, consumer in (("emails", send_emails), ("events", fan_out), ("deliveries", dispatch)):
            messages = messages_for(queue, tenant.id)
            assert consume(consumer, *messages, *messages) == []
    finally:
        receiver.stop()

    assert len(mail_catcher.mails_to(to)) == 1
    (post,) = receiver.posts
    Webhook(secret).verify(post.body, {name.lower(): value for name, value in post.headers.items()})
    document = json.loads(post.body)
    assert (document["type"], document["test"], document["tenant_id"]) == ("email.sent", False, str(tenant.id))
    assert document["data"]["email_id"] == str(UUID(sent["id"]))
    assert document["data"]["sent_at"].endswith("Z")
