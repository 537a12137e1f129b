-- The planner knows how many rows a tenant has from a sample of the table, so it takes a tenant that has just begun to fill
-- one for a tenant with a single row, and reads all its rows to find one. Told that there is one tenant, and how much the
-- largest has, it takes every other for one with much: then it follows keys, and walks lists in their order. Partitions are as
-- their parent says.

CREATE OR REPLACE PROCEDURE create_monthly_partition(parent regclass, month date)
LANGUAGE plpgsql AS $$
DECLARE
  first_day date := date_trunc('month', month)::date;
  partition name := format('%s_%s', parent, to_char(month, 'YYYYMM'));
  of_column record;
BEGIN
  IF to_regclass(partition::text) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE %I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                 partition, parent, first_day, (first_day + interval '1 month')::date);
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', partition);
  FOR of_column IN SELECT attname FROM pg_attribute WHERE attrelid = parent AND attnum > 0 AND attstattarget = 1 LOOP
    EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET STATISTICS 1, ALTER COLUMN %2$I SET (n_distinct = 1)',
                   partition, of_column.attname);
  END LOOP;
END
$$;

DO $$
DECLARE
  target regclass;
BEGIN
  FOR target IN
    SELECT c.oid::regclass FROM pg_class c
    WHERE c.oid IN ('events'::regclass, 'webhook_deliveries'::regclass, 'webhook_attempts'::regclass, 'webhooks'::regclass)
       OR c.oid IN (SELECT i.inhrelid FROM pg_inherits i
                    WHERE i.inhparent IN ('events'::regclass, 'webhook_deliveries'::regclass, 'webhook_attempts'::regclass))
  LOOP
    EXECUTE format('ALTER TABLE %s ALTER COLUMN tenant_id SET STATISTICS 1', target);
    -- A parent of partitions has no rows of its own.
    IF (SELECT relkind FROM pg_class WHERE oid = target) = 'r' THEN
      EXECUTE format('ALTER TABLE %s ALTER COLUMN tenant_id SET (n_distinct = 1)', target);
    END IF;
  END LOOP;
END
$$;
