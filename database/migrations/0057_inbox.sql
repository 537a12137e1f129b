-- Answers to mails, kept as conversations.

CREATE TABLE inbox_threads (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  correspondent varchar(255) COLLATE "C" NOT NULL CHECK (correspondent = lower(correspondent)),
  campaign_id uuid,
  subject varchar(998) NOT NULL,
  snippet varchar(200) NOT NULL,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'archived', 'snoozed')),
  snoozed_until timestamptz,
  is_unread boolean NOT NULL DEFAULT true,
  last_message_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id, mode, id),
  CHECK ((status = 'snoozed') = (snoozed_until IS NOT NULL))
);
CREATE INDEX inbox_threads_by_time ON inbox_threads (tenant_id, mode, last_message_at, id);
CREATE INDEX inbox_threads_by_status ON inbox_threads (tenant_id, mode, status, last_message_at, id);
CREATE INDEX inbox_threads_by_correspondent ON inbox_threads (tenant_id, mode, correspondent);
CALL protect_tenant_table('inbox_threads', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON inbox_threads TO penguinmails_app;

CREATE TABLE inbox_messages (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  thread_id uuid NOT NULL,
  email_id uuid,
  message_id text NOT NULL,
  from_email varchar(255) NOT NULL,
  from_name varchar(255) NOT NULL,
  subject varchar(998) NOT NULL,
  body_text text NOT NULL,
  is_automatic boolean NOT NULL,
  received_at timestamptz NOT NULL,
  CONSTRAINT inbox_messages_once UNIQUE (tenant_id, mode, message_id),
  FOREIGN KEY (tenant_id, mode, thread_id) REFERENCES inbox_threads (tenant_id, mode, id) ON DELETE CASCADE
);
COMMENT ON COLUMN inbox_messages.email_id IS 'the mail that is answered; null when that cannot be told';
CREATE INDEX inbox_messages_by_thread ON inbox_messages (tenant_id, mode, thread_id, received_at, id);
CREATE INDEX inbox_messages_by_email ON inbox_messages (tenant_id, mode, email_id) WHERE email_id IS NOT NULL;
CALL protect_tenant_table('inbox_messages', true);
GRANT SELECT, INSERT, DELETE ON inbox_messages TO penguinmails_app;
