-- Watching over API keys: where calls come from, reminders and alerts to the people behind a key.

ALTER TABLE api_keys
  ADD age_reminded_at timestamptz,
  ADD expiry_reminded_at timestamptz,
  ADD alerted_at timestamptz,
  ADD recorded_at timestamptz,
  ADD is_record_removed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN api_keys.recorded_at IS 'when its record in Vault was last brought up to date with this row';
COMMENT ON COLUMN api_keys.is_record_removed IS 'an emergency ended the key: its record is to be removed from Vault';
COMMENT ON COLUMN api_keys.alerted_at IS 'when its people were last told of errors or refusals';
CREATE INDEX api_keys_to_record ON api_keys (coalesce(recorded_at, created_at));
CREATE INDEX api_keys_active_by_age ON api_keys (coalesce(regenerated_at, created_at)) WHERE status = 'active';
CREATE INDEX api_keys_active_by_expiry ON api_keys (expires_at) WHERE status = 'active' AND expires_at IS NOT NULL;

ALTER TABLE api_key_usage ADD country text NOT NULL DEFAULT '' CHECK (country ~ '^([A-Z0-9]{2})?$');
COMMENT ON COLUMN api_key_usage.country IS 'ISO 3166-1 code that the content network saw, empty when it said none';

-- Networks, not addresses: the figures outlive the 30 days for which whole addresses are kept.
CREATE TABLE api_key_usage_sources (
  tenant_id uuid NOT NULL REFERENCES tenants,
  api_key_id uuid NOT NULL,
  day date NOT NULL,
  network cidr NOT NULL,
  country text NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  PRIMARY KEY (tenant_id, api_key_id, day, network, country),
  FOREIGN KEY (tenant_id, api_key_id) REFERENCES api_keys (tenant_id, id)
);
COMMENT ON COLUMN api_key_usage_sources.network IS '/24 of IPv4, /48 of IPv6';
CALL protect_tenant_table('api_key_usage_sources', false);
GRANT SELECT ON api_key_usage_sources TO penguinmails_app;
CALL allow_across_tenants('api_key_usage_sources', 'penguinmails_jobs', 'SELECT, INSERT, UPDATE, DELETE');

-- The kinds of mail are named in one place, the code that composes them.
ALTER TABLE mail_outbox DROP CONSTRAINT mail_outbox_type_check;
ALTER TABLE mail_outbox ADD CHECK (type ~ '^[a-z_]{1,50}$');
ALTER TABLE mail_outbox ADD variables jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN mail_outbox.variables IS 'what the text names, never a secret';
