-- Files that come with answers.

ALTER TABLE inbox_messages ADD CONSTRAINT inbox_messages_of_tenant UNIQUE (tenant_id, mode, id);

CREATE TABLE inbox_attachments (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  message_id uuid NOT NULL,
  position integer NOT NULL,
  file_name varchar(255) NOT NULL,
  content_type varchar(255) NOT NULL,
  content bytea NOT NULL,
  UNIQUE (tenant_id, mode, message_id, position),
  FOREIGN KEY (tenant_id, mode, message_id) REFERENCES inbox_messages (tenant_id, mode, id) ON DELETE CASCADE
);
COMMENT ON TABLE inbox_attachments IS 'goes with its message';
-- Files hardly get smaller, and their size can be told without reading them.
ALTER TABLE inbox_attachments ALTER COLUMN content SET STORAGE EXTERNAL;
CALL protect_tenant_table('inbox_attachments', true);
GRANT SELECT, INSERT ON inbox_attachments TO penguinmails_app;
