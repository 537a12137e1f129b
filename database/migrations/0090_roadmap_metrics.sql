-- How many webhooks are configured, for the platform's own figures. Jobs and staff see no webhook itself.

CREATE FUNCTION count_webhooks(before timestamptz) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*) FROM webhooks WHERE created_at < before AND (deleted_at IS NULL OR deleted_at >= before)
$$;
ALTER FUNCTION count_webhooks(timestamptz) OWNER TO penguinmails_lookup;
REVOKE EXECUTE ON FUNCTION count_webhooks(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_webhooks(timestamptz) TO penguinmails_jobs;
