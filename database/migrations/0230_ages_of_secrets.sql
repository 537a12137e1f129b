-- When a secret was last replaced, where nothing else says so; NULL is never, or before it was written down.
ALTER TABLE webhooks ADD COLUMN secret_changed_at timestamptz;
ALTER TABLE provider_accounts ADD COLUMN secret_changed_at timestamptz;
ALTER TABLE mail_servers ADD COLUMN secret_changed_at timestamptz;

GRANT SELECT (created_at, secret_changed_at) ON mail_servers TO penguinmails_lookup;
CREATE POLICY penguinmails_lookup_all ON mail_servers TO penguinmails_lookup USING (true) WITH CHECK (true);

-- How long the oldest secret of each kind is in use, for the platform's own figures. Jobs see no webhook or mail server.
CREATE FUNCTION oldest_secrets() RETURNS TABLE (kind text, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT 'api_key', min(coalesce(regenerated_at, created_at)) FROM api_keys
  WHERE status = 'active' AND (expires_at IS NULL OR expires_at > clock_timestamp())
  UNION ALL
  SELECT 'webhook', min(coalesce(secret_changed_at, created_at)) FROM webhooks WHERE deleted_at IS NULL
  UNION ALL
  SELECT 'dkim', min(coalesce(dkim_rotated_at, created_at)) FROM domains
  UNION ALL
  SELECT 'provider_account', min(coalesce(secret_changed_at, created_at)) FROM provider_accounts
  UNION ALL
  SELECT 'mail_server', min(coalesce(secret_changed_at, created_at)) FROM mail_servers
$$;
ALTER FUNCTION oldest_secrets() OWNER TO penguinmails_lookup;
REVOKE EXECUTE ON FUNCTION oldest_secrets() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION oldest_secrets() TO penguinmails_jobs;
