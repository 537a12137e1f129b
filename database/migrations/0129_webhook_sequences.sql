-- Deliveries of a webhook are numbered without a gap, so that a receiver sees by itself when one is missing.

CREATE TABLE webhook_sequences (
  webhook_id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  last_number bigint NOT NULL DEFAULT 0,
  FOREIGN KEY (tenant_id, mode, webhook_id) REFERENCES webhooks (tenant_id, mode, id)
) WITH (fillfactor = 50);
COMMENT ON TABLE webhook_sequences IS 'apart from webhooks, whose rows the dispatcher writes too: who gives numbers waits for nobody but the like';
CALL protect_tenant_table('webhook_sequences', true);
GRANT SELECT, INSERT, UPDATE ON webhook_sequences TO penguinmails_app;
INSERT INTO webhook_sequences (webhook_id, tenant_id, mode) SELECT id, tenant_id, mode FROM webhooks;

CREATE FUNCTION begin_webhook_sequence() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO webhook_sequences (webhook_id, tenant_id, mode) VALUES (NEW.id, NEW.tenant_id, NEW.mode);
  RETURN NULL;
END
$$;
CREATE TRIGGER begin_sequence AFTER INSERT ON webhooks FOR EACH ROW EXECUTE FUNCTION begin_webhook_sequence();

ALTER TABLE webhook_deliveries ADD COLUMN sequence bigint;
COMMENT ON COLUMN webhook_deliveries.sequence IS 'place among the deliveries of its webhook, from 1 on; null for those made before there were numbers';
-- The number first: what else is sorted by numbers has indexes of its own, and should not be walked through in this one.
CREATE INDEX webhook_deliveries_by_sequence ON webhook_deliveries (sequence, tenant_id, mode, webhook_id)
  WHERE sequence IS NOT NULL;
