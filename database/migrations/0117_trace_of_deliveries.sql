-- A delivery that comes back by a retry or the sweep belongs to the trace of what raised its event.

ALTER TABLE webhook_deliveries ADD COLUMN traceparent text;
COMMENT ON COLUMN webhook_deliveries.traceparent IS 'https://www.w3.org/TR/trace-context/; null when nothing was traced';
