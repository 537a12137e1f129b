-- An answer to a post about somebody who is erased while it is under way is not kept, whenever it comes.

ALTER TABLE events ADD COLUMN erased_at timestamptz;
COMMENT ON COLUMN events.erased_at IS 'when what it says about a person was blanked';
CREATE INDEX events_erased ON events (tenant_id, mode, erased_at) WHERE erased_at IS NOT NULL;

CREATE FUNCTION erasure_lock(tenant_id uuid, mode text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT hashtextextended('erasure ' || tenant_id || ' ' || mode, 0)
$$;
COMMENT ON FUNCTION erasure_lock(uuid, text) IS 'advisory: shared by who stores answers, held alone by who erases them, both to the end of their transaction';

-- As before, and: waits until answers that are being stored are there to be found. In a statement before, or they would not be
-- seen.
CREATE OR REPLACE FUNCTION erase_events_about(subjects uuid[])
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  erased bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(erasure_lock(current_tenant_id(), current_mode()));
  WITH changed AS (
    UPDATE events e
    SET erased_at = clock_timestamp(),
        data = (
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
  SELECT count(*) INTO erased FROM changed;
  RETURN erased;
END
$$;

-- Each statement of it sees what was committed before it, an erasure that the first one has waited for included. What is posted
-- was read minutes ago at most.
CREATE FUNCTION keep_no_answer_about_the_erased() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(erasure_lock(t.tenant_id, t.mode))
  FROM (SELECT DISTINCT tenant_id, mode FROM after_rows ORDER BY tenant_id, mode) t;
  IF NOT EXISTS (
    SELECT FROM (SELECT DISTINCT tenant_id, mode FROM after_rows) t
    JOIN events e ON e.tenant_id = t.tenant_id AND e.mode = t.mode AND e.erased_at > clock_timestamp() - interval '1 hour')
  THEN
    RETURN NULL;
  END IF;
  WITH about AS (
    SELECT n.delivery_id, n.batch_id
    FROM after_rows n
    JOIN webhook_deliveries d
      ON d.tenant_id = n.tenant_id AND d.mode = n.mode AND d.id = n.delivery_id AND d.event_created_at = n.event_created_at
    JOIN events e ON e.tenant_id = d.tenant_id AND e.mode = d.mode AND e.id = d.event_id
     AND (e.created_at = d.event_created_at OR d.is_test)
    WHERE e.erased_at > clock_timestamp() - interval '1 hour'
  )
  UPDATE webhook_attempts a
  SET response_body = NULL, response_headers = NULL, error_message = NULL
  FROM after_rows n
  WHERE a.tenant_id = n.tenant_id AND a.mode = n.mode AND a.delivery_id = n.delivery_id
    AND a.attempt_number = n.attempt_number AND a.event_created_at = n.event_created_at
    AND (n.delivery_id IN (SELECT delivery_id FROM about)
         OR n.batch_id IN (SELECT batch_id FROM about WHERE batch_id IS NOT NULL));
  RETURN NULL;
END
$$;
ALTER FUNCTION keep_no_answer_about_the_erased() OWNER TO penguinmails_erasure;
REVOKE EXECUTE ON FUNCTION keep_no_answer_about_the_erased() FROM PUBLIC;
CREATE TRIGGER keep_no_answer_about_the_erased AFTER INSERT ON webhook_attempts
  REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_no_answer_about_the_erased();
