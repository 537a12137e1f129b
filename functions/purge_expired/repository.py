"""SQL of the purge: one statement per kind of row, of any tenant, at most a batch at a time."""

from collections.abc import Callable
from datetime import timedelta

from penguinmails import clock
from penguinmails.db import Tx
from penguinmails.ids import first_uuid7


def delete_idempotency_keys(tx: Tx, batch: int) -> int:
    """Answers that are remembered for 24 hours."""
    return tx.run(
        """
        DELETE FROM idempotency_keys WHERE ctid = ANY(ARRAY(
          SELECT ctid FROM idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT %(batch)s))
        """,
        {"batch": batch},
    )


def delete_step_up_tokens(tx: Tx, batch: int) -> int:
    """Step-up tokens that have expired."""
    return tx.run(
        """
        DELETE FROM reauth_tokens WHERE ctid = ANY(ARRAY(
          SELECT ctid FROM reauth_tokens WHERE expires_at < now() LIMIT %(batch)s))
        """,
        {"batch": batch},
    )


def delete_link_tokens(tx: Tx, batch: int) -> int:
    """Tokens of links in mails; kept for a week after they expire, so that an old link is told apart from a wrong one."""
    return tx.run(
        """
        DELETE FROM link_tokens WHERE ctid = ANY(ARRAY(
          SELECT ctid FROM link_tokens WHERE expires_at < now() - interval '7 days' LIMIT %(batch)s))
        """,
        {"batch": batch},
    )


def delete_sessions(tx: Tx, batch: int) -> int:
    """Sessions that ended or expired a month ago; until then a stolen refresh token is still recognised."""
    return tx.run(
        """
        DELETE FROM sessions WHERE ctid = ANY(ARRAY(
          SELECT ctid FROM sessions WHERE least(ended_at, expires_at) < now() - interval '30 days' LIMIT %(batch)s))
        """,
        {"batch": batch},
    )


def delete_platform_mail(tx: Tx, batch: int) -> int:
    """The platform's own mail, a month after it was sent or given up."""
    return tx.run(
        """
        DELETE FROM mail_outbox WHERE ctid = ANY(ARRAY(
          SELECT ctid FROM mail_outbox
          WHERE status IN ('sent', 'failed') AND created_at < now() - interval '30 days' LIMIT %(batch)s))
        """,
        {"batch": batch},
    )


def delete_email_content(tx: Tx, batch: int) -> int:
    """The bodies of emails, after 24 months; the facts about them stay."""
    return tx.run(
        """
        DELETE FROM content_objects WHERE ctid = ANY(ARRAY(
          SELECT ctid FROM content_objects WHERE created_at < now() - interval '24 months' LIMIT %(batch)s))
        """,
        {"batch": batch},
    )


def delete_histories(tx: Tx, batch: int) -> int:
    """What happened to single emails, after twelve months; the emails themselves, their counts and all figures stay."""
    return tx.run(
        """
        DELETE FROM email_events WHERE id = ANY(ARRAY(
          SELECT id FROM email_events
          WHERE id < %(oldest)s AND occurred_at < now() - interval '12 months'
          ORDER BY id LIMIT %(batch)s))
        """,
        {"batch": batch, "oldest": first_uuid7(clock.now() - timedelta(days=365))},
    )


def delete_recipients(tx: Tx, batch: int) -> int:
    """Who was written to by campaigns that ended 36 months ago; the campaigns themselves follow once they have nobody."""
    return tx.run(
        """
        DELETE FROM campaign_contacts WHERE ctid = ANY(ARRAY(
          SELECT r.ctid FROM campaigns c CROSS JOIN LATERAL (
            SELECT ctid FROM campaign_contacts
            WHERE tenant_id = c.tenant_id AND mode = c.mode AND campaign_id = c.id LIMIT %(batch)s) r
          WHERE c.status = 'completed' AND c.completed_at < now() - interval '36 months' LIMIT %(batch)s))
        """,
        {"batch": batch},
    )


def delete_campaigns(tx: Tx, batch: int) -> int:
    """Campaigns that ended 36 months ago, with their steps and counts; their emails and the account's figures stay."""
    return tx.run(
        """
        DELETE FROM campaigns WHERE ctid = ANY(ARRAY(
          SELECT c.ctid FROM campaigns c
          WHERE c.status = 'completed' AND c.completed_at < now() - interval '36 months' AND NOT EXISTS (
            SELECT FROM campaign_contacts r WHERE r.tenant_id = c.tenant_id AND r.mode = c.mode AND r.campaign_id = c.id)
          LIMIT %(batch)s))
        """,
        {"batch": batch},
    )


def delete_provider_events(tx: Tx, batch: int) -> int:
    """What providers have reported, a week later: they repeat themselves for hours, not for days."""
    return tx.run(
        """
        DELETE FROM provider_events WHERE ctid = ANY(ARRAY(
          SELECT ctid FROM provider_events WHERE received_at < now() - interval '7 days' LIMIT %(batch)s))
        """,
        {"batch": batch},
    )


def delete_webhook_figures(tx: Tx, batch: int) -> int:
    """What webhooks' deliveries came to, once the log of that time is gone: four months and some days."""
    return tx.run(
        """
        DELETE FROM webhook_quarters WHERE ctid = ANY(ARRAY(
          SELECT ctid FROM webhook_quarters WHERE starts_at < now() - interval '125 days' LIMIT %(batch)s))
        """,
        {"batch": batch},
    )


def drop_held_deliveries(tx: Tx, batch: int) -> int:
    """Give up what has been held for a paused webhook for 30 days, as long as events are kept; the log says so."""
    return tx.run(
        """
        UPDATE webhook_deliveries d SET status = 'dropped', finished_at = clock_timestamp(), next_sweep_at = NULL
        FROM (
          SELECT tenant_id, mode, id, event_created_at FROM webhook_deliveries
          WHERE status = 'held' AND event_created_at < now() - interval '30 days' AND created_at < now() - interval '30 days'
          ORDER BY event_created_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        ) old
        WHERE d.tenant_id = old.tenant_id AND d.mode = old.mode AND d.id = old.id
          AND d.event_created_at = old.event_created_at
        """,
        {"batch": batch},
    )


ALL: tuple[Callable[[Tx, int], int], ...] = (
    delete_idempotency_keys,
    delete_step_up_tokens,
    delete_link_tokens,
    delete_sessions,
    delete_platform_mail,
    delete_email_content,
    delete_histories,
    delete_recipients,
    delete_campaigns,
    delete_provider_events,
    delete_webhook_figures,
    drop_held_deliveries,
)
