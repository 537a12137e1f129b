-- A webhook may have its deliveries in order, and several of them in one post.

ALTER TABLE webhooks
  ADD COLUMN ordering text NOT NULL DEFAULT 'none' CHECK (ordering IN ('none', 'contact', 'campaign')),
  ADD COLUMN batch_size integer NOT NULL DEFAULT 1 CHECK (batch_size BETWEEN 1 AND 100),
  ADD COLUMN batch_wait_seconds integer NOT NULL DEFAULT 0 CHECK (batch_wait_seconds BETWEEN 0 AND 60);
COMMENT ON COLUMN webhooks.ordering IS 'whose events wait for each other';
COMMENT ON COLUMN webhooks.batch_wait_seconds IS 'how long deliveries are parked for others to share a post with';

ALTER TABLE webhook_deliveries ADD COLUMN order_key uuid;
COMMENT ON COLUMN webhook_deliveries.order_key IS 'the contact or campaign whose earlier deliveries to the webhook are waited for; null for none';
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (tenant_id, mode, webhook_id, order_key, sequence)
  WHERE order_key IS NOT NULL AND status IN ('queued', 'sending', 'pending_retry', 'held');
