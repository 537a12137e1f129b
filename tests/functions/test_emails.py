"""Queueing and reading emails: who may be written to, what a message may hold, and what the plan allows."""

from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.app import handler as contacts
from emails.app import MAX_BODY_BYTES, handler
from penguinmails.auth.scopes import Scope
from penguinmails.db import transaction
from penguinmails.domain.plain_text import plain_text
from tests.support.http import Answer, call
from tests.support.people import signed_in
from tests.support.queues import messages_for
from tests.support.tenants import TestKey, TestTenant

EMAILS = "/api/v1/emails"
SEND = f"{EMAILS}/send"


def send(key: TestKey, **fields: Any) -> Answer:
    body = {"to": "ada@example.com", "subject": "Hello", "html_body": "<p>Hello <b>Ada</b></p>", **fields}
    body = {name: value for name, value in body.items() if value is not ...}
    return call(handler, "POST", SEND, token=key.plaintext, json=body)


def suppress(email: str, tenant: TestTenant | None = None, mode: Literal["live", "test"] = "live") -> None:
    with transaction(role="jobs") as tx:
        tx.run(
            """
            INSERT INTO suppression_list (id, tenant_id, mode, email, reason, source, scope)
            VALUES (%(id)s, %(tenant)s, %(mode)s, %(email)s, 'spam_complaint', 'test', %(scope)s)
            """,
            {
                "id": uuid4(),
                "tenant": tenant and tenant.id,
                "mode": mode,
                "email": email,
                "scope": "tenant" if tenant else "global",
            },
        )


def limit_emails(tenant: TestTenant, limit: int) -> None:
    with transaction(role="jobs") as tx:
        tx.run(
            """
            INSERT INTO tenant_overrides (tenant_id, limits, reason)
            VALUES (%(id)s, jsonb_build_object('max_emails_per_month', %(limit)s::integer), 'test')
            """,
            {"id": tenant.id, "limit": limit},
        )


def count_of(tenant: TestTenant) -> int:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.one("SELECT coalesce(sum(value), 0)::bigint FROM usage_counters WHERE metric = 'emails'", {})


def content_of(tenant: TestTenant, email_id: str) -> Any:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.one(
            "SELECT row_to_json(c) FROM content_objects c JOIN emails e ON e.content_key = c.storage_key WHERE e.id = %(id)s",
            {"id": UUID(email_id)},
        )


def test_an_email_is_queued_and_shown_with_its_history(tenant: TestTenant, key: TestKey) -> None:
    sender, reply_to = f"Grace Hopper <grace@{tenant.verified_domain()}>", "answers@sender.example.com"

    answer = send(key, to=" Ada@Example.com ", tags=["b", "a", "a"], reply_to=reply_to, **{"from": sender})

    assert answer.status == 200, answer.body
    assert set(answer.json) == {"id", "status", "to", "created_at"}
    assert (answer.json["status"], answer.json["to"]) == ("queued", "ada@example.com")
    assert messages_for("emails", tenant.id) == [
        {"tenant_id": str(tenant.id), "mode": "live", "email_id": answer.json["id"], "attempts": 0}
    ]
    shown = call(handler, "GET", f"{EMAILS}/{answer.json['id']}", token=key.plaintext).json
    assert (shown["from"], shown["reply_to"], shown["tags"]) == (sender, reply_to, ["a", "b"])
    assert (shown["subject"], shown["email_type"], shown["created_at"]) == (
        "Hello",
        "transactional",
        answer.json["created_at"],
    )
    assert [event["type"] for event in shown["events"]] == ["queued"]


def test_a_missing_plain_text_is_derived_from_the_html(tenant: TestTenant, key: TestKey) -> None:
    html = '<style>p{}</style><h1>Hi &amp; hello</h1><p>See <a href="https://a.example">here</a></p><ul><li>one<li>two</ul>'

    email_id = send(key, html_body=..., body=html).json["id"]

    content = content_of(tenant, email_id)
    assert content["content_html"] == html
    assert content["content_text"] == "Hi & hello\n\nSee here (https://a.example)\n\n- one\n- two"


