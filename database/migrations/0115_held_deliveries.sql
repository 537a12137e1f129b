-- What is held for a paused webhook is given up after thirty days; this finds it without walking through the log.

CREATE INDEX webhook_deliveries_held ON webhook_deliveries (event_created_at) WHERE status = 'held';
COMMENT ON COLUMN webhook_deliveries.status IS 'dropped: given up when the webhook was resumed without it, by a cancelled replay, or after being held for 30 days';
