-- Roles, the tenant policy that every table shares, and who and what a tenant is.

-- Roles live in the cluster, not in one database, and migrations of several databases may run at once.
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['penguinmails_app', 'penguinmails_jobs'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I LOGIN', role_name);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END LOOP;
  BEGIN
    CREATE ROLE penguinmails_lookup NOLOGIN;
  EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
  END;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO penguinmails_app, penguinmails_jobs, penguinmails_lookup;

CREATE FUNCTION current_tenant_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.current_tenant_id', true), '')::uuid;

CREATE FUNCTION current_mode() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.current_mode', true), '');

GRANT EXECUTE ON FUNCTION current_tenant_id(), current_mode() TO PUBLIC;

-- Forces row-level security on a table. The expressions are written out instead of calling the two functions above:
-- the planner sees through them and keeps using the table's indexes.
CREATE PROCEDURE protect_tenant_table(target regclass, has_mode boolean, tenant_column name DEFAULT 'tenant_id')
LANGUAGE plpgsql AS $$
DECLARE
  own_rows text := format('%I = nullif(current_setting(''app.current_tenant_id'', true), '''')::uuid', tenant_column);
BEGIN
  IF has_mode THEN
    own_rows := own_rows || ' AND mode = current_setting(''app.current_mode'', true)';
  END IF;
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY tenant_isolation ON %s TO penguinmails_app USING (%s) WITH CHECK (%s)',
                 target, own_rows, own_rows);
END
$$;

-- A role that works across tenants gets a policy of its own on each table that it needs; none bypasses row security.
CREATE PROCEDURE allow_across_tenants(target regclass, role_name name, commands text)
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('GRANT %s ON %s TO %I', commands, target, role_name);
  EXECUTE format('CREATE POLICY %I ON %s TO %I USING (true) WITH CHECK (true)', role_name || '_all', target, role_name);
END
$$;

CREATE FUNCTION set_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END
$$;

-- ---- plans: platform data, the same for all tenants ------------------------------------------------------------------

CREATE TABLE plans (
  slug text PRIMARY KEY CHECK (slug ~ '^[a-z]+$'),
  name text NOT NULL,
  api_access boolean NOT NULL,
  api_rate_limit integer NOT NULL CHECK (api_rate_limit >= 0),
  api_burst_limit integer NOT NULL CHECK (api_burst_limit >= api_rate_limit),
  send_rate_per_second integer NOT NULL,
  max_contacts integer,
  max_emails_per_month integer,
  max_webhooks integer NOT NULL,
  price_monthly_cents integer,
  is_active boolean NOT NULL DEFAULT true
);
COMMENT ON COLUMN plans.api_rate_limit IS 'requests per minute and key';
COMMENT ON COLUMN plans.max_contacts IS 'null is unlimited';

INSERT INTO plans (slug, name, api_access, api_rate_limit, api_burst_limit, send_rate_per_second,
                   max_contacts, max_emails_per_month, max_webhooks, price_monthly_cents) VALUES
  ('free',       'Free',         false,    0,    0,   0,       0,       0,   0,     0),
  ('starter',    'Starter',      true,    60,  100,  10,   10000,   50000,  20,  4900),
  ('pro',        'Professional', true,   300,  500,  50,  100000,  500000,  20, 14900),
  ('business',   'Business',     true,  1000, 2000, 100,  500000, 2000000, 100, 39900),
  ('enterprise', 'Enterprise',   true,  1000, 2000, 100,    NULL,    NULL, 100,  NULL);

GRANT SELECT ON plans TO penguinmails_app, penguinmails_jobs, penguinmails_lookup;

-- ---- tenants and their people ----------------------------------------------------------------------------------------

CREATE TABLE tenants (
  id uuid PRIMARY KEY,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'canceled')),
  status_reason text,
  settings jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  deleted_at timestamptz
);
CALL protect_tenant_table('tenants', false, 'id');
GRANT SELECT, INSERT, UPDATE ON tenants TO penguinmails_app;
CALL allow_across_tenants('tenants', 'penguinmails_jobs', 'SELECT, UPDATE');
CALL allow_across_tenants('tenants', 'penguinmails_lookup', 'SELECT');

CREATE TABLE subscriptions (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  plan_slug text NOT NULL REFERENCES plans,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('trialing', 'active', 'past_due', 'suspended', 'canceled')),
  current_period_start timestamptz NOT NULL DEFAULT clock_timestamp(),
  current_period_end timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id),
  UNIQUE (tenant_id, id)
);
CALL protect_tenant_table('subscriptions', false);
GRANT SELECT, INSERT, UPDATE ON subscriptions TO penguinmails_app;
CALL allow_across_tenants('subscriptions', 'penguinmails_jobs', 'SELECT, UPDATE');
CALL allow_across_tenants('subscriptions', 'penguinmails_lookup', 'SELECT');

CREATE TABLE tenant_overrides (
  tenant_id uuid PRIMARY KEY REFERENCES tenants,
  limits jsonb NOT NULL DEFAULT '{}',
  reason text NOT NULL,
  set_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN tenant_overrides.limits IS 'any of api_rate_limit, api_burst_limit, send_rate_per_second, max_contacts, max_emails_per_month, max_webhooks; wins over the plan';
CALL protect_tenant_table('tenant_overrides', false);
GRANT SELECT ON tenant_overrides TO penguinmails_app;
CALL allow_across_tenants('tenant_overrides', 'penguinmails_jobs', 'SELECT, INSERT, UPDATE, DELETE');
CALL allow_across_tenants('tenant_overrides', 'penguinmails_lookup', 'SELECT');

-- A person belongs to exactly one tenant, or to the staff of the platform (then tenant_id is null).
CREATE TABLE users (
  id uuid PRIMARY KEY,
  tenant_id uuid REFERENCES tenants,
  email varchar(255) NOT NULL UNIQUE CHECK (email = lower(email)),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  role text CHECK (role IN ('owner', 'admin', 'developer', 'member')),
  email_verified_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  deleted_at timestamptz,
  UNIQUE (tenant_id, id),
  CHECK ((tenant_id IS NULL) = (role IS NULL))
);
CALL protect_tenant_table('users', false);
GRANT SELECT, INSERT, UPDATE ON users TO penguinmails_app;
CALL allow_across_tenants('users', 'penguinmails_jobs', 'SELECT');
CALL allow_across_tenants('users', 'penguinmails_lookup', 'SELECT');

CREATE TABLE workspaces (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  slug text NOT NULL CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 255),
  is_default boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id, id),
  UNIQUE (tenant_id, slug)
);
CALL protect_tenant_table('workspaces', false);
GRANT SELECT, INSERT, UPDATE, DELETE ON workspaces TO penguinmails_app;

CREATE TABLE workspace_members (
  tenant_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'member', 'viewer')),
  PRIMARY KEY (tenant_id, workspace_id, user_id),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX workspace_members_by_user ON workspace_members (tenant_id, user_id);
CALL protect_tenant_table('workspace_members', false);
GRANT SELECT, INSERT, UPDATE, DELETE ON workspace_members TO penguinmails_app;

-- The limits that hold for a tenant: the override where there is one, else the plan.
CREATE VIEW tenant_limits WITH (security_invoker = true) AS
SELECT s.tenant_id, s.plan_slug, s.status AS subscription_status, p.api_access,
       coalesce((o.limits ->> 'api_rate_limit')::integer, p.api_rate_limit) AS api_rate_limit,
       coalesce((o.limits ->> 'api_burst_limit')::integer, p.api_burst_limit) AS api_burst_limit,
       coalesce((o.limits ->> 'send_rate_per_second')::integer, p.send_rate_per_second) AS send_rate_per_second,
       coalesce((o.limits ->> 'max_contacts')::integer, p.max_contacts) AS max_contacts,
       coalesce((o.limits ->> 'max_emails_per_month')::integer, p.max_emails_per_month) AS max_emails_per_month,
       coalesce((o.limits ->> 'max_webhooks')::integer, p.max_webhooks) AS max_webhooks
FROM subscriptions s
JOIN plans p ON p.slug = s.plan_slug
LEFT JOIN tenant_overrides o ON o.tenant_id = s.tenant_id;
GRANT SELECT ON tenant_limits TO penguinmails_app, penguinmails_jobs, penguinmails_lookup;

-- ---- audit: append only ----------------------------------------------------------------------------------------------

CREATE TABLE audit_log (
  id uuid PRIMARY KEY,
  tenant_id uuid REFERENCES tenants,
  actor_type text NOT NULL CHECK (actor_type IN ('user', 'api_key', 'staff', 'system', 'anonymous')),
  actor_id uuid,
  event text NOT NULL,
  resource_type text,
  resource_id text,
  severity text NOT NULL DEFAULT 'info' CHECK (severity IN ('info', 'warning', 'critical')),
  ip_address inet,
  user_agent text,
  request_id text,
  details jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN audit_log.tenant_id IS 'null for what concerns the platform and no tenant';
CREATE INDEX audit_log_by_tenant ON audit_log (tenant_id, created_at DESC);
CREATE INDEX audit_log_by_event ON audit_log (event, created_at);
CALL protect_tenant_table('audit_log', false);
GRANT SELECT, INSERT ON audit_log TO penguinmails_app;
CALL allow_across_tenants('audit_log', 'penguinmails_jobs', 'SELECT, INSERT');

DO $$
DECLARE
  target text;
BEGIN
  FOREACH target IN ARRAY ARRAY['tenants', 'subscriptions', 'users', 'workspaces'] LOOP
    EXECUTE format('CREATE TRIGGER set_updated_at BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION set_updated_at()', target);
  END LOOP;
END
$$;