def test_a_given_plain_text_is_kept_and_html_is_optional(tenant: TestTenant, key: TestKey) -> None:
    both, text_only = send(key, text_body="By hand"), send(key, html_body=..., text_body="Alone")

    assert content_of(tenant, both.json["id"])["content_text"] == "By hand"
    assert content_of(tenant, text_only.json["id"])["content_html"] is None


@given(st.text(alphabet="<>/&;abp \n\"'=!-script", max_size=200))
def test_any_html_has_a_plain_text(html: str) -> None:
    text = plain_text(html)

    assert text == text.strip()
    assert "\n\n\n" not in text


@pytest.mark.parametrize("piece", ["<a ", "<![", "<!--", '<a x="', "<script ", "<title>", "<a>x", "</", "<a '<a \""])
def test_html_that_is_broken_from_end_to_end_has_a_plain_text(piece: str) -> None:
    """Anybody may send it in an answer; going over the rest of it at every piece would take hours."""
    assert isinstance(plain_text(piece * 100_000), str)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a < b and c > d", "a < b and c > d"),
        ('<p title="a > b">z</p>', "z"),
        ("<script>if (a<b) { '</body>' }</script>seen", "seen"),
        ("<!--[if mso]>not<![endif]-->seen", "seen"),
        ("<a href=mailto:a@b.example>a@b.example</a>", "a@b.example"),
        ('<a href="https://x.example/?a=1&amp;b=2">open', "open (https://x.example/?a=1&b=2)"),
        ('<IMG alt="Logo &copy;" src=x><br/>Hi', "Logo ©\nHi"),
    ],
)
def test_the_plain_text_says_what_a_browser_would_show(html: str, text: str) -> None:
    assert plain_text(html) == text


@given(st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=50))
def test_words_are_never_lost_on_the_way_to_plain_text(words: str) -> None:
    assert plain_text(f"<head><title>t</title></head><body><div><p>{words}</p></div></body>") == words


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"to": "nonsense"}, "to"),
        ({"to": 7}, "to"),
        ({"to": []}, "to"),
        ({"to": [f"a{n}@example.com" for n in range(101)]}, "to"),
        ({"to": ["ada@example.com", "ADA@example.com"]}, "to"),
        ({"to": "ada@example.com\r\nBcc: eve@example.com"}, "to"),
        ({"from": "nobody"}, "from"),
        ({"from": "Ada\r\nBcc: eve@example.com <ada@example.com>"}, "from"),
        ({"reply_to": "nobody"}, "reply_to"),
        ({"subject": ""}, "subject"),
        ({"subject": "Hello\r\nBcc: eve@example.com"}, "subject"),
        ({"subject": "x" * 999}, "subject"),
        ({"html_body": "a\x00b"}, "html_body"),
        ({"headers": {"X-A": "b\r\nBcc: eve@example.com"}}, "headers.X-A"),
        ({"headers": {"X-A\r\nBcc": "eve@example.com"}}, "headers.X-A\r\nBcc.[key]"),
        ({"headers": {"X A": "b"}}, "headers.X A.[key]"),
        ({"headers": {"bCC": "eve@example.com"}}, "headers.bCC.[key]"),
        ({"headers": {"Content-Type": "text/html"}}, "headers.Content-Type.[key]"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "headers"),
        ({"headers": {f"X-{n}": "1" for n in range(21)}}, "headers"),
        ({"tags": [""]}, "tags.0"),
        ({"tags": ["x"] * 21}, "tags"),
        ({"email_type": "spam"}, "email_type"),
        ({"body": "twice"}, "body"),
        ({"template_id": str(uuid4())}, "template_id"),
        ({"attachments": "none"}, "attachments"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"follow_opens": True}, "follow_opens"),
        ({"html_body": ...}, "body"),
    ],
)
def test_a_bad_field_is_named(tenant: TestTenant, key: TestKey, fields: dict[str, Any], field: str) -> None:
    answer = send(key, **fields)

    assert answer.status == 400, answer.body
    assert field in [error["field"] for error in answer.json["errors"]]
    assert messages_for("emails", tenant.id) == []


def test_the_position_of_a_bad_address_is_told(key: TestKey) -> None:
    answer = send(key, to=["ada@example.com", "nonsense"])

    assert "address 2" in answer.json["errors"][0]["message"]


