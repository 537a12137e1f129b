-- Deliveries that are no event's first way to a webhook: posts that were asked for as a test, and events sent again.

ALTER TABLE webhook_deliveries
  ADD COLUMN is_test boolean NOT NULL DEFAULT false,
  ADD COLUMN replay_id uuid;
COMMENT ON COLUMN webhook_deliveries.is_test IS 'posted once because somebody asked for it; has no event, counts nowhere';
COMMENT ON COLUMN webhook_deliveries.replay_id IS 'the replay that sends the event again; null for the delivery that it first made';

-- An event makes one delivery per webhook however often it is fanned out, and one more per replay.
ALTER TABLE webhook_deliveries DROP CONSTRAINT webhook_deliveries_tenant_id_mode_webhook_id_event_id_event_key;
CREATE UNIQUE INDEX webhook_deliveries_by_event
  ON webhook_deliveries (tenant_id, mode, webhook_id, event_id, event_created_at, replay_id) NULLS NOT DISTINCT;
CREATE INDEX webhook_deliveries_by_replay ON webhook_deliveries (tenant_id, mode, replay_id, status)
  WHERE replay_id IS NOT NULL;

CREATE TABLE webhook_replays (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  webhook_id uuid NOT NULL,
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL CHECK (to_at > from_at),
  event_types text[] NOT NULL CHECK (cardinality(event_types) > 0),
  event_filters jsonb,
  only_undelivered boolean NOT NULL,
  per_second integer NOT NULL CHECK (per_second BETWEEN 1 AND 50),
  status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'cancelled')),
  total integer NOT NULL,
  done integer NOT NULL DEFAULT 0,
  position_at timestamptz,
  position_id uuid,
  next_run_at timestamptz,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  UNIQUE (tenant_id, mode, id),
  FOREIGN KEY (tenant_id, mode, webhook_id) REFERENCES webhooks (tenant_id, mode, id)
);
COMMENT ON COLUMN webhook_replays.total IS 'events that matched when it was asked for';
COMMENT ON COLUMN webhook_replays.done IS 'deliveries that were made so far';
COMMENT ON COLUMN webhook_replays.position_at IS 'with position_id: the last event that was looked at';
COMMENT ON COLUMN webhook_replays.next_run_at IS 'when it goes on; null when it has ended';
COMMENT ON COLUMN webhook_replays.created_by IS 'user or API key';
CREATE INDEX webhook_replays_by_webhook ON webhook_replays (tenant_id, mode, webhook_id, created_at, id);
CREATE UNIQUE INDEX webhook_replays_running ON webhook_replays (tenant_id, mode, webhook_id) WHERE status = 'running';
CREATE INDEX webhook_replays_due ON webhook_replays (next_run_at) WHERE next_run_at IS NOT NULL;
CALL protect_tenant_table('webhook_replays', true);
GRANT SELECT, INSERT, UPDATE ON webhook_replays TO penguinmails_app;
CALL allow_across_tenants('webhook_replays', 'penguinmails_jobs', 'SELECT, UPDATE');
