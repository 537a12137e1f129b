-- A field that ten million contacts may have a value of cannot be declared within a request: each value is to be checked and
-- made searchable. A job goes on where the request stopped, and until it is through nothing is found by the field.

ALTER TABLE contact_fields
  ADD COLUMN is_ready boolean NOT NULL DEFAULT true,
  ADD COLUMN prepared_to uuid,
  ADD COLUMN error_message text;
COMMENT ON COLUMN contact_fields.is_ready IS 'the values of all contacts are checked and searchable; those that are written are from the declaration on';
COMMENT ON COLUMN contact_fields.prepared_to IS 'the last contact, by id, whose value is checked and searchable';
COMMENT ON COLUMN contact_fields.error_message IS 'the value that is not of the type; the field will not be ready';
CREATE INDEX contact_fields_to_prepare ON contact_fields (created_at) WHERE NOT is_ready AND error_message IS NULL;
CALL allow_across_tenants('contact_fields', 'penguinmails_jobs', 'SELECT');

DROP TRIGGER set_updated_at ON contact_fields;
CREATE TRIGGER set_updated_at BEFORE UPDATE OF label ON contact_fields FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Workspaces are deleted when nothing belongs to them; else that is looked for among all suppressed addresses.
CREATE INDEX suppression_list_by_workspace ON suppression_list (tenant_id, workspace_id) WHERE workspace_id IS NOT NULL;