def test_a_missing_field_is_called_so(key: TestKey) -> None:
    assert send(key, subject=...).code == "MISSING_REQUIRED_FIELD"


def test_a_list_of_recipients_gets_an_email_each_and_suppressed_ones_are_marked(
    tenant: TestTenant, key: TestKey
) -> None:
    suppress("bob@example.com", tenant)

    answer = send(key, to=["ada@example.com", "bob@example.com", "cy@example.com"], tags=["launch"])

    assert answer.status == 200, answer.body
    items = answer.json["items"]
    assert [(item["to"], item["status"]) for item in items] == [
        ("ada@example.com", "queued"),
        ("bob@example.com", "suppressed"),
        ("cy@example.com", "queued"),
    ]
    assert {message["email_id"] for message in messages_for("emails", tenant.id)} == {items[0]["id"], items[2]["id"]}
    shown = call(handler, "GET", f"{EMAILS}/{items[1]['id']}", token=key.plaintext).json
    assert [event["type"] for event in shown["events"]] == ["suppressed"]
    assert count_of(tenant) == 2


def test_a_single_suppressed_recipient_is_refused_and_nothing_is_stored(tenant: TestTenant, key: TestKey) -> None:
    suppress("ada@example.com", tenant)

    answer = send(key, to="ADA@example.com")

    assert (answer.status, answer.code) == (409, "RECIPIENT_SUPPRESSED")
    assert call(handler, "GET", EMAILS, token=key.plaintext).json["data"] == []
    assert count_of(tenant) == 0


def test_an_address_that_the_platform_suppresses_is_refused_for_everybody(key: TestKey) -> None:
    address = f"{uuid4().hex}@example.com"
    suppress(address)

    assert send(key, to=address).code == "RECIPIENT_SUPPRESSED"


def test_a_contact_that_opted_out_is_not_written_to(key: TestKey) -> None:
    body = {"email": "ada@example.com", "status": "unsubscribed"}
    assert call(contacts, "POST", "/api/v1/contacts", token=key.plaintext, json=body).status == 201

    assert send(key).code == "RECIPIENT_SUPPRESSED"


def test_suppression_is_the_tenants_and_the_modes_own(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey
) -> None:
    suppress("ada@example.com", tenant)

    assert send(other_tenant.key()).status == 200
    assert send(tenant.key(mode="test")).status == 200


def test_the_plans_monthly_limit_is_kept_and_a_refused_request_counts_nothing(tenant: TestTenant, key: TestKey) -> None:
    limit_emails(tenant, 3)
    assert send(key, to=["a@example.com", "b@example.com"]).status == 200

    over = send(key, to=["c@example.com", "d@example.com"])

    assert (over.status, over.code) == (403, "QUOTA_EXCEEDED")
    assert send(key).status == 200
    assert send(key).code == "QUOTA_EXCEEDED"
    assert count_of(tenant) == 3


def test_a_first_request_beyond_the_limit_is_refused_too(tenant: TestTenant, key: TestKey) -> None:
    limit_emails(tenant, 1)

    assert send(key, to=["a@example.com", "b@example.com"]).code == "QUOTA_EXCEEDED"


def test_test_mode_does_not_use_the_quota(tenant: TestTenant) -> None:
    limit_emails(tenant, 0)

    assert send(tenant.key(mode="test")).status == 200
    assert count_of(tenant) == 0


def test_an_idempotency_key_sends_once(tenant: TestTenant, key: TestKey) -> None:
    body = {"to": "ada@example.com", "subject": "Hello", "text_body": "Hi"}
    first, again = (
        call(handler, "POST", SEND, token=key.plaintext, json=body, headers={"Idempotency-Key": "1"}) for _ in "12"
    )

    assert again.json == first.json
    assert len(messages_for("emails", tenant.id)) == 1


