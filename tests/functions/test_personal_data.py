"""Whatever table knows something about a person is in the copy and forgets it by an erasure, or says here why not."""

import base64
import os
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from answer_privacy_requests.app import handler as answer
from answer_privacy_requests.sections import SECTIONS
from contact_fields.app import handler as contact_fields
from contacts.app import handler as contacts
from emails.app import handler as emails
from local.services.mail import MailCatcher
from penguinmails.db import transaction
from penguinmails.domain.mail_report_rows import count_soft_bounce
from penguinmails.mime import Attachment
from provider_events.replies import Answer, take_answer
from purge_files.app import handler as purge
from suppression.app import handler as suppression
from tests.functions.test_track import links, visit
from tests.support.campaigns import add_list, carry_out, started
from tests.support.catalogue import tables
from tests.support.hooks import hook, work_off
from tests.support.http import call
from tests.support.imports_of_contacts import run_import
from tests.support.people import signed_in
from tests.support.privacy import ask, copy, where_it_stands
from tests.support.queues import run_job
from tests.support.receiver import Receiver
from tests.support.tenants import TestKey, TestTenant
from tests.support.uploads import deliver, uploaded

COPIED = {
    "contacts": "contacts", "contact_tags": "tags", "contact_lists": "lists", "contact_workspaces": "workspaces",
    "campaign_contacts": "campaigns", "emails": "emails", "content_objects": "emails", "email_tags": "emails",
    "email_attachments": "email_attachments", "email_events": "email_events", "events": "events",
    "inbox_threads": "inbox_threads", "inbox_messages": "inbox_messages", "inbox_attachments": "inbox_attachments",
    "import_events": "import_events", "webhook_attempts": "webhook_attempts", "privacy_requests": "privacy_requests",
    "soft_bounces": "soft_bounces", "suppression_list": "suppression_list", "suppression_lifts": "suppression_lifts",
}  # fmt: skip
"""Which section of the copy has what a table knows about a person."""
NOT_COPIED = {
    "audit_log": "what people of the account did; names contacts and emails by their ids",
    "contact_field_values": "the contact's own attributes say the same",
    "contact_spans": "where in the order of contacts a search may begin; ids",
    "contact_search": "words of the contact by which it is found",
    "email_uploads": "email_attachments names the files; the job that removes them leaves nothing within a day",
    "idempotency_keys": "answers of the last 24 hours, kept so that repeated requests happen once",
    "outbox": "messages on their way to queues; ids",
    "provider_events": "ids of the reports of seven days",
    "webhook_deliveries": "which event went to which webhook; ids",
}
NOT_ABOUT_CONTACTS = {
    "the account, its people and what it has agreed to": (
        "users", "user_credentials", "sessions", "reauth_tokens", "recovery_codes", "link_tokens", "invitations",
        "staff_members", "workspace_members", "subscriptions", "tenant_overrides", "mail_outbox",
    ),
    "what the account has set up, in its own words": (
        "api_keys", "campaigns", "campaign_steps", "contact_fields", "domains", "lists", "mail_servers", "provider_accounts",
        "segments", "tags", "templates", "webhooks", "workspaces",
    ),
    "work that was asked for, and how far it is": (
        "account_exports", "account_export_parts", "export_jobs", "import_jobs", "pending_removals", "webhook_replays",
    ),
    "sums, counts and places in an order": (
        "api_key_usage", "api_key_usage_daily", "api_key_usage_sources", "campaign_stats", "contact_counts",
        "email_figure_changes", "email_rollups", "mailbox_days", "send_paces", "usage_counters", "webhook_figure_changes",
        "webhook_quarters", "webhook_sequences",
    ),
}  # fmt: skip
LEFT_BY_AN_ERASURE = {
    "suppression_list": "who opted out would be written to again otherwise",
    "idempotency_keys": NOT_COPIED["idempotency_keys"],
}


