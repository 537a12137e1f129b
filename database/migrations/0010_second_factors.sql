-- Second factors: one-time passwords by time (RFC 6238) and recovery codes. The seed lives in Vault.

ALTER TABLE user_credentials
  ADD totp_version integer,
  ADD CHECK ((totp_confirmed_at IS NULL) OR (totp_version IS NOT NULL));
COMMENT ON COLUMN user_credentials.totp_version IS 'version of the seed in Vault; not in force before totp_confirmed_at';

CREATE TABLE recovery_codes (
  tenant_id uuid NOT NULL REFERENCES tenants,
  user_id uuid NOT NULL,
  code_digest bytea NOT NULL CHECK (length(code_digest) = 32),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  used_at timestamptz,
  PRIMARY KEY (tenant_id, user_id, code_digest),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
COMMENT ON COLUMN recovery_codes.code_digest IS 'keyed digest; the code itself is shown once';
CALL protect_tenant_table('recovery_codes', false);
GRANT SELECT, INSERT, UPDATE, DELETE ON recovery_codes TO penguinmails_app;

DROP FUNCTION find_login(text);
CREATE FUNCTION find_login(login_email text)
RETURNS TABLE (user_id uuid, tenant_id uuid, password_hash text, locked_until timestamptz, email_verified_at timestamptz,
               tenant_status text, has_second_factor boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.id, u.tenant_id, c.password_hash, c.locked_until, u.email_verified_at, t.status,
         c.totp_confirmed_at IS NOT NULL
  FROM users u
  JOIN user_credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
  JOIN tenants t ON t.id = u.tenant_id
  WHERE u.email = login_email AND u.deleted_at IS NULL
$$;
ALTER FUNCTION find_login(text) OWNER TO penguinmails_lookup;
REVOKE EXECUTE ON FUNCTION find_login(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_login(text) TO penguinmails_app;
