-- Passwords, sessions, step-up, link tokens, and the mail that the platform itself sends.

-- Password hashes live apart from users, so that reading a user never reads a hash.
CREATE TABLE user_credentials (
  tenant_id uuid NOT NULL REFERENCES tenants,
  user_id uuid NOT NULL,
  password_hash text NOT NULL,
  failed_attempts integer NOT NULL DEFAULT 0,
  locked_until timestamptz,
  totp_confirmed_at timestamptz,
  totp_last_step bigint NOT NULL DEFAULT 0,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
COMMENT ON COLUMN user_credentials.totp_last_step IS 'the last time step whose code was used: a code works once';
CALL protect_tenant_table('user_credentials', false);
GRANT SELECT, INSERT, UPDATE ON user_credentials TO penguinmails_app;
CALL allow_across_tenants('user_credentials', 'penguinmails_lookup', 'SELECT');

CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  user_id uuid NOT NULL,
  refresh_hash bytea NOT NULL,
  previous_refresh_hash bytea,
  csrf_hash bytea NOT NULL,
  ip_address inet,
  user_agent text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  end_reason text,
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE UNIQUE INDEX sessions_by_refresh ON sessions (refresh_hash);
CREATE INDEX sessions_by_previous_refresh ON sessions (previous_refresh_hash) WHERE previous_refresh_hash IS NOT NULL;
CREATE INDEX sessions_by_user ON sessions (tenant_id, user_id, last_used_at) WHERE ended_at IS NULL;
CALL protect_tenant_table('sessions', false);
GRANT SELECT, INSERT, UPDATE ON sessions TO penguinmails_app;
CALL allow_across_tenants('sessions', 'penguinmails_lookup', 'SELECT');
CALL allow_across_tenants('sessions', 'penguinmails_jobs', 'SELECT, DELETE');

CREATE TABLE reauth_tokens (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  session_id uuid NOT NULL,
  user_id uuid NOT NULL,
  token_hash bytea NOT NULL UNIQUE,
  level text NOT NULL CHECK (level IN ('password', 'password_totp')),
  purpose text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX reauth_tokens_by_expiry ON reauth_tokens (expires_at);
CALL protect_tenant_table('reauth_tokens', false);
GRANT SELECT, INSERT ON reauth_tokens TO penguinmails_app;
CALL allow_across_tenants('reauth_tokens', 'penguinmails_jobs', 'SELECT, DELETE');

-- Single-use tokens of links in mails. The token itself is made when the mail is sent and is kept nowhere.
CREATE TABLE link_tokens (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  user_id uuid NOT NULL,
  purpose text NOT NULL CHECK (purpose IN ('verify_email', 'reset_password')),
  token_hash bytea NOT NULL UNIQUE,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX link_tokens_by_user ON link_tokens (tenant_id, user_id, purpose);
CREATE INDEX link_tokens_by_expiry ON link_tokens (expires_at);
CALL protect_tenant_table('link_tokens', false);
GRANT SELECT, INSERT, UPDATE ON link_tokens TO penguinmails_app;
CALL allow_across_tenants('link_tokens', 'penguinmails_lookup', 'SELECT');
CALL allow_across_tenants('link_tokens', 'penguinmails_jobs', 'SELECT, DELETE');

CREATE TABLE mail_outbox (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  user_id uuid NOT NULL,
  type text NOT NULL CHECK (type IN ('verify_email', 'reset_password', 'account_exists')),
  dedupe_key text NOT NULL,
  status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sending', 'sent', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_error text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  sent_at timestamptz,
  UNIQUE (tenant_id, dedupe_key),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX mail_outbox_due ON mail_outbox (next_attempt_at) WHERE status IN ('queued', 'sending');
CALL protect_tenant_table('mail_outbox', false);
GRANT SELECT, INSERT, UPDATE ON mail_outbox TO penguinmails_app;
CALL allow_across_tenants('mail_outbox', 'penguinmails_jobs', 'SELECT, UPDATE, DELETE');

-- ---- look-ups before a tenant is known: one row each ------------------------------------------------------------------

CREATE FUNCTION find_login(login_email text)
RETURNS TABLE (user_id uuid, tenant_id uuid, password_hash text, locked_until timestamptz, email_verified_at timestamptz,
               tenant_status text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.id, u.tenant_id, c.password_hash, c.locked_until, u.email_verified_at, t.status
  FROM users u
  JOIN user_credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
  JOIN tenants t ON t.id = u.tenant_id
  WHERE u.email = login_email AND u.deleted_at IS NULL
$$;

CREATE FUNCTION find_session(session uuid)
RETURNS TABLE (id uuid, user_id uuid, tenant_id uuid, email text, role text, csrf_hash bytea, ended_at timestamptz,
               expires_at timestamptz, last_used_at timestamptz, tenant_status text, subscription_status text, plan text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT s.id, u.id, s.tenant_id, u.email, u.role, s.csrf_hash, s.ended_at, s.expires_at, s.last_used_at, t.status,
         b.status, b.plan_slug
  FROM sessions s
  JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id AND u.deleted_at IS NULL
  JOIN tenants t ON t.id = s.tenant_id
  JOIN subscriptions b ON b.tenant_id = s.tenant_id
  WHERE s.id = session
$$;

CREATE FUNCTION find_refresh(hash bytea)
RETURNS TABLE (session_id uuid, tenant_id uuid, is_current boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT s.id, s.tenant_id, s.refresh_hash = hash FROM sessions s
  WHERE s.refresh_hash = hash OR s.previous_refresh_hash = hash
$$;

CREATE FUNCTION find_link_token(hash bytea)
RETURNS TABLE (id uuid, tenant_id uuid, user_id uuid, purpose text, expires_at timestamptz, used_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT l.id, l.tenant_id, l.user_id, l.purpose, l.expires_at, l.used_at FROM link_tokens l WHERE l.token_hash = hash
$$;

DO $$
DECLARE
  signature text;
BEGIN
  FOREACH signature IN ARRAY ARRAY['find_login(text)', 'find_session(uuid)', 'find_refresh(bytea)', 'find_link_token(bytea)']
  LOOP
    EXECUTE 'ALTER FUNCTION ' || signature || ' OWNER TO penguinmails_lookup';
    EXECUTE 'REVOKE EXECUTE ON FUNCTION ' || signature || ' FROM PUBLIC';
    EXECUTE 'GRANT EXECUTE ON FUNCTION ' || signature || ' TO penguinmails_app';
  END LOOP;
END
$$;
