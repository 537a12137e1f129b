-- What the sweeps report of the platform as a whole.

CREATE INDEX webhooks_failing ON webhooks (tenant_id) WHERE is_failing AND is_active;
CALL allow_across_tenants('webhooks', 'penguinmails_lookup', 'SELECT');

CREATE FUNCTION count_failing_webhooks() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*) FROM webhooks WHERE is_failing AND is_active
$$;
ALTER FUNCTION count_failing_webhooks() OWNER TO penguinmails_lookup;
REVOKE EXECUTE ON FUNCTION count_failing_webhooks() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_failing_webhooks() TO penguinmails_jobs;
