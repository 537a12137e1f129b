-- The platform's own staff. They are people of one tenant that is the platform itself, so that passwords, sessions, second
-- factors, mail and audit work for them as for everybody. Who is staff, and as what, is said in staff_members and never
-- by a role in a tenant.

-- The owner of the schema is held to row security as well, unless it is a superuser; both tables are its own.
ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY;
ALTER TABLE subscriptions NO FORCE ROW LEVEL SECURITY;
INSERT INTO tenants (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'PenguinMails');
INSERT INTO subscriptions (id, tenant_id, plan_slug)
VALUES ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001', 'free');
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE subscriptions FORCE ROW LEVEL SECURITY;

-- Everybody belongs to exactly one tenant, staff included.
ALTER TABLE users
  ALTER COLUMN tenant_id SET NOT NULL,
  ALTER COLUMN role SET NOT NULL,
  DROP CONSTRAINT users_check;

CREATE TABLE staff_members (
  user_id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants CHECK (tenant_id = '00000000-0000-4000-8000-000000000001'),
  role text NOT NULL CHECK (role IN ('super_admin', 'admin', 'support', 'finance', 'ops', 'qa')),
  grants text[] NOT NULL DEFAULT '{}',
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
COMMENT ON COLUMN staff_members.grants IS 'what a member may do beyond the role';
CREATE TRIGGER set_updated_at BEFORE UPDATE ON staff_members FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CALL protect_tenant_table('staff_members', false);
GRANT SELECT, INSERT, UPDATE ON staff_members TO penguinmails_app;
CALL allow_across_tenants('staff_members', 'penguinmails_lookup', 'SELECT');

DROP FUNCTION find_login(text);
CREATE FUNCTION find_login(login_email text)
RETURNS TABLE (user_id uuid, tenant_id uuid, password_hash text, locked_until timestamptz, email_verified_at timestamptz,
               tenant_status text, has_second_factor boolean, is_former_staff boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.id, u.tenant_id, c.password_hash, c.locked_until, u.email_verified_at, t.status,
         c.totp_confirmed_at IS NOT NULL,
         u.tenant_id = '00000000-0000-4000-8000-000000000001' AND m.is_active IS NOT TRUE
  FROM users u
  JOIN user_credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
  JOIN tenants t ON t.id = u.tenant_id
  LEFT JOIN staff_members m ON m.tenant_id = u.tenant_id AND m.user_id = u.id
  WHERE u.email = login_email AND u.deleted_at IS NULL
$$;

DROP FUNCTION find_session(uuid);
CREATE FUNCTION find_session(session uuid)
RETURNS TABLE (id uuid, user_id uuid, tenant_id uuid, email text, role text, csrf_hash bytea, created_at timestamptz,
               ended_at timestamptz, expires_at timestamptz, last_used_at timestamptz, tenant_status text,
               subscription_status text, plan text, staff_role text, staff_grants text[], staff_is_active boolean,
               staff_factor_since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT s.id, u.id, s.tenant_id, u.email, u.role, s.csrf_hash, s.created_at, s.ended_at, s.expires_at, s.last_used_at,
         t.status, b.status, b.plan_slug, m.role, m.grants, m.is_active, c.totp_confirmed_at
  FROM sessions s
  JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id AND u.deleted_at IS NULL
  JOIN tenants t ON t.id = s.tenant_id
  JOIN subscriptions b ON b.tenant_id = s.tenant_id
  LEFT JOIN staff_members m ON m.tenant_id = s.tenant_id AND m.user_id = s.user_id
  LEFT JOIN user_credentials c ON c.tenant_id = m.tenant_id AND c.user_id = m.user_id
  WHERE s.id = session
$$;

DO $$
DECLARE
  signature text;
BEGIN
  FOREACH signature IN ARRAY ARRAY['find_login(text)', 'find_session(uuid)'] LOOP
    EXECUTE 'ALTER FUNCTION ' || signature || ' OWNER TO penguinmails_lookup';
    EXECUTE 'REVOKE EXECUTE ON FUNCTION ' || signature || ' FROM PUBLIC';
    EXECUTE 'GRANT EXECUTE ON FUNCTION ' || signature || ' TO penguinmails_app';
  END LOOP;
END
$$;
