-- API keys: everything about a key but its hash, which lives in Vault.

CREATE TABLE api_keys (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  name varchar(50) NOT NULL CHECK (name ~ '^[A-Za-z0-9 _-]{1,50}$'),
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  key_prefix text NOT NULL CHECK (key_prefix ~ '^pm_(live|test)_[A-Za-z0-9]{3}$'),
  key_last4 char(4) NOT NULL,
  lookup_digest bytea NOT NULL CHECK (length(lookup_digest) = 32),
  digest_version integer NOT NULL,
  vault_version integer NOT NULL,
  generation bigint NOT NULL DEFAULT 1,
  permissions text[] NOT NULL CHECK (cardinality(permissions) > 0),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'revoked')),
  allowed_cidrs cidr[] NOT NULL DEFAULT '{}',
  monthly_quota integer CHECK (monthly_quota > 0),
  expires_at timestamptz,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_used_at timestamptz,
  regenerated_at timestamptz,
  revoked_at timestamptz,
  revoked_by uuid,
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, created_by) REFERENCES users (tenant_id, id),
  FOREIGN KEY (tenant_id, revoked_by) REFERENCES users (tenant_id, id),
  CHECK ((status = 'revoked') = (revoked_at IS NOT NULL))
);
CREATE UNIQUE INDEX api_keys_by_digest ON api_keys (lookup_digest);
CREATE INDEX api_keys_by_tenant ON api_keys (tenant_id, status, created_at DESC, id DESC);
CALL protect_tenant_table('api_keys', false);
GRANT SELECT, INSERT, UPDATE ON api_keys TO penguinmails_app;
CALL allow_across_tenants('api_keys', 'penguinmails_jobs', 'SELECT, UPDATE');
CALL allow_across_tenants('api_keys', 'penguinmails_lookup', 'SELECT');
CREATE TRIGGER set_updated_at BEFORE UPDATE ON api_keys FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE api_key_usage (
  id uuid NOT NULL,
  tenant_id uuid NOT NULL REFERENCES tenants,
  api_key_id uuid NOT NULL,
  endpoint varchar(255) NOT NULL,
  method varchar(10) NOT NULL,
  status_code integer NOT NULL,
  response_time_ms integer NOT NULL,
  ip_address inet,
  user_agent text,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id, created_at),
  FOREIGN KEY (tenant_id, api_key_id) REFERENCES api_keys (tenant_id, id)
) PARTITION BY RANGE (created_at);
CREATE INDEX api_key_usage_by_key ON api_key_usage (tenant_id, api_key_id, created_at DESC);
CREATE INDEX api_key_usage_by_time ON api_key_usage (created_at DESC);
CALL protect_tenant_table('api_key_usage', false);
GRANT SELECT ON api_key_usage TO penguinmails_app;
CALL allow_across_tenants('api_key_usage', 'penguinmails_jobs', 'SELECT, INSERT, UPDATE');
INSERT INTO partitioned_tables (table_name, months_kept) VALUES ('api_key_usage', 3);

-- Kept 25 months. The counts are added to as batches arrive; the percentile is computed once the day is over.
CREATE TABLE api_key_usage_daily (
  tenant_id uuid NOT NULL REFERENCES tenants,
  api_key_id uuid NOT NULL,
  day date NOT NULL,
  endpoint varchar(255) NOT NULL,
  method varchar(10) NOT NULL,
  requests bigint NOT NULL,
  errors bigint NOT NULL,
  total_ms bigint NOT NULL,
  p95_ms integer,
  PRIMARY KEY (tenant_id, api_key_id, day, endpoint, method),
  FOREIGN KEY (tenant_id, api_key_id) REFERENCES api_keys (tenant_id, id)
);
CREATE INDEX api_key_usage_daily_by_day ON api_key_usage_daily (tenant_id, day);
CALL protect_tenant_table('api_key_usage_daily', false);
GRANT SELECT ON api_key_usage_daily TO penguinmails_app;
CALL allow_across_tenants('api_key_usage_daily', 'penguinmails_jobs', 'SELECT, INSERT, UPDATE, DELETE');
CALL allow_across_tenants('api_key_usage_daily', 'penguinmails_lookup', 'SELECT');

-- The one look-up that happens before a tenant is known: by the keyed digest of the presented key.
CREATE FUNCTION find_api_key(digest bytea)
RETURNS TABLE (
  id uuid, tenant_id uuid, name text, mode text, lookup_digest bytea, vault_version integer, generation bigint,
  permissions text[], status text, allowed_cidrs text[], monthly_quota integer, expires_at timestamptz,
  created_by uuid, tenant_status text, subscription_status text, plan text, api_access boolean,
  rate_limit integer, burst_limit integer, month_requests bigint
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT k.id, k.tenant_id, k.name, k.mode, k.lookup_digest, k.vault_version, k.generation,
         k.permissions, k.status, k.allowed_cidrs::text[], k.monthly_quota, k.expires_at,
         k.created_by, t.status, l.subscription_status, l.plan_slug, l.api_access,
         l.api_rate_limit, l.api_burst_limit,
         CASE WHEN k.monthly_quota IS NULL THEN 0 ELSE coalesce((
           SELECT sum(u.requests) FROM api_key_usage_daily u
           WHERE u.tenant_id = k.tenant_id AND u.api_key_id = k.id
             AND u.day >= date_trunc('month', now() AT TIME ZONE 'UTC')::date), 0) END
  FROM api_keys k
  JOIN tenants t ON t.id = k.tenant_id
  JOIN tenant_limits l ON l.tenant_id = k.tenant_id
  WHERE k.lookup_digest = digest
$$;
ALTER FUNCTION find_api_key(bytea) OWNER TO penguinmails_lookup;
REVOKE EXECUTE ON FUNCTION find_api_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key(bytea) TO penguinmails_app;

SELECT * FROM maintain_partitions();
