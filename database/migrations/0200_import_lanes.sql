-- An import is merged by two connections side by side, each of which takes the next slice that nobody has.

-- Unlogged as the rows are: after a crash of the database both are empty, and the job says so.
CREATE UNLOGGED TABLE import_staging.slices (
  job_id uuid NOT NULL,
  number integer NOT NULL,
  after_line bigint NOT NULL,
  upto_line bigint NOT NULL,
  is_merged boolean NOT NULL DEFAULT false,
  PRIMARY KEY (job_id, number)
);
ALTER TABLE import_staging.slices OWNER TO penguinmails_import;
COMMENT ON TABLE import_staging.slices IS 'which lines of a job belong together, and whether they are contacts already';
COMMENT ON COLUMN import_jobs.done_line IS 'how many lines are merged; in a rollback, the line up to which rows are taken back';

CREATE OR REPLACE FUNCTION import_staging.close(job uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = import_staging, pg_temp AS $$
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS import_staging.%I', 'job_' || replace(job::text, '-', ''));
  DELETE FROM import_staging.slices WHERE job_id = job;
END
$$;
