-- Invitations, and people who leave.

-- An address is free again once its user has left.
ALTER TABLE users DROP CONSTRAINT users_email_key;
CREATE UNIQUE INDEX users_email_key ON users (email) WHERE deleted_at IS NULL;
GRANT DELETE ON user_credentials TO penguinmails_app;

CREATE TABLE invitations (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  email varchar(255) NOT NULL CHECK (email = lower(email)),
  role text NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'member')),
  invited_by uuid NOT NULL,
  token_hash bytea UNIQUE,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  revoked_at timestamptz,
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, invited_by) REFERENCES users (tenant_id, id)
);
COMMENT ON COLUMN invitations.token_hash IS 'of the link in the newest mail; null until one was sent';
CREATE UNIQUE INDEX invitations_open ON invitations (tenant_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_by_time ON invitations (tenant_id, created_at DESC, id DESC);
CALL protect_tenant_table('invitations', false);
GRANT SELECT, INSERT, UPDATE ON invitations TO penguinmails_app;
CALL allow_across_tenants('invitations', 'penguinmails_lookup', 'SELECT');
CALL allow_across_tenants('invitations', 'penguinmails_jobs', 'SELECT, DELETE');

-- A mail goes to a user, or to somebody who is invited and not one yet.
ALTER TABLE mail_outbox
  ALTER COLUMN user_id DROP NOT NULL,
  ADD invitation_id uuid,
  ADD FOREIGN KEY (tenant_id, invitation_id) REFERENCES invitations (tenant_id, id) ON DELETE CASCADE,
  ADD CHECK ((user_id IS NULL) <> (invitation_id IS NULL));

CREATE FUNCTION find_invitation(hash bytea)
RETURNS TABLE (id uuid, tenant_id uuid, email text, role text, expires_at timestamptz, accepted_at timestamptz,
               revoked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT i.id, i.tenant_id, i.email, i.role, i.expires_at, i.accepted_at, i.revoked_at
  FROM invitations i WHERE i.token_hash = hash
$$;
ALTER FUNCTION find_invitation(bytea) OWNER TO penguinmails_lookup;
REVOKE EXECUTE ON FUNCTION find_invitation(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_invitation(bytea) TO penguinmails_app;
