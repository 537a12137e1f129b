-- Deliveries that wait until their webhook or tenant may have one more post in flight.

ALTER TABLE webhook_deliveries ADD COLUMN parked_at timestamptz;
COMMENT ON COLUMN webhook_deliveries.parked_at IS
  'its place among those that wait for a free slot, null when it waits for none; retries stand some minutes further back';
CREATE INDEX webhook_deliveries_parked ON webhook_deliveries (tenant_id, mode, webhook_id, parked_at)
  WHERE parked_at IS NOT NULL;
-- What a killed worker has left is found by the next one of the same tenant, past what waits for others.
CREATE INDEX webhook_deliveries_due_by_tenant ON webhook_deliveries (tenant_id, mode, next_sweep_at)
  WHERE next_sweep_at IS NOT NULL;

-- A month's tables begin empty, and the planner takes whole tenants for single rows until it has seen them filled. The
-- background process looks once a minute; a backlog is there within seconds. Runs with the owner's rights, as a right to
-- look at a partition is not handed down from its parent. Returns how many tables were looked at.
CREATE FUNCTION refresh_webhook_statistics() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  child regclass;
  refreshed integer := 0;
BEGIN
  -- One at a time; whoever comes second has nothing to wait for.
  IF NOT pg_try_advisory_xact_lock(hashtextextended('refresh_webhook_statistics', 0)) THEN
    RETURN 0;
  END IF;
  FOR child IN
    SELECT c.oid::regclass FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent IN ('events'::regclass, 'webhook_deliveries'::regclass, 'webhook_attempts'::regclass)
      AND c.reltuples < 100000
      -- By size, as the counters of changes come seconds late.
      AND pg_relation_size(c.oid) > current_setting('block_size')::integer * greatest(2 * c.relpages, 16)
  LOOP
    EXECUTE format('ANALYZE %s', child);
    refreshed := refreshed + 1;
  END LOOP;
  RETURN refreshed;
END
$$;
REVOKE EXECUTE ON FUNCTION refresh_webhook_statistics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refresh_webhook_statistics() TO penguinmails_app;
