-- The planner knows how many rows a tenant has from a sample of the table, so it takes a tenant that has just begun to fill
-- one for a tenant with a single row, and reads all its rows to find one. Without statistics of that column it takes every
-- tenant for one with many, and follows keys. Partitions are as their parent says.

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
  FOR of_column IN SELECT attname FROM pg_attribute WHERE attrelid = parent AND attnum > 0 AND attstattarget = 0 LOOP
    EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET STATISTICS 0', partition, of_column.attname);
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
    EXECUTE format('ALTER TABLE %s ALTER COLUMN tenant_id SET STATISTICS 0', target);
  END LOOP;
END
$$;
