-- A list that ten million contacts are on cannot be deleted with its links within a request. So the list itself goes at once,
-- and with it every way to its links; a job removes these piece by piece. The same holds for tags, custom fields, workspaces
-- and campaigns. Foreign keys would take the links along, or stand in the way: a trigger sees to it that no link is made to
-- what is not there, with one look-up per statement where a key had one per row.

CREATE TABLE pending_removals (
  tenant_id uuid NOT NULL REFERENCES tenants,
  kind text NOT NULL CHECK (kind IN ('list', 'tag', 'contact_field', 'workspace', 'campaign')),
  id uuid NOT NULL,
  deleted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, kind, id)
);
COMMENT ON TABLE pending_removals IS 'what is deleted, and of which rows are left that a job removes: who was on a list, had a tag, a value of a field, was in a workspace or got a campaign';
CREATE INDEX pending_removals_by_time ON pending_removals (deleted_at);
CALL protect_tenant_table('pending_removals', false);
GRANT SELECT, INSERT, DELETE ON pending_removals TO penguinmails_app;
CALL allow_across_tenants('pending_removals', 'penguinmails_jobs', 'SELECT');

CREATE FUNCTION require_referenced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  missing uuid;
BEGIN
  -- As the key's own look-up did: whoever deletes it waits for us, and we for whoever is about to.
  EXECUTE format(
    'SELECT n.id FROM (SELECT DISTINCT tenant_id, %I AS id FROM changed) n'
    ' LEFT JOIN LATERAL (SELECT p.id FROM %I p WHERE p.tenant_id = n.tenant_id AND p.id = n.id FOR KEY SHARE) p ON true'
    ' WHERE p.id IS NULL LIMIT 1', TG_ARGV[1], TG_ARGV[0]) INTO missing;
  IF missing IS NOT NULL THEN
    RAISE foreign_key_violation USING MESSAGE = format('there is no %s in %s', missing, TG_ARGV[0]),
      TABLE = TG_TABLE_NAME, COLUMN = TG_ARGV[1];
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION require_referenced() IS 'of the tenant and mode of the transaction, as row security shows no others';

ALTER TABLE contact_lists DROP CONSTRAINT contact_lists_tenant_id_mode_list_id_fkey;
ALTER TABLE contact_tags DROP CONSTRAINT contact_tags_tenant_id_mode_tag_id_fkey;
ALTER TABLE contact_field_values DROP CONSTRAINT contact_field_values_tenant_id_mode_field_id_fkey;
ALTER TABLE contact_workspaces DROP CONSTRAINT contact_workspaces_tenant_id_workspace_id_fkey;
ALTER TABLE campaign_contacts DROP CONSTRAINT campaign_contacts_tenant_id_mode_campaign_id_fkey;

CREATE TRIGGER require_referenced AFTER INSERT ON contact_lists REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION require_referenced('lists', 'list_id');
CREATE TRIGGER require_referenced AFTER INSERT ON contact_tags REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION require_referenced('tags', 'tag_id');
CREATE TRIGGER require_referenced AFTER INSERT ON contact_field_values REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION require_referenced('contact_fields', 'field_id');
CREATE TRIGGER require_referenced AFTER INSERT ON contact_workspaces REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION require_referenced('workspaces', 'workspace_id');
CREATE TRIGGER require_referenced AFTER INSERT ON campaign_contacts REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION require_referenced('campaigns', 'campaign_id');
