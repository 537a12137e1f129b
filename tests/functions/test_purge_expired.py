"""Retention: what has expired is deleted, what has not stays, for every tenant."""

from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID, uuid4

import pytest

from contacts.app import handler as contacts
from penguinmails import clock
from penguinmails.db import transaction
from penguinmails.ids import first_uuid7
from purge_expired import repository, service
from purge_expired.app import handler
from tests.support.campaigns import add_contact, ask, draft
from tests.support.http import call
from tests.support.mail_histories import Mail, store_mails
from tests.support.people import Person, signed_in
from tests.support.queues import run_job
from tests.support.tenants import TestKey, TestTenant


def run(tenant: TestTenant, statement: LiteralString, **params: Any) -> None:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        assert tx.run(statement, params) >= 1


def count(tenant: TestTenant, statement: LiteralString) -> int:
    with transaction(tenant_id=tenant.id, mode="live") as tx:
        return tx.one(statement, {})


def create_contact(key: TestKey, idempotency_key: str) -> int:
    return call(
        contacts,
        "POST",
        "/api/v1/contacts",
        token=key.plaintext,
        json={"email": f"{uuid4().hex}@example.com"},
        headers={"Idempotency-Key": idempotency_key},
    ).status


def test_remembered_answers_are_forgotten_after_a_day(
    tenant: TestTenant, other_tenant: TestTenant, key: TestKey
) -> None:
    for one in (key, other_tenant.key()):
        assert create_contact(one, "old") == create_contact(one, "new") == 201
    aged = "UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'"
    run(tenant, aged)
    run(other_tenant, aged)

    assert run_job(handler)["done"] >= 2

    for one in (tenant, other_tenant):
        assert count(one, "SELECT array_agg(key::text) = ARRAY['new'] FROM idempotency_keys") is True


