-- Deliveries that ended within a period are found without reading all of them; a few bytes per megabyte of the table.
CREATE INDEX webhook_deliveries_by_end ON webhook_deliveries USING brin (finished_at) WITH (autosummarize = on);

-- Which webhooks there are to be looked at one by one. Jobs and staff see no webhook itself.
CREATE FUNCTION live_webhooks() RETURNS TABLE (tenant_id uuid, webhook_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT w.tenant_id, w.id FROM webhooks w WHERE w.mode = 'live'
$$;
ALTER FUNCTION live_webhooks() OWNER TO penguinmails_lookup;
REVOKE EXECUTE ON FUNCTION live_webhooks() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION live_webhooks() TO penguinmails_jobs;
