-- The domains that an account sends from, and what their DNS said when it was last asked.

CREATE TABLE domains (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  workspace_id uuid,
  domain varchar(253) COLLATE "C" NOT NULL CHECK (domain = lower(domain)),
  verification_status text NOT NULL DEFAULT 'pending' CHECK (verification_status IN ('pending', 'verified', 'failed')),
  verification_token text NOT NULL,
  dkim_selector text NOT NULL,
  dkim_public_key text NOT NULL,
  secret_ref text NOT NULL,
  dns_results jsonb NOT NULL DEFAULT '{}',
  dns_verification_attempts integer NOT NULL DEFAULT 0,
  dns_verification_error text,
  failed_checks integer NOT NULL DEFAULT 0,
  verified_at timestamptz,
  dns_last_verified_at timestamptz,
  next_check_at timestamptz DEFAULT clock_timestamp(),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id, mode, id),
  CONSTRAINT domains_name_unique UNIQUE (tenant_id, mode, domain),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id)
);
COMMENT ON COLUMN domains.domain IS 'in its ASCII form (IDNA 2008)';
COMMENT ON COLUMN domains.secret_ref IS 'where Vault keeps the private half of the DKIM key';
COMMENT ON COLUMN domains.dns_results IS 'what was found for each record, by its purpose, at the last check';
COMMENT ON COLUMN domains.failed_checks IS 'checks in a row that found a required record missing';
COMMENT ON COLUMN domains.dns_last_verified_at IS 'when all required records were last seen';
COMMENT ON COLUMN domains.next_check_at IS 'null: asked again only when somebody wants it';
CREATE UNIQUE INDEX domains_verified_once ON domains (mode, domain) WHERE verification_status = 'verified';
CREATE INDEX domains_by_created ON domains (tenant_id, mode, created_at, id);
CREATE INDEX domains_due ON domains (next_check_at) WHERE next_check_at IS NOT NULL;
CALL protect_tenant_table('domains', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON domains TO penguinmails_app;
CALL allow_across_tenants('domains', 'penguinmails_jobs', 'SELECT');
CREATE TRIGGER set_updated_at BEFORE UPDATE ON domains FOR EACH ROW EXECUTE FUNCTION set_updated_at();