def test_filters_narrow_the_list_and_pages_go_on(key: TestKey) -> None:
    ada = send(key, tags=["vip"]).json["id"]
    bea = send(key, to="bea@example.com").json["id"]

    def ids(**query: str) -> list[str]:
        answer = call(handler, "GET", EMAILS, token=key.plaintext, query=query)
        assert answer.status == 200, answer.body
        return [item["id"] for item in answer.json["data"]]

    assert ids() == [bea, ada]
    assert ids(tag="vip") == ids(recipient="ADA@example.com") == [ada]
    assert ids(status="queued", order="asc") == [ada, bea]
    assert ids(status="sent") == ids(campaign_id=str(uuid4())) == []
    assert ids(created_before="2020-01-01T00:00:00Z") == ids(created_after="2999-01-01T00:00:00Z") == []
    first = call(handler, "GET", EMAILS, token=key.plaintext, query={"limit": "1"}).json
    assert ids(limit="1", cursor=first["pagination"]["next_cursor"]) == [ada]
    by_offset = call(handler, "GET", EMAILS, token=key.plaintext, query={"offset": "1"}).json
    assert (by_offset["pagination"]["total"], [item["id"] for item in by_offset["data"]]) == (2, [ada])


def test_of_very_many_opens_the_latest_are_shown_with_all_that_else_happened(tenant: TestTenant, key: TestKey) -> None:
    email_id = send(key).json["id"]
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        tx.run(
            """
            INSERT INTO email_events (id, tenant_id, mode, email_id, type, data, occurred_at)
            SELECT gen_random_uuid(), %(tenant)s, 'live', %(id)s, 'opened', jsonb_build_object('n', n), now() + n * interval '1 s'
            FROM generate_series(1, 300) n
            """,
            {"tenant": tenant.id, "id": email_id},
        )

    events = call(handler, "GET", f"{EMAILS}/{email_id}", token=key.plaintext).json["events"]

    assert [entry["data"].get("n") for entry in events] == [None, *range(101, 301)]


@pytest.mark.parametrize("query", [{"status": "lost"}, {"created_after": "yesterday"}, {"sort_by": "subject"}])
def test_a_bad_query_is_refused(key: TestKey, query: dict[str, str]) -> None:
    assert call(handler, "GET", EMAILS, token=key.plaintext, query=query).status == 400


def test_sending_needs_its_scope_and_reading_either(tenant: TestTenant) -> None:
    reader, sender = tenant.key(Scope.READ_ANALYTICS), tenant.key(Scope.SEND_EMAIL)
    email_id = send(sender).json["id"]

    assert (send(reader).status, send(reader).json["required_scope"]) == (403, "send_email")
    for key in (reader, sender):
        assert call(handler, "GET", EMAILS, token=key.plaintext).status == 200
        assert call(handler, "GET", f"{EMAILS}/{email_id}", token=key.plaintext).status == 200
    other = tenant.key(Scope.MANAGE_CONTACTS)
    assert call(handler, "GET", EMAILS, token=other.plaintext).status == 403
    assert call(handler, "GET", f"{EMAILS}/{email_id}", token=other.plaintext).status == 403
    assert call(handler, "GET", EMAILS).status == 401


def test_a_signed_in_developer_may_send(tenant: TestTenant) -> None:
    body = {"to": "ada@example.com", "subject": "Hello", "text_body": "Hi"}

    assert signed_in(tenant, "developer").call(handler, "POST", SEND, json=body).status == 200
    assert signed_in(tenant, "member").call(handler, "POST", SEND, json=body).status == 403


def test_another_tenant_and_another_mode_find_nothing(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey
) -> None:
    path = f"{EMAILS}/{send(key).json['id']}"

    for stranger in (other_tenant.key(), tenant.key(mode="test")):
        assert call(handler, "GET", path, token=stranger.plaintext).status == 404
        assert call(handler, "GET", EMAILS, token=stranger.plaintext).json["data"] == []


def test_a_large_message_is_accepted_up_to_the_limit(key: TestKey) -> None:
    large = send(key, html_body="<p>" + "x" * 2_000_000)
    too_large = call(handler, "POST", SEND, token=key.plaintext, raw=b"x" * (MAX_BODY_BYTES + 1))

    assert large.status == 200, large.body
    assert (too_large.status, too_large.code) == (413, "PAYLOAD_TOO_LARGE")


def test_a_body_of_another_type_is_refused(key: TestKey) -> None:
    answer = call(handler, "POST", SEND, token=key.plaintext, raw=b"to=ada", headers={"Content-Type": "text/plain"})

    assert answer.status == 415
