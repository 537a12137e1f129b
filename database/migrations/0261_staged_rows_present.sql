-- Which staged rows are of contacts that are there is found slice by slice, after the statistics were taken. With statistics
-- the planner would expect none of them, and compare each row of a slice with each contact of it.
CREATE OR REPLACE FUNCTION import_staging.index(job uuid) RETURNS void
LANGUAGE plpgsql SET search_path = import_staging, pg_temp AS $$
DECLARE
  name text := 'job_' || replace(job::text, '-', '');
BEGIN
  EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON import_staging.%I (line)', name || '_by_line', name);
  EXECUTE format('ANALYZE import_staging.%I (job_id, line, contact_id, email, external_id, status, fault)', name);
END
$$;
