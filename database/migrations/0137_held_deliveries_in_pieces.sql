-- What a pause has held may be a million deliveries, more than one request can let go: the webhook remembers what was decided.

ALTER TABLE webhooks ADD COLUMN held_due_at timestamptz, ADD COLUMN held_dropped_before timestamptz;
COMMENT ON COLUMN webhooks.held_due_at IS 'when the next piece of what was held goes out; null when nothing is left of it';
COMMENT ON COLUMN webhooks.held_dropped_before IS 'what was held and whose event is older is given up first';
CREATE INDEX webhooks_held_due ON webhooks (held_due_at) WHERE held_due_at IS NOT NULL;

CREATE FUNCTION webhooks_with_held_due() RETURNS TABLE (id uuid, tenant_id uuid, mode text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT w.id, w.tenant_id, w.mode FROM webhooks w
  WHERE w.held_due_at < clock_timestamp() - interval '1 minute' AND w.is_active
$$;
ALTER FUNCTION webhooks_with_held_due() OWNER TO penguinmails_lookup;
REVOKE EXECUTE ON FUNCTION webhooks_with_held_due() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION webhooks_with_held_due() TO penguinmails_jobs;
