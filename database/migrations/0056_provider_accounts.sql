-- Accounts that customers have with mail providers, and what those report about mails.

CREATE TABLE provider_accounts (
  tenant_id uuid NOT NULL REFERENCES tenants,
  provider text NOT NULL CHECK (provider IN ('postmark', 'mailgun')),
  status text NOT NULL CHECK (status IN ('active', 'error')),
  status_detail text,
  settings jsonb NOT NULL,
  secret_ref text NOT NULL,
  secret_version integer NOT NULL,
  key_last4 varchar(4) NOT NULL,
  endpoint_hash bytea NOT NULL UNIQUE,
  checked_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, provider)
);
COMMENT ON COLUMN provider_accounts.endpoint_hash IS 'of the secret part of the URL that the provider reports to';
CALL protect_tenant_table('provider_accounts', false);
GRANT SELECT, INSERT, UPDATE, DELETE ON provider_accounts TO penguinmails_app;
CALL allow_across_tenants('provider_accounts', 'penguinmails_lookup', 'SELECT');
CREATE TRIGGER set_updated_at BEFORE UPDATE ON provider_accounts FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE FUNCTION find_provider_endpoint(hash bytea)
RETURNS TABLE (tenant_id uuid, provider text, secret_ref text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT a.tenant_id, a.provider, a.secret_ref
  FROM provider_accounts a JOIN tenants t ON t.id = a.tenant_id
  WHERE a.endpoint_hash = hash AND t.status <> 'canceled'
$$;
ALTER FUNCTION find_provider_endpoint(bytea) OWNER TO penguinmails_lookup;
REVOKE EXECUTE ON FUNCTION find_provider_endpoint(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_provider_endpoint(bytea) TO penguinmails_app;

CREATE TABLE provider_events (
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  provider text NOT NULL CHECK (provider IN ('postmark', 'mailgun')),
  event_key text NOT NULL,
  type text NOT NULL,
  email_id uuid,
  outcome text NOT NULL CHECK (outcome IN ('taken', 'nothing_new', 'orphan', 'ignored', 'token')),
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, mode, provider, event_key)
);
COMMENT ON TABLE provider_events IS 'kept for seven days, in which a repeated report is known as such; an orphan is about no mail of ours';
CREATE INDEX provider_events_by_age ON provider_events (received_at);
CALL protect_tenant_table('provider_events', true);
GRANT SELECT, INSERT, UPDATE ON provider_events TO penguinmails_app;
CALL allow_across_tenants('provider_events', 'penguinmails_jobs', 'SELECT, DELETE');

ALTER TABLE emails ADD wanted_provider text CHECK (wanted_provider IN ('smtp', 'postmark', 'mailgun'));
COMMENT ON COLUMN emails.wanted_provider IS 'who is to take the mail over; null leaves it to the platform';