class Ada:
    """A person about whom an account knows all that it can know. `word` stands in every field that can hold one."""

    def __init__(self, tenant: TestTenant, key: TestKey) -> None:
        self.tenant, self.key = tenant, key
        self.address, self.word = f"ada.{uuid4().hex}@example.com", uuid4().hex
        self.ids: list[str] = []

    def _post(self, handler: Any, path: str, body: dict[str, Any], **headers: str) -> Any:
        made = call(handler, "POST", f"/api/v1{path}", token=self.key.plaintext, json=body, headers=headers)
        assert made.status < 300, made.body
        return made.json

    def become_known(self) -> None:
        self._post(contact_fields, "/contact-fields", {"key": "seat", "type": "text"})
        body = {
            "email": self.address, "attributes": {"seat": self.word}, "tags": ["poets"],
            "workspace_ids": [str(self.tenant.workspace_id)],
            **dict.fromkeys(("first_name", "company", "phone", "city", "external_id"), self.word),
        }  # fmt: skip
        contact = self._post(contacts, "/contacts", body, **{"Idempotency-Key": uuid4().hex})
        self.ids.append(contact["id"])
        run_import(self.tenant, self.key, f"email,company\n{self.address},New\n", duplicates="update")
        started(self.key, list_id=add_list(self.key, UUID(contact["id"])))
        carry_out(self.tenant)

    def get_mail(self, catcher: MailCatcher) -> None:
        inline = {"file_name": f"{self.word}.csv", "content": base64.b64encode(b"a;b").decode()}
        upload = uploaded(self.key, file_name=f"{self.word}.pdf")
        body = {
            "to": self.address, "subject": self.word, "html_body": f'<a href="https://x.test/">{self.word}</a>',
            "headers": {"X-Seat": self.word}, "metadata": {"seat": self.word}, "tags": ["greeting"],
            "attachments": [inline, {"upload_id": upload["id"]}],
        }  # fmt: skip
        self.ids.append(self._post(emails, "/emails/send", body)["id"])
        deliver(self.tenant)
        mail = next(mail for mail in catcher.mails_to(self.address) if mail.html and self.word in mail.html)
        visit(links(mail)["o"], agent=f"Mozilla/5.0 {self.word}")
        work_off(self.tenant)

    def write(self, sender: str, text: str) -> None:
        """A mail that comes in, with a file, about the mail that Ada got."""
        with transaction(tenant_id=self.tenant.id, mode="live") as tx:
            taken = take_answer(
                tx,
                Answer(
                    message_id=f"<{uuid4()}@example.com>", from_email=sender, from_name=text, subject=text, text=text,
                    references=[f"<{UUID(self.ids[-1]).hex}@penguinmails.com>"], plus="", is_automatic=False,
                    received_at=datetime.now(UTC), files=[Attachment(f"{text}.txt", "text/plain", b"Hello")],
                ),
            )  # fmt: skip
        assert taken

    def opt_out_again(self) -> None:
        with transaction(tenant_id=self.tenant.id, mode="live") as tx:
            count_soft_bounce(tx, self.address, datetime.now(UTC))
        path, body = "/suppression-list", {"email": self.address, "reason": "user_request"}
        entry = self._post(suppression, path, body)
        note = {"consent_note": f"Agreed by letter {self.word}"}
        lifted = signed_in(self.tenant).call(suppression, "DELETE", f"/api/v1{path}/{entry['id']}", query=note)
        assert lifted.status == 200
        self._post(suppression, path, body)


@pytest.fixture
def ada(tenant: TestTenant, key: TestKey, receiver: Receiver, mail_catcher: MailCatcher) -> Ada:
    person = Ada(tenant, key)
    receiver.answers = [(200, {"X-Echo": person.word})] * 50
    hook(key, receiver, event_types=["contact.created", "email.sent", "email.opened"])
    person.become_known()
    person.get_mail(mail_catcher)
    person.write("alice@example.com", "Ada is away")
    person.write(person.address, person.word)
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        # What she wrote of her own accord is a conversation with her.
        thread = Answer(
            message_id=f"<{uuid4()}@example.com>", from_email=person.address, from_name="", subject=person.word,
            text=person.word, references=[], plus="", is_automatic=False, received_at=datetime.now(UTC),
        )  # fmt: skip
        assert take_answer(tx, thread)
    person.opt_out_again()
    return person


def test_every_table_of_tenants_is_copied_or_says_why_not() -> None:
    found = {t.name for t in tables(os.environ["MIGRATIONS_DATABASE_URL"]) if t.parent is None and t.has("tenant_id")}
    others = [name for names in NOT_ABOUT_CONTACTS.values() for name in names]

    assert sorted(found) == sorted([*COPIED, *NOT_COPIED, *others])
    assert set(COPIED.values()) == set(SECTIONS)


def test_all_that_is_known_is_in_the_copy(ada: Ada) -> None:
    request = ask(ada.key, "access", ada.address)
    known = set[str]().union(*(where_it_stands(ada.tenant.id, text) for text in (ada.address, ada.word, *ada.ids)))

    run_job(answer)

    content = copy(ada.key, request["id"])
    assert known - set(COPIED) - set(NOT_COPIED) == set()
    assert set(COPIED) - known == set(), "the tests' person leaves nothing there; let them"
    assert {name for name, rows in content.items() if not rows} == set()
    assert content["import_events"][0]["previous"]["company"] == ada.word
    assert content["suppression_lifts"][0]["consent_note"] == f"Agreed by letter {ada.word}"
    (mail,) = (row for row in content["emails"] if row["id"] == ada.ids[-1])
    assert (mail["headers"], mail["tags"]) == ({"X-Seat": ada.word}, ["greeting"])
    assert {row["response_headers"].get("X-Echo") for row in content["webhook_attempts"]} == {ada.word}
    assert [(row["from_email"], row["body_text"]) for row in content["inbox_messages"]] == [(ada.address, ada.word)] * 2
    assert [row["file_name"] for row in content["inbox_attachments"]] == [f"{ada.word}.txt"]


def test_an_erasure_leaves_nothing_but_what_is_named_here(ada: Ada) -> None:
    earlier = ask(ada.key, "access", ada.address)
    run_job(answer)
    with transaction(tenant_id=ada.tenant.id, mode="live") as tx:
        tx.run("UPDATE privacy_requests SET status = 'failed' WHERE id = %(id)s::uuid", {"id": earlier["id"]})
    ask(ada.key, "erasure", ada.address)

    run_job(answer)
    with transaction(tenant_id=ada.tenant.id, mode="live") as tx:
        tx.run("UPDATE email_uploads SET look_at = look_at - interval '2 hours'", {})
    run_job(purge)

    assert where_it_stands(ada.tenant.id, ada.word) == {"idempotency_keys"}
    assert where_it_stands(ada.tenant.id, ada.address) == set(LEFT_BY_AN_ERASURE)
