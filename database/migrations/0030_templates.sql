-- Templates: texts with variables that are used again, and emails that are made of them.

CREATE TABLE templates (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  workspace_id uuid,
  name varchar(100) NOT NULL,
  subject varchar(998) NOT NULL,
  html_body text,
  text_body text,
  variables text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id, mode, id),
  CONSTRAINT templates_name_unique UNIQUE (tenant_id, mode, name),
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id),
  CHECK (num_nonnulls(html_body, text_body) > 0)
);
COMMENT ON COLUMN templates.variables IS 'names that subject and bodies read, found when they were stored';
CREATE INDEX templates_by_created ON templates (tenant_id, mode, created_at, id);
CREATE INDEX templates_by_updated ON templates (tenant_id, mode, updated_at, id);
CALL protect_tenant_table('templates', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON templates TO penguinmails_app;
CREATE TRIGGER set_updated_at BEFORE UPDATE ON templates FOR EACH ROW EXECUTE FUNCTION set_updated_at();
