-- A month of events is dropped once the last of them is older than the days for which events are kept, instead of a month or
-- two later; likewise of the other tables.

ALTER TABLE partitioned_tables ADD COLUMN days_kept integer CHECK (days_kept >= 28);
UPDATE partitioned_tables
SET days_kept = CASE table_name WHEN 'events' THEN 31 WHEN 'webhook_deliveries' THEN 91 WHEN 'webhook_attempts' THEN 91 ELSE 31 * months_kept END;
ALTER TABLE partitioned_tables ALTER COLUMN days_kept SET NOT NULL, DROP COLUMN months_kept;
COMMENT ON COLUMN partitioned_tables.days_kept IS 'a month goes when its last day is older than this';

CREATE OR REPLACE FUNCTION maintain_partitions(reference date DEFAULT current_date)
RETURNS TABLE (action text, partition_name text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  config partitioned_tables;
  month timestamp;
  child record;
BEGIN
  FOR config IN SELECT * FROM partitioned_tables LOOP
    FOR month IN
      SELECT generate_series(date_trunc('month', reference::timestamp - make_interval(days => config.days_kept)),
                             date_trunc('month', reference::timestamp) + make_interval(months => config.months_ahead),
                             interval '1 month')
    LOOP
      CALL create_monthly_partition(config.table_name::regclass, month::date);
    END LOOP;
    FOR child IN
      SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = config.table_name::regclass AND c.relname ~ '_[0-9]{6}$'
        AND to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month' <= reference - make_interval(days => config.days_kept)
    LOOP
      EXECUTE format('DROP TABLE %I', child.relname);
      action := 'dropped'; partition_name := child.relname;
      RETURN NEXT;
    END LOOP;
  END LOOP;
END
$$;
SELECT * FROM maintain_partitions();
