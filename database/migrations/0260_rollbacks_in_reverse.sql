-- Imports of the same contacts are taken back in reverse order: who was restored counts as unchanged since the write before.

ALTER TABLE import_events
  ADD COLUMN replaced_at timestamptz,
  DROP CONSTRAINT import_events_type_check,
  ADD CONSTRAINT import_events_type_check CHECK (type IN ('created', 'updated', 'listed', 'undone'));
COMMENT ON COLUMN import_events.replaced_at IS 'of a change: the contact''s updated_at before it';
COMMENT ON COLUMN import_events.type IS
  'undone: a change that was taken back, so the contact as it is at written_at is what it was at replaced_at';
CREATE INDEX import_events_undone ON import_events (tenant_id, mode, contact_id) WHERE type = 'undone';
