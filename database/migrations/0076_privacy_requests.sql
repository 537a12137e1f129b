-- What a person may ask of whoever holds data about them: a copy of it, or that it is erased. Both are jobs that can be
-- broken off and gone on with; the row that is left afterwards is the record that, and when, the wish was met.

CREATE TABLE privacy_requests (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  type text NOT NULL CHECK (type IN ('access', 'erasure')),
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'expired')),
  email varchar(255) COLLATE "C" CHECK (email = lower(email)),
  reference varchar(100),
  found jsonb NOT NULL DEFAULT '{}',
  attempts integer NOT NULL DEFAULT 0,
  file_key text,
  file_size bigint,
  error_message text,
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  completed_at timestamptz,
  expires_at timestamptz,
  UNIQUE (tenant_id, mode, id),
  CHECK (email IS NOT NULL OR status = 'completed')
);
COMMENT ON COLUMN privacy_requests.email IS 'whose data; gone once it is erased, when the reference alone says whose wish it was';
COMMENT ON COLUMN privacy_requests.found IS 'how many things of each kind were copied or erased';
CREATE INDEX privacy_requests_by_created ON privacy_requests (tenant_id, mode, created_at, id);
CREATE INDEX privacy_requests_by_email ON privacy_requests (tenant_id, mode, email, created_at, id);
CREATE INDEX privacy_requests_open ON privacy_requests (created_at) WHERE status IN ('pending', 'processing');
CREATE INDEX privacy_requests_by_expiry ON privacy_requests (expires_at) WHERE file_key IS NOT NULL;
CALL protect_tenant_table('privacy_requests', true);
GRANT SELECT, INSERT, UPDATE ON privacy_requests TO penguinmails_app;
CALL allow_across_tenants('privacy_requests', 'penguinmails_jobs', 'SELECT, UPDATE');

-- ---- what only the erasure role may do -----------------------------------------------------------------------------------

CALL allow_across_tenants('emails', 'penguinmails_erasure', 'SELECT');
CALL allow_across_tenants('email_events', 'penguinmails_erasure', 'SELECT, UPDATE');
CALL allow_across_tenants('content_objects', 'penguinmails_erasure', 'SELECT, DELETE');
CALL allow_across_tenants('webhook_deliveries', 'penguinmails_erasure', 'SELECT');
CALL allow_across_tenants('webhook_attempts', 'penguinmails_erasure', 'SELECT, UPDATE');

-- Blanks what tells who somebody is in the events about these contacts or emails, and in what receivers answered to them;
-- ids, types and times stay. Works for the current tenant and mode alone, and returns the number of events.
CREATE FUNCTION erase_events_about(subjects uuid[])
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
  ), answers AS (
    UPDATE webhook_attempts a
    SET response_body = NULL, response_headers = NULL, error_message = NULL
    FROM webhook_deliveries d JOIN changed c ON d.event_id = c.id AND d.event_created_at = c.created_at
    WHERE d.tenant_id = current_tenant_id() AND d.mode = current_mode()
      AND a.tenant_id = d.tenant_id AND a.mode = d.mode AND a.delivery_id = d.id AND a.event_created_at = d.event_created_at
    RETURNING 1
  )
  SELECT count(*) FROM changed
$$;

DROP FUNCTION erase_contact_from_events(uuid);

-- Removes the texts of these emails and blanks their histories. A text that others got too, or that belongs to a campaign's
-- step, is not about this person and stays.
CREATE FUNCTION erase_texts_of(emails_ uuid[])
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH histories AS (
    UPDATE email_events h SET data = '{}'
    WHERE h.tenant_id = current_tenant_id() AND h.mode = current_mode() AND h.email_id = ANY(emails_)
    RETURNING 1
  ), texts AS (
    DELETE FROM content_objects c USING emails e
    WHERE e.tenant_id = current_tenant_id() AND e.mode = current_mode() AND e.id = ANY(emails_) AND e.step_id IS NULL
      AND c.tenant_id = current_tenant_id() AND c.mode = current_mode() AND c.storage_key = e.content_key
      AND NOT EXISTS (
        SELECT FROM emails o
        WHERE o.tenant_id = current_tenant_id() AND o.mode = current_mode() AND o.created_at = e.created_at
          AND o.content_key = e.content_key AND o.to_email NOT IN (e.to_email, 'erased@erased.invalid'))
    RETURNING 1
  )
  SELECT count(*) FROM texts
$$;
ALTER FUNCTION erase_events_about(uuid[]) OWNER TO penguinmails_erasure;
ALTER FUNCTION erase_texts_of(uuid[]) OWNER TO penguinmails_erasure;
REVOKE EXECUTE ON FUNCTION erase_events_about(uuid[]), erase_texts_of(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_events_about(uuid[]), erase_texts_of(uuid[]) TO penguinmails_app;
