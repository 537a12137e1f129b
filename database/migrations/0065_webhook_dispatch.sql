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
-- background process looks once a minute; a backlog is there within seconds, so the dispatcher looks as well.
GRANT MAINTAIN ON events, webhook_deliveries TO penguinmails_app;
