-- The audience: lists, segments and declared custom fields, and links that are read in the order of their contacts.

-- A page of one tag's, list's or workspace's contacts is read in the order that it is shown in. The order must stand in
-- the link itself: a walk through all contacts, or a sort of all that carry the tag, reads far more than it returns.
ALTER TABLE contact_tags ADD COLUMN contact_created_at timestamptz;
UPDATE contact_tags l SET contact_created_at = c.created_at
FROM contacts c WHERE c.tenant_id = l.tenant_id AND c.mode = l.mode AND c.id = l.contact_id;
ALTER TABLE contact_tags ALTER COLUMN contact_created_at SET NOT NULL;
DROP INDEX contact_tags_by_tag;
CREATE INDEX contact_tags_by_tag ON contact_tags (tenant_id, mode, tag_id, contact_created_at, contact_id);

ALTER TABLE contact_workspaces ADD COLUMN contact_created_at timestamptz;
UPDATE contact_workspaces l SET contact_created_at = c.created_at
FROM contacts c WHERE c.tenant_id = l.tenant_id AND c.mode = l.mode AND c.id = l.contact_id;
ALTER TABLE contact_workspaces ALTER COLUMN contact_created_at SET NOT NULL;
DROP INDEX contact_workspaces_by_workspace;
CREATE INDEX contact_workspaces_by_workspace
  ON contact_workspaces (tenant_id, mode, workspace_id, contact_created_at, contact_id);

ALTER TABLE tags ADD COLUMN updated_at timestamptz NOT NULL DEFAULT clock_timestamp();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON tags FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE INDEX tags_by_created ON tags (tenant_id, mode, created_at, id);

CREATE TABLE contact_fields (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  key varchar(64) COLLATE "C" NOT NULL,
  label varchar(100),
  type text NOT NULL CHECK (type IN ('text', 'number', 'date', 'boolean')),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id, mode, id),
  CONSTRAINT contact_fields_key_unique UNIQUE (tenant_id, mode, key)
);
COMMENT ON TABLE contact_fields IS 'declared keys of contacts.attributes; every value of a declared key has its type';
CREATE INDEX contact_fields_by_created ON contact_fields (tenant_id, mode, created_at, id);
CALL protect_tenant_table('contact_fields', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON contact_fields TO penguinmails_app;
CREATE TRIGGER set_updated_at BEFORE UPDATE ON contact_fields FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Values are rows with btree indexes: jsonb operators are not leakproof and would scan under row security.
CREATE TABLE contact_field_values (
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  field_id uuid NOT NULL,
  contact_id uuid NOT NULL,
  text_value varchar(510) COLLATE "C",
  number_value numeric,
  date_value timestamptz,
  boolean_value boolean,
  PRIMARY KEY (tenant_id, mode, contact_id, field_id),
  FOREIGN KEY (tenant_id, mode, contact_id) REFERENCES contacts (tenant_id, mode, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, mode, field_id) REFERENCES contact_fields (tenant_id, mode, id) ON DELETE CASCADE,
  CHECK (num_nonnulls(text_value, number_value, date_value, boolean_value) = 1)
);
COMMENT ON COLUMN contact_field_values.text_value IS 'in lower case, since texts are compared without regard to case; twice as long as the text: some letters become two';
CREATE INDEX contact_field_values_by_field ON contact_field_values (tenant_id, mode, field_id);
CREATE INDEX contact_field_values_by_text ON contact_field_values (tenant_id, mode, field_id, text_value)
  WHERE text_value IS NOT NULL;
CREATE INDEX contact_field_values_by_number ON contact_field_values (tenant_id, mode, field_id, number_value)
  WHERE number_value IS NOT NULL;
CREATE INDEX contact_field_values_by_date ON contact_field_values (tenant_id, mode, field_id, date_value)
  WHERE date_value IS NOT NULL;
CALL protect_tenant_table('contact_field_values', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON contact_field_values TO penguinmails_app;

CREATE TABLE segments (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  name varchar(100) NOT NULL,
  definition jsonb NOT NULL,
  count_cached bigint,
  counted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id, mode, id),
  CONSTRAINT segments_name_unique UNIQUE (tenant_id, mode, name)
);
CREATE INDEX segments_by_created ON segments (tenant_id, mode, created_at, id);
CALL protect_tenant_table('segments', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON segments TO penguinmails_app;
CREATE TRIGGER set_updated_at BEFORE UPDATE OF name, definition ON segments
  FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE lists (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  name varchar(100) NOT NULL,
  description varchar(1000),
  type text NOT NULL CHECK (type IN ('static', 'dynamic')),
  segment_id uuid,
  contact_count bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id, mode, id),
  CONSTRAINT lists_name_unique UNIQUE (tenant_id, mode, name),
  CONSTRAINT lists_segment FOREIGN KEY (tenant_id, mode, segment_id) REFERENCES segments (tenant_id, mode, id),
  CHECK ((type = 'dynamic') = (segment_id IS NOT NULL))
);
COMMENT ON COLUMN lists.segment_id IS 'a dynamic list holds whom its segment finds; it has no rows in contact_lists';
COMMENT ON COLUMN lists.contact_count IS 'kept by triggers; stays 0 for a dynamic list';
CREATE INDEX lists_by_created ON lists (tenant_id, mode, created_at, id);
CREATE INDEX lists_by_segment ON lists (tenant_id, mode, segment_id) WHERE segment_id IS NOT NULL;
CALL protect_tenant_table('lists', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON lists TO penguinmails_app;
CREATE TRIGGER set_updated_at BEFORE UPDATE OF name, description, segment_id ON lists
  FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE contact_lists (
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  contact_id uuid NOT NULL,
  list_id uuid NOT NULL,
  contact_created_at timestamptz NOT NULL,
  assigned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, mode, contact_id, list_id),
  FOREIGN KEY (tenant_id, mode, contact_id) REFERENCES contacts (tenant_id, mode, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, mode, list_id) REFERENCES lists (tenant_id, mode, id) ON DELETE CASCADE
);
CREATE INDEX contact_lists_by_list ON contact_lists (tenant_id, mode, list_id, contact_created_at, contact_id);
CREATE INDEX contact_lists_by_assigned ON contact_lists (tenant_id, mode, list_id, assigned_at, contact_id);
CALL protect_tenant_table('contact_lists', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON contact_lists TO penguinmails_app;

CREATE FUNCTION count_listed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE lists l SET contact_count = l.contact_count + CASE TG_OP WHEN 'INSERT' THEN n.links ELSE -n.links END
  FROM (SELECT tenant_id, mode, list_id, count(*) AS links FROM changed GROUP BY tenant_id, mode, list_id) n
  WHERE l.tenant_id = n.tenant_id AND l.mode = n.mode AND l.id = n.list_id;
  RETURN NULL;
END
$$;
CREATE TRIGGER count_inserted AFTER INSERT ON contact_lists
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_listed();
CREATE TRIGGER count_deleted AFTER DELETE ON contact_lists
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_listed();

-- A suppression is lifted by a person of the account who documents the recipient's consent; the audit trail keeps it.
GRANT DELETE ON suppression_list TO penguinmails_app;
CREATE INDEX suppression_list_by_reason ON suppression_list (tenant_id, mode, reason, added_at, id);
