-- Files of mails that are too large for a request: they are uploaded first, stay in S3, and are named by the mails they go with.

CREATE TABLE email_uploads (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  file_name varchar(255) NOT NULL,
  content_type varchar(127) NOT NULL,
  size integer NOT NULL CHECK (size > 0),
  file_key text NOT NULL,
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  uploaded_at timestamptz,
  expires_at timestamptz NOT NULL,
  look_at timestamptz NOT NULL,
  renewed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id, mode, id)
);
COMMENT ON COLUMN email_uploads.uploaded_at IS 'when the file was first seen to be there, as announced';
COMMENT ON COLUMN email_uploads.expires_at IS 'until then mails may name it';
COMMENT ON COLUMN email_uploads.look_at IS 'when it is to be seen next whether a mail that waits still needs the file';
COMMENT ON COLUMN email_uploads.renewed_at IS 'how old the bucket takes the file to be, which removes what is older than 40 days';
CREATE INDEX email_uploads_due ON email_uploads (look_at);
CALL protect_tenant_table('email_uploads', true);
GRANT SELECT, INSERT, UPDATE ON email_uploads TO penguinmails_app;
CALL allow_across_tenants('email_uploads', 'penguinmails_jobs', 'SELECT, UPDATE, DELETE');

-- A file of a mail is in the table or in S3; once it is removed from there, what is left is how it was called.
ALTER TABLE email_attachments
  ALTER COLUMN content DROP NOT NULL,
  ADD COLUMN size integer,
  ADD COLUMN upload_id uuid,
  ADD COLUMN queued_at timestamptz,
  ADD CONSTRAINT email_attachments_size_check CHECK (content IS NOT NULL OR (size IS NOT NULL AND queued_at IS NOT NULL)),
  ADD CONSTRAINT email_attachments_upload FOREIGN KEY (tenant_id, mode, upload_id)
    REFERENCES email_uploads (tenant_id, mode, id) ON DELETE SET NULL (upload_id);
COMMENT ON COLUMN email_attachments.size IS 'bytes of an uploaded file';
COMMENT ON COLUMN email_attachments.queued_at IS 'created_at of the mails that an uploaded file goes with, by which they are found';
CREATE INDEX email_attachments_by_upload ON email_attachments (tenant_id, mode, upload_id) WHERE upload_id IS NOT NULL;
CALL allow_across_tenants('email_attachments', 'penguinmails_jobs', 'SELECT');

-- ---- erasure ------------------------------------------------------------------------------------------------------------

CALL allow_across_tenants('email_uploads', 'penguinmails_erasure', 'SELECT, UPDATE');
CALL allow_across_tenants('email_attachments', 'penguinmails_erasure', 'SELECT');

-- As before; and the time of uploaded files that went with these texts alone is over.
CREATE OR REPLACE FUNCTION erase_texts_of(emails_ uuid[])
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
    RETURNING c.storage_key
  ), files AS (
    UPDATE email_uploads u SET expires_at = least(u.expires_at, now()), look_at = least(u.look_at, now())
    WHERE u.tenant_id = current_tenant_id() AND u.mode = current_mode()
      AND u.id IN (SELECT a.upload_id FROM email_attachments a JOIN texts t ON a.content_key = t.storage_key
                   WHERE a.tenant_id = current_tenant_id() AND a.mode = current_mode() AND a.upload_id IS NOT NULL)
      AND NOT EXISTS (
        SELECT FROM email_attachments o
        WHERE o.tenant_id = current_tenant_id() AND o.mode = current_mode() AND o.upload_id = u.id
          AND o.content_key NOT IN (SELECT storage_key FROM texts))
    RETURNING 1
  )
  SELECT count(*) FROM texts
$$;
