-- Emails: one row per message and recipient, its content apart, and who must not be written to.

CREATE TABLE suppression_list (
  id uuid PRIMARY KEY,
  tenant_id uuid REFERENCES tenants,
  mode text NOT NULL DEFAULT 'live' CHECK (mode IN ('live', 'test')),
  email varchar(255) COLLATE "C" NOT NULL CHECK (email = lower(email)),
  reason text NOT NULL CHECK (reason IN ('user_request', 'spam_complaint', 'hard_bounce', 'soft_bounces', 'manual')),
  source text NOT NULL,
  scope text NOT NULL DEFAULT 'tenant' CHECK (scope IN ('global', 'tenant', 'workspace', 'campaign_type')),
  workspace_id uuid,
  added_by uuid,
  added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz,
  CHECK ((scope = 'global') = (tenant_id IS NULL)),
  CONSTRAINT suppression_list_unique UNIQUE NULLS NOT DISTINCT (email, tenant_id, mode, scope, workspace_id),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id)
);
COMMENT ON COLUMN suppression_list.tenant_id IS 'null is the platform-wide list against abuse';
CREATE INDEX suppression_list_by_tenant ON suppression_list (tenant_id, mode, added_at, id);
CALL protect_tenant_table('suppression_list', true);
GRANT SELECT, INSERT ON suppression_list TO penguinmails_app;
CALL allow_across_tenants('suppression_list', 'penguinmails_lookup', 'SELECT');
CALL allow_across_tenants('suppression_list', 'penguinmails_jobs', 'SELECT, INSERT');

-- Reads platform rows too, which the tenant policy hides; answers for the current tenant and mode only.
CREATE FUNCTION suppressed_among(addresses text[])
RETURNS TABLE (email text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT DISTINCT s.email::text FROM suppression_list s
  WHERE s.email = ANY(addresses)
    AND (s.tenant_id IS NULL OR (s.tenant_id = current_tenant_id() AND s.mode = current_mode()))
    AND s.scope IN ('global', 'tenant') AND (s.expires_at IS NULL OR s.expires_at > now())
$$;
ALTER FUNCTION suppressed_among(text[]) OWNER TO penguinmails_lookup;
REVOKE EXECUTE ON FUNCTION suppressed_among(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION suppressed_among(text[]) TO penguinmails_app;

CREATE TABLE content_objects (
  storage_key uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  content_text text NOT NULL,
  content_html text,
  headers jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL protect_tenant_table('content_objects', true);
GRANT SELECT, INSERT ON content_objects TO penguinmails_app;

CREATE TABLE emails (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  api_key_id uuid,
  campaign_id uuid,
  to_email varchar(255) COLLATE "C" NOT NULL,
  from_email varchar(320) NOT NULL,
  reply_to varchar(320),
  subject varchar(998) NOT NULL,
  email_type text NOT NULL DEFAULT 'transactional' CHECK (email_type IN ('transactional', 'marketing', 'cold_outreach')),
  provider text,
  provider_message_id text,
  status text NOT NULL CHECK (status IN ('queued', 'sending', 'sent', 'delivered', 'bounced', 'failed', 'suppressed',
                                         'cancelled', 'scheduled')),
  metadata jsonb NOT NULL DEFAULT '{}',
  content_key uuid NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  opens integer NOT NULL DEFAULT 0,
  clicks integer NOT NULL DEFAULT 0,
  error text,
  created_at timestamptz NOT NULL,
  sent_at timestamptz,
  finished_at timestamptz,
  next_sweep_at timestamptz,
  UNIQUE (tenant_id, mode, id),
  FOREIGN KEY (tenant_id, api_key_id) REFERENCES api_keys (tenant_id, id)
);
COMMENT ON COLUMN emails.next_sweep_at IS 'when the sweep hands the message to the queue again; null once nothing is left to do';
CREATE INDEX emails_by_created ON emails (tenant_id, mode, created_at, id);
CREATE INDEX emails_by_status ON emails (tenant_id, mode, status, created_at, id);
CREATE INDEX emails_by_recipient ON emails (tenant_id, mode, to_email, created_at, id);
CREATE INDEX emails_by_campaign ON emails (tenant_id, mode, campaign_id, created_at, id) WHERE campaign_id IS NOT NULL;
CREATE INDEX emails_due ON emails (next_sweep_at) WHERE next_sweep_at IS NOT NULL;
CALL protect_tenant_table('emails', true);
GRANT SELECT, INSERT, UPDATE ON emails TO penguinmails_app;
CALL allow_across_tenants('emails', 'penguinmails_jobs', 'SELECT, UPDATE');

CREATE TABLE email_tags (
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  email_id uuid NOT NULL,
  tag varchar(50) NOT NULL,
  PRIMARY KEY (tenant_id, mode, email_id, tag),
  FOREIGN KEY (tenant_id, mode, email_id) REFERENCES emails (tenant_id, mode, id) ON DELETE CASCADE
);
CREATE INDEX email_tags_by_tag ON email_tags (tenant_id, mode, tag, email_id);
CALL protect_tenant_table('email_tags', true);
GRANT SELECT, INSERT ON email_tags TO penguinmails_app;

CREATE TABLE email_events (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  email_id uuid NOT NULL,
  type text NOT NULL,
  data jsonb NOT NULL DEFAULT '{}',
  occurred_at timestamptz NOT NULL,
  FOREIGN KEY (tenant_id, mode, email_id) REFERENCES emails (tenant_id, mode, id) ON DELETE CASCADE
);
CREATE INDEX email_events_by_email ON email_events (tenant_id, mode, email_id, occurred_at);
CALL protect_tenant_table('email_events', true);
GRANT SELECT, INSERT ON email_events TO penguinmails_app;

CREATE TABLE usage_counters (
  tenant_id uuid NOT NULL REFERENCES tenants,
  metric text NOT NULL,
  period_start date NOT NULL,
  value bigint NOT NULL,
  PRIMARY KEY (tenant_id, metric, period_start)
);
CALL protect_tenant_table('usage_counters', false);
GRANT SELECT, INSERT, UPDATE ON usage_counters TO penguinmails_app;
