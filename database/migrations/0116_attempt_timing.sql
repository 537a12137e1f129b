-- Where the time of an attempt went.

ALTER TABLE webhook_attempts ADD COLUMN timing jsonb;
COMMENT ON COLUMN webhook_attempts.timing IS 'dns_ms, connect_ms, tls_ms, first_byte_ms; null for a step that was not taken, as on a kept connection';