def test_more_than_a_batch_is_worked_off_in_one_run(
    tenant: TestTenant, key: TestKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    for number in range(5):
        create_contact(key, str(number))
    run(tenant, "UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")

    assert run_job(handler)["steps"] >= 4
    assert count(tenant, "SELECT count(*) FROM idempotency_keys") == 0


def age_session(tenant: TestTenant, person: Person, days: int) -> None:
    run(
        tenant,
        "UPDATE sessions SET ended_at = %(at)s WHERE user_id = %(user_id)s",
        at=clock.now() - timedelta(days=days),
        user_id=person.id,
    )


def test_sessions_are_kept_for_a_month_after_their_end(tenant: TestTenant) -> None:
    old, recent, _present = signed_in(tenant), signed_in(tenant), signed_in(tenant)
    old.step_up()
    age_session(tenant, old, 31)
    age_session(tenant, recent, 29)

    run_job(handler)

    assert count(tenant, "SELECT count(*) FROM sessions") == 2
    assert count(tenant, "SELECT count(*) FROM reauth_tokens") == 0


def test_step_up_tokens_go_once_they_have_expired(tenant: TestTenant) -> None:
    person = signed_in(tenant)
    person.step_up()
    run(
        tenant,
        """
        INSERT INTO reauth_tokens (id, tenant_id, session_id, user_id, token_hash, level, purpose, expires_at)
        SELECT %(id)s, tenant_id, session_id, user_id, %(hash)s, level, purpose, now() - interval '1 second'
        FROM reauth_tokens
        """,
        id=uuid4(),
        hash=uuid4().bytes,
    )

    run_job(handler)

    assert count(tenant, "SELECT count(*) FROM reauth_tokens") == 1


def test_link_tokens_go_a_week_after_they_expired(tenant: TestTenant) -> None:
    for days in (-1, 6, 8):
        run(
            tenant,
            """
            INSERT INTO link_tokens (id, tenant_id, user_id, purpose, token_hash, expires_at)
            VALUES (%(id)s, %(tenant_id)s, %(user_id)s, 'verify_email', %(hash)s, %(at)s)
            """,
            id=uuid4(),
            tenant_id=tenant.id,
            user_id=tenant.owner_id,
            hash=uuid4().bytes,
            at=clock.now() - timedelta(days=days),
        )

    run_job(handler)

    assert count(tenant, "SELECT count(*) FROM link_tokens") == 2


def test_the_platforms_own_mail_goes_a_month_after_its_end_and_never_before_it_was_sent(tenant: TestTenant) -> None:
    for status, days in (("sent", 31), ("failed", 31), ("queued", 31), ("sent", 29)):
        run(
            tenant,
            """
            INSERT INTO mail_outbox (id, tenant_id, user_id, type, dedupe_key, status, created_at)
            VALUES (%(id)s, %(tenant_id)s, %(user_id)s, 'verify_email', %(id)s::text, %(status)s, %(at)s)
            """,
            id=uuid4(),
            tenant_id=tenant.id,
            user_id=tenant.owner_id,
            status=status,
            at=clock.now() - timedelta(days=days),
        )

    run_job(handler)

    assert count(tenant, "SELECT array_agg(status ORDER BY status) = ARRAY['queued', 'sent'] FROM mail_outbox") is True


def test_bodies_of_emails_are_kept_for_24_months(tenant: TestTenant) -> None:
    for months in (23, 25):
        run(
            tenant,
            """
            INSERT INTO content_objects (storage_key, tenant_id, mode, content_text, created_at)
            VALUES (%(id)s, %(tenant_id)s, 'live', 'Hello', now() - make_interval(months => %(months)s))
            """,
            id=uuid4(),
            tenant_id=tenant.id,
            months=months,
        )

    run_job(handler)

    assert count(tenant, "SELECT count(*) FROM content_objects") == 1


def test_histories_are_kept_for_twelve_months_and_figures_stay(tenant: TestTenant) -> None:
    mail = Mail()
    store_mails(tenant, [mail])
    for months in (11, 13):
        at = clock.now() - timedelta(days=31 * months)
        run(
            tenant,
            """
            INSERT INTO email_events (id, tenant_id, mode, email_id, type, occurred_at)
            VALUES (%(id)s, %(tenant_id)s, 'live', %(email_id)s, 'opened', %(at)s)
            """,
            id=UUID(int=first_uuid7(at).int + 1),
            tenant_id=tenant.id,
            email_id=mail.id,
            at=at,
        )

    run_job(handler)

    assert count(tenant, "SELECT count(*) FROM email_events") == 1
    assert count(tenant, "SELECT count(*) FROM emails") == 1
    opens = count(
        tenant,
        """
        SELECT sum(opens) FROM (SELECT opens FROM email_figure_changes WHERE slice = 'all' UNION ALL
                                SELECT opens FROM email_rollups WHERE slice = 'all' AND grain = 'hour') f
        """,
    )
    assert opens == 2


def test_campaigns_are_kept_for_36_months_after_their_end(tenant: TestTenant, key: TestKey) -> None:
    add_contact(key)
    recent, old = draft(key)["id"], draft(key)["id"]
    for campaign_id, months in ((recent, 35), (old, 37)):
        run(
            tenant,
            """
            UPDATE campaigns SET status = 'completed', completed_at = now() - make_interval(months => %(months)s)
            WHERE id = %(id)s
            """,
            id=campaign_id,
            months=months,
        )
        run(
            tenant,
            """
            INSERT INTO campaign_contacts (tenant_id, mode, campaign_id, contact_id)
            SELECT tenant_id, mode, %(id)s, id FROM contacts
            """,
            id=campaign_id,
        )

    run_job(handler)

    assert ask(key, "GET", f"/{recent}").status == 200
    assert ask(key, "GET", f"/{old}").status == 404
    assert count(tenant, "SELECT array_agg(campaign_id::text) FROM campaign_contacts") == [recent]


def test_every_kind_of_row_is_purged_in_each_batch() -> None:
    with transaction(role="jobs") as tx:
        assert [delete(tx, 0) for delete in repository.ALL] == [0] * len(repository.ALL)
