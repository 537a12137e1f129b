-- A segment of many contacts is counted by a job, part by part: no request waits for it.

ALTER TABLE segments
  ADD COLUMN count_due_at timestamptz,
  ADD COLUMN count_found bigint NOT NULL DEFAULT 0,
  ADD COLUMN count_from_at timestamptz,
  ADD COLUMN count_from_id uuid;
COMMENT ON COLUMN segments.count_due_at IS 'when the next part is counted; null while no count is under way';
COMMENT ON COLUMN segments.count_from_at IS 'with count_from_id the contact behind which the count goes on; those before it are in count_found';

CREATE INDEX segments_to_count ON segments (count_due_at) WHERE count_due_at IS NOT NULL;
CALL allow_across_tenants('segments', 'penguinmails_jobs', 'SELECT');
GRANT UPDATE (count_due_at) ON segments TO penguinmails_jobs;
