"""SQL of the analytics roll-up."""

from penguinmails.db import Tx


def add_changes(tx: Tx, batch: int) -> int:
    """Move changes into the roll-ups, in one statement: they stand in one of the two places at any time. How many."""
    return tx.one(
        """
        WITH taken AS (
          DELETE FROM email_figure_changes WHERE id IN (
            SELECT id FROM email_figure_changes ORDER BY id LIMIT %(batch)s FOR UPDATE SKIP LOCKED)
          RETURNING *
        ), added AS (
          INSERT INTO email_rollups AS r (
            tenant_id, mode, slice, slice_key, grain, starts_at, email_type, step_id, variant, sent, delivered, bounced,
            opened, opened_by_any, clicked, clicked_by_any, replied, complained, unsubscribed, opens, clicks,
            machine_opens, machine_clicks)
          SELECT t.tenant_id, t.mode, t.slice, t.slice_key, g.grain,
                 CASE g.grain WHEN 'hour' THEN date_trunc('hour', t.starts_at, 'UTC') ELSE t.starts_at END AS period,
                 t.email_type, t.step_id, t.variant, sum(t.sent), sum(t.delivered), sum(t.bounced), sum(t.opened),
                 sum(t.opened_by_any), sum(t.clicked), sum(t.clicked_by_any), sum(t.replied), sum(t.complained),
                 sum(t.unsubscribed), sum(t.opens), sum(t.clicks), sum(t.machine_opens), sum(t.machine_clicks)
          FROM taken t CROSS JOIN (VALUES ('hour'), ('quarter')) g (grain)
          GROUP BY t.tenant_id, t.mode, t.slice, t.slice_key, g.grain, period, t.email_type, t.step_id, t.variant
          ORDER BY t.tenant_id, t.mode, t.slice, t.slice_key, g.grain, period, t.email_type, t.step_id, t.variant
          ON CONFLICT (tenant_id, mode, slice, slice_key, grain, starts_at, email_type, step_id, variant) DO UPDATE
          SET sent = r.sent + excluded.sent, delivered = r.delivered + excluded.delivered,
              bounced = r.bounced + excluded.bounced, opened = r.opened + excluded.opened,
              opened_by_any = r.opened_by_any + excluded.opened_by_any, clicked = r.clicked + excluded.clicked,
              clicked_by_any = r.clicked_by_any + excluded.clicked_by_any, replied = r.replied + excluded.replied,
              complained = r.complained + excluded.complained, unsubscribed = r.unsubscribed + excluded.unsubscribed,
              opens = r.opens + excluded.opens, clicks = r.clicks + excluded.clicks,
              machine_opens = r.machine_opens + excluded.machine_opens,
              machine_clicks = r.machine_clicks + excluded.machine_clicks
        )
        SELECT count(*) FROM taken
        """,
        {"batch": batch},
    )


def lower_scores(tx: Tx, batch: int) -> int:
    """Compute the scores anew that fall by now; the table's trigger does, and says when they fall next. How many."""
    return tx.run(
        """
        UPDATE contacts SET lead_score_falls_at = NULL WHERE id IN (
          SELECT id FROM contacts WHERE lead_score_falls_at <= clock_timestamp()
          ORDER BY lead_score_falls_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED)
        """,
        {"batch": batch},
    )
