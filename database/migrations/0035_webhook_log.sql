-- Deliveries that were given up when their webhook was resumed.

ALTER TABLE webhook_deliveries DROP CONSTRAINT webhook_deliveries_status_check;
ALTER TABLE webhook_deliveries ADD CONSTRAINT webhook_deliveries_status_check
  CHECK (status IN ('queued', 'sending', 'pending_retry', 'success', 'failed', 'held', 'dropped'));
CREATE INDEX webhook_deliveries_by_status ON webhook_deliveries (tenant_id, mode, webhook_id, status, created_at, id);
