-- Webhooks: where events are posted to, what was posted, and what is still to be tried.

CREATE TABLE webhooks (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  name varchar(255) NOT NULL,
  description text,
  endpoint_url varchar(2048) NOT NULL,
  secret_ref text NOT NULL,
  secret_last3 char(3) NOT NULL,
  event_types text[] NOT NULL CHECK (cardinality(event_types) > 0),
  api_version text NOT NULL DEFAULT 'v1',
  retry_enabled boolean NOT NULL DEFAULT true,
  max_retries integer NOT NULL DEFAULT 5 CHECK (max_retries BETWEEN 1 AND 10),
  timeout_seconds integer NOT NULL DEFAULT 5 CHECK (timeout_seconds BETWEEN 1 AND 30),
  is_active boolean NOT NULL DEFAULT true,
  is_failing boolean NOT NULL DEFAULT false,
  consecutive_failures integer NOT NULL DEFAULT 0,
  paused_reason text,
  last_success_at timestamptz,
  last_failure_at timestamptz,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  deleted_at timestamptz,
  UNIQUE (tenant_id, mode, id)
);
COMMENT ON COLUMN webhooks.secret_ref IS 'path of the signing secret in Vault';
COMMENT ON COLUMN webhooks.created_by IS 'user or API key';
CREATE INDEX webhooks_by_tenant ON webhooks (tenant_id, mode, created_at, id) WHERE deleted_at IS NULL;
CALL protect_tenant_table('webhooks', true);
GRANT SELECT, INSERT, UPDATE ON webhooks TO penguinmails_app;

-- Partitioned by the time of the event, so that one event makes one delivery per webhook however often it is fanned out.
CREATE TABLE webhook_deliveries (
  id uuid NOT NULL,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  webhook_id uuid NOT NULL,
  event_id uuid NOT NULL,
  event_type text NOT NULL,
  event_created_at timestamptz NOT NULL,
  status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sending', 'pending_retry', 'success', 'failed', 'held')),
  attempts integer NOT NULL DEFAULT 0,
  next_retry_at timestamptz,
  next_sweep_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, mode, id, event_created_at),
  UNIQUE (tenant_id, mode, webhook_id, event_id, event_created_at),
  FOREIGN KEY (tenant_id, mode, webhook_id) REFERENCES webhooks (tenant_id, mode, id)
) PARTITION BY RANGE (event_created_at);
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (tenant_id, mode, webhook_id, created_at, id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_sweep_at) WHERE next_sweep_at IS NOT NULL;
CALL protect_tenant_table('webhook_deliveries', true);
GRANT SELECT, INSERT, UPDATE ON webhook_deliveries TO penguinmails_app;
CALL allow_across_tenants('webhook_deliveries', 'penguinmails_jobs', 'SELECT, UPDATE');

CREATE TABLE webhook_attempts (
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  delivery_id uuid NOT NULL,
  event_created_at timestamptz NOT NULL,
  attempt_number integer NOT NULL,
  attempted_at timestamptz NOT NULL,
  duration_ms integer NOT NULL,
  status_code integer,
  request_headers jsonb NOT NULL,
  response_headers jsonb,
  response_body text,
  error_message text,
  PRIMARY KEY (tenant_id, mode, delivery_id, attempt_number, event_created_at),
  FOREIGN KEY (tenant_id, mode, delivery_id, event_created_at)
    REFERENCES webhook_deliveries (tenant_id, mode, id, event_created_at)
) PARTITION BY RANGE (event_created_at);
CALL protect_tenant_table('webhook_attempts', true);
GRANT SELECT, INSERT ON webhook_attempts TO penguinmails_app;

INSERT INTO partitioned_tables (table_name, months_kept) VALUES ('webhook_deliveries', 4), ('webhook_attempts', 4);
SELECT * FROM maintain_partitions();
