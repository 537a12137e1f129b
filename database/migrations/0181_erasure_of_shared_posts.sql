-- Erasing somebody reaches what receivers have answered to posts that their events shared with others', and to test posts of them.

ALTER TABLE webhook_attempts ADD COLUMN batch_id uuid;
COMMENT ON COLUMN webhook_attempts.batch_id IS 'the post that several deliveries shared, whose answer each of them has; null for a post of one';
UPDATE webhook_attempts SET batch_id = replace(request_headers ->> 'X-PenguinMails-Batch-ID', 'bat_', '')::uuid
WHERE request_headers ? 'X-PenguinMails-Batch-ID';
CREATE INDEX webhook_attempts_by_batch ON webhook_attempts (tenant_id, mode, batch_id) WHERE batch_id IS NOT NULL;

CALL allow_across_tenants('webhooks', 'penguinmails_erasure', 'SELECT');

-- As before, and: answers to posts that were shared, and to test posts of these events. Deliveries are found by webhook and
-- event, which is how they are indexed; a tenant has a hundred webhooks at most.
CREATE OR REPLACE FUNCTION erase_events_about(subjects uuid[])
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH changed AS (
    UPDATE events e
    SET data = (
      SELECT jsonb_object_agg(key, CASE
        WHEN key = 'contact' AND jsonb_typeof(value) = 'object'
          THEN jsonb_build_object('id', value -> 'id', 'email', NULL, 'first_name', NULL, 'last_name', NULL)
        WHEN key IN ('to', 'subject', 'url', 'user_agent', 'ip_address', 'location', 'bounce_reason', 'smtp_response')
          THEN 'null'::jsonb
        ELSE value END)
      FROM jsonb_each(e.data))
    WHERE e.tenant_id = current_tenant_id() AND e.mode = current_mode() AND e.subject_id = ANY(subjects)
    RETURNING e.id, e.created_at
  ), posted AS (
    SELECT a.delivery_id, a.event_created_at, a.attempt_number, a.batch_id
    FROM changed c
    JOIN webhooks w ON w.tenant_id = current_tenant_id() AND w.mode = current_mode()
    JOIN webhook_deliveries d
      ON d.tenant_id = w.tenant_id AND d.mode = w.mode AND d.webhook_id = w.id AND d.event_id = c.id
     AND (d.event_created_at = c.created_at OR d.is_test)
    JOIN webhook_attempts a
      ON a.tenant_id = d.tenant_id AND a.mode = d.mode AND a.delivery_id = d.id AND a.event_created_at = d.event_created_at
  ), answered AS (
    SELECT delivery_id, event_created_at, attempt_number FROM posted
    UNION
    SELECT a.delivery_id, a.event_created_at, a.attempt_number
    FROM (SELECT DISTINCT batch_id FROM posted WHERE batch_id IS NOT NULL) p
    JOIN webhook_attempts a ON a.tenant_id = current_tenant_id() AND a.mode = current_mode() AND a.batch_id = p.batch_id
  ), answers AS (
    UPDATE webhook_attempts a
    SET response_body = NULL, response_headers = NULL, error_message = NULL
    FROM answered p
    WHERE a.tenant_id = current_tenant_id() AND a.mode = current_mode() AND a.delivery_id = p.delivery_id
      AND a.attempt_number = p.attempt_number AND a.event_created_at = p.event_created_at
    RETURNING 1
  )
  SELECT count(*) FROM changed
$$;
