-- Files that go with a mail, and how often mail to an address was refused for now.

ALTER TABLE content_objects ADD CONSTRAINT content_objects_of_tenant UNIQUE (tenant_id, mode, storage_key);

CREATE TABLE email_attachments (
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  content_key uuid NOT NULL,
  position integer NOT NULL,
  file_name varchar(255) NOT NULL,
  content_type varchar(127) NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (tenant_id, mode, content_key, position),
  FOREIGN KEY (tenant_id, mode, content_key) REFERENCES content_objects (tenant_id, mode, storage_key) ON DELETE CASCADE
);
COMMENT ON TABLE email_attachments IS 'once per request, whatever the number of recipients; goes when the text of the mail goes';
-- Files that people attach are compressed already.
ALTER TABLE email_attachments ALTER COLUMN content SET STORAGE EXTERNAL;
CALL protect_tenant_table('email_attachments', true);
GRANT SELECT, INSERT ON email_attachments TO penguinmails_app;

CREATE TABLE soft_bounces (
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  email varchar(255) COLLATE "C" NOT NULL CHECK (email = lower(email)),
  mails integer NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, mode, email)
);
COMMENT ON COLUMN soft_bounces.mails IS 'mails in a row that were refused for now; one that arrives ends the row';
CALL protect_tenant_table('soft_bounces', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON soft_bounces TO penguinmails_app;
