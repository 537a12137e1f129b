-- The mail server that a customer's own mail goes out by, in place of the platform's.

CREATE TABLE mail_servers (
  tenant_id uuid PRIMARY KEY REFERENCES tenants,
  host varchar(253) NOT NULL CHECK (host = lower(host)),
  port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
  security text NOT NULL CHECK (security IN ('starttls', 'tls', 'none')),
  username varchar(320) NOT NULL,
  secret_ref text NOT NULL,
  secret_version integer NOT NULL,
  status text NOT NULL CHECK (status IN ('active', 'error')),
  status_detail text,
  checked_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN mail_servers.secret_ref IS 'where Vault has the password';
COMMENT ON COLUMN mail_servers.status IS 'error: it takes no mail until somebody puts right what status_detail names';
CALL protect_tenant_table('mail_servers', false);
GRANT SELECT, INSERT, UPDATE, DELETE ON mail_servers TO penguinmails_app;
CREATE TRIGGER set_updated_at BEFORE UPDATE ON mail_servers FOR EACH ROW EXECUTE FUNCTION set_updated_at();
