-- A mail that a sweep takes up again, or that was scheduled, belongs to the trace of who asked for it.

ALTER TABLE emails ADD COLUMN traceparent text;
COMMENT ON COLUMN emails.traceparent IS 'https://www.w3.org/TR/trace-context/; null for mails of campaigns, and when nothing was traced';
ALTER TABLE mail_outbox ADD COLUMN traceparent text;
COMMENT ON COLUMN mail_outbox.traceparent IS 'https://www.w3.org/TR/trace-context/; null when nothing was traced';
