-- An export is read in parts that are kept until the file is made of them, so that one that is interrupted goes on.

ALTER TABLE export_jobs
  ADD COLUMN part_keys text[] NOT NULL DEFAULT '{}',
  ADD COLUMN last_created_at timestamptz,
  ADD COLUMN last_id uuid,
  ADD COLUMN is_read boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN export_jobs.part_keys IS 'files with the rows that are read, in their order; emptied when the job ends';
COMMENT ON COLUMN export_jobs.last_id IS 'the last contact that is in a part; with last_created_at where the next part begins';
COMMENT ON COLUMN export_jobs.is_read IS 'all contacts are in the parts';
