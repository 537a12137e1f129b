-- A rollback takes those contacts off the list again that were there before the import put them on it.

ALTER TABLE import_events
  ADD COLUMN is_listed boolean NOT NULL DEFAULT false,
  DROP CONSTRAINT import_events_type_check,
  ADD CONSTRAINT import_events_type_check CHECK (type IN ('created', 'updated', 'listed'));
COMMENT ON COLUMN import_events.is_listed IS 'the contact was there, and the job put it on its list';
ALTER TABLE import_jobs ADD COLUMN listed_count bigint NOT NULL DEFAULT 0;
