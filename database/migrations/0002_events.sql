-- What happened (events), what still has to be told (outbox), and what was already answered (idempotency keys).

-- Creates the partition of one month. Partitions carry forced row security and no privilege: rows are reached through
-- the parent and its policy alone.
CREATE PROCEDURE create_monthly_partition(parent regclass, month date)
LANGUAGE plpgsql AS $$
DECLARE
  first_day date := date_trunc('month', month)::date;
  partition name := format('%s_%s', parent, to_char(month, 'YYYYMM'));
BEGIN
  IF to_regclass(partition::text) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE %I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                 partition, parent, first_day, (first_day + interval '1 month')::date);
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', partition);
END
$$;

-- Which tables are partitioned by month, how far ahead partitions are made and after how many months they are dropped.
CREATE TABLE partitioned_tables (
  table_name text PRIMARY KEY,
  months_ahead integer NOT NULL DEFAULT 2 CHECK (months_ahead >= 1),
  months_kept integer NOT NULL CHECK (months_kept >= 1)
);
GRANT SELECT ON partitioned_tables TO penguinmails_jobs;

-- Runs with the owner's rights, since only the owner may add and drop partitions; the jobs role may only ask for it.
CREATE FUNCTION maintain_partitions(reference date DEFAULT current_date)
RETURNS TABLE (action text, partition_name text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  config partitioned_tables;
  month_offset integer;
  child record;
BEGIN
  FOR config IN SELECT * FROM partitioned_tables LOOP
    FOR month_offset IN -1 .. config.months_ahead LOOP
      CALL create_monthly_partition(config.table_name::regclass, (reference + make_interval(months => month_offset))::date);
    END LOOP;
    FOR child IN
      SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = config.table_name::regclass AND c.relname ~ '_[0-9]{6}$'
        AND to_date(right(c.relname, 6), 'YYYYMM')
            < date_trunc('month', reference) - make_interval(months => config.months_kept)
    LOOP
      EXECUTE format('DROP TABLE %I', child.relname);
      action := 'dropped'; partition_name := child.relname;
      RETURN NEXT;
    END LOOP;
  END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION maintain_partitions(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION maintain_partitions(date) TO penguinmails_jobs;

CREATE TABLE events (
  id uuid NOT NULL,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  workspace_id uuid,
  type text NOT NULL,
  schema_version integer NOT NULL DEFAULT 1,
  data jsonb NOT NULL,
  subject_id uuid,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, mode, id, created_at)
) PARTITION BY RANGE (created_at);
COMMENT ON COLUMN events.subject_id IS 'the contact whom the event is about, so that erasing the contact finds it';
CREATE INDEX events_by_type ON events (tenant_id, mode, type, created_at DESC);
CREATE INDEX events_by_id ON events (id);
CREATE INDEX events_by_subject ON events (tenant_id, mode, subject_id) WHERE subject_id IS NOT NULL;
CALL protect_tenant_table('events', true);
GRANT SELECT, INSERT ON events TO penguinmails_app;
INSERT INTO partitioned_tables (table_name, months_kept) VALUES ('events', 2);

-- Holds only what is not yet handed to a queue: a published row is deleted.
CREATE TABLE outbox (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  queue text NOT NULL CHECK (queue IN ('events', 'deliveries', 'emails', 'platform_mail')),
  payload jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX outbox_by_age ON outbox (created_at);
CALL protect_tenant_table('outbox', true);
GRANT SELECT, INSERT, DELETE ON outbox TO penguinmails_app;
CALL allow_across_tenants('outbox', 'penguinmails_jobs', 'SELECT, UPDATE, DELETE');

CREATE TABLE idempotency_keys (
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  principal_id uuid NOT NULL,
  route text NOT NULL,
  key varchar(255) NOT NULL,
  request_hash bytea NOT NULL,
  status_code integer,
  response jsonb,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, mode, principal_id, route, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
CALL protect_tenant_table('idempotency_keys', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO penguinmails_app;
CALL allow_across_tenants('idempotency_keys', 'penguinmails_jobs', 'SELECT, DELETE');
