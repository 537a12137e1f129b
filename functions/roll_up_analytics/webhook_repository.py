"""SQL that rolls up what webhooks' deliveries came to."""

from penguinmails.db import Tx


def add_changes(tx: Tx, batch: int) -> int:
    """Move changes into the quarters of an hour, in one statement: they stand in one of the two places at any time. How many.

    A quarter is written anew with what it had, as places of response times are added up one by one; so one job at a time.
    """
    if not tx.one("SELECT pg_try_advisory_xact_lock(hashtextextended('webhook_quarters', 0))", {}):
        return 0
    return tx.one(
        """
        WITH taken AS (
          DELETE FROM webhook_figure_changes WHERE id IN (
            SELECT id FROM webhook_figure_changes ORDER BY id LIMIT %(batch)s FOR UPDATE SKIP LOCKED)
          RETURNING *
        ), found AS (
          SELECT tenant_id, mode, webhook_id, starts_at, is_replay, pending, held, success, failed, dropped, first_sequence,
                 last_sequence, posts, posts_ms, buckets, bucket_posts
          FROM taken
          UNION ALL
          SELECT q.tenant_id, q.mode, q.webhook_id, q.starts_at, q.is_replay, q.pending, q.held, q.success, q.failed, q.dropped,
                 q.first_sequence, q.last_sequence, q.posts, q.posts_ms, q.buckets, q.bucket_posts
          FROM (SELECT DISTINCT tenant_id, mode, webhook_id, starts_at, is_replay FROM taken) t
          CROSS JOIN LATERAL (
            SELECT * FROM webhook_quarters q
            WHERE q.tenant_id = t.tenant_id AND q.mode = t.mode AND q.webhook_id = t.webhook_id AND q.starts_at = t.starts_at
              AND q.is_replay = t.is_replay
            LIMIT 1
          ) q
        ), in_buckets AS (
          SELECT f.tenant_id, f.mode, f.webhook_id, f.starts_at, f.is_replay, b.bucket, sum(b.posts)::bigint AS posts
          FROM found f CROSS JOIN LATERAL unnest(f.buckets, f.bucket_posts) AS b (bucket, posts)
          GROUP BY f.tenant_id, f.mode, f.webhook_id, f.starts_at, f.is_replay, b.bucket
        ), timed AS (
          SELECT tenant_id, mode, webhook_id, starts_at, is_replay, array_agg(bucket ORDER BY bucket) AS buckets,
                 array_agg(posts ORDER BY bucket) AS bucket_posts
          FROM in_buckets GROUP BY tenant_id, mode, webhook_id, starts_at, is_replay
        ), counted AS (
          SELECT tenant_id, mode, webhook_id, starts_at, is_replay, sum(pending) AS pending, sum(held) AS held,
                 sum(success) AS success, sum(failed) AS failed, sum(dropped) AS dropped,
                 min(first_sequence) AS first_sequence, max(last_sequence) AS last_sequence, sum(posts) AS posts,
                 sum(posts_ms) AS posts_ms
          FROM found GROUP BY tenant_id, mode, webhook_id, starts_at, is_replay
        ), added AS (
          INSERT INTO webhook_quarters (tenant_id, mode, webhook_id, starts_at, is_replay, pending, held, success, failed,
                                        dropped, first_sequence, last_sequence, posts, posts_ms, buckets, bucket_posts)
          SELECT tenant_id, mode, webhook_id, starts_at, is_replay, c.pending, c.held, c.success, c.failed, c.dropped,
                 c.first_sequence, c.last_sequence, c.posts, c.posts_ms, coalesce(t.buckets, '{}'),
                 coalesce(t.bucket_posts, '{}')
          FROM counted c LEFT JOIN timed t USING (tenant_id, mode, webhook_id, starts_at, is_replay)
          ON CONFLICT (tenant_id, mode, webhook_id, starts_at, is_replay) DO UPDATE
          SET pending = excluded.pending, held = excluded.held, success = excluded.success, failed = excluded.failed,
              dropped = excluded.dropped, first_sequence = excluded.first_sequence, last_sequence = excluded.last_sequence,
              posts = excluded.posts, posts_ms = excluded.posts_ms, buckets = excluded.buckets,
              bucket_posts = excluded.bucket_posts
        )
        SELECT count(*) FROM taken
        """,
        {"batch": batch},
    )
