-- Where it sees which tenant is asked for, the planner looks that one up in its sample: a tenant that the sample does not have
-- counts for one with a single row, and where all rows of the sample are of one tenant, every other does. Behind a sub-select it
-- cannot see it and takes every tenant for the largest. What it filters by is the same.

DO $$
DECLARE
  target regclass;
  own text := 'tenant_id = (SELECT NULLIF(current_setting(''app.current_tenant_id'', true), '''')::uuid)'
              || ' AND mode = (SELECT current_setting(''app.current_mode'', true))';
BEGIN
  FOREACH target IN ARRAY ARRAY['events', 'webhook_deliveries', 'webhook_attempts']::regclass[] LOOP
    EXECUTE format('ALTER POLICY tenant_isolation ON %s USING (%s) WITH CHECK (%s)', target, own, own);
  END LOOP;
END
$$;

-- The same for webhooks: most have few deliveries, and one that has many would count for one of those.
DO $$
DECLARE
  target regclass;
BEGIN
  FOR target IN
    SELECT 'webhook_deliveries'::regclass
    UNION ALL SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'webhook_deliveries'::regclass
  LOOP
    EXECUTE format('ALTER TABLE %s ALTER COLUMN webhook_id SET STATISTICS 1', target);
    IF target <> 'webhook_deliveries'::regclass THEN
      EXECUTE format('ALTER TABLE %s ALTER COLUMN webhook_id SET (n_distinct = 1)', target);
    END IF;
  END LOOP;
END
$$;
