-- Contacts: the people whom a tenant writes to. Live and test contacts are two data sets.

CREATE TABLE contacts (
  id uuid NOT NULL,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  email varchar(255) COLLATE "C" NOT NULL CHECK (email = lower(email)),
  first_name varchar(100),
  last_name varchar(100),
  company varchar(255),
  job_title varchar(255),
  phone varchar(50),
  city varchar(100),
  state varchar(100),
  country varchar(100),
  lead_source varchar(100),
  external_id varchar(255),
  attributes jsonb NOT NULL DEFAULT '{}',
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'unsubscribed', 'bounced')),
  lead_score integer NOT NULL DEFAULT 0 CHECK (lead_score BETWEEN 0 AND 100),
  total_opens integer NOT NULL DEFAULT 0,
  total_clicks integer NOT NULL DEFAULT 0,
  last_email_opened_at timestamptz,
  last_campaign_id uuid,
  source varchar(50) NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (id),
  UNIQUE (tenant_id, mode, id),
  CONSTRAINT contacts_email_unique UNIQUE (tenant_id, mode, email)
);
COMMENT ON COLUMN contacts.email IS 'searched by prefix as a range (>= and <): LIKE is not leakproof, so under row security it cannot use an index';
CREATE UNIQUE INDEX contacts_external_id_unique ON contacts (tenant_id, mode, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX contacts_by_created ON contacts (tenant_id, mode, created_at, id);
CREATE INDEX contacts_by_updated ON contacts (tenant_id, mode, updated_at, id);
CREATE INDEX contacts_by_email ON contacts (tenant_id, mode, email, id);
CREATE INDEX contacts_by_status ON contacts (tenant_id, mode, status, created_at, id);
CALL protect_tenant_table('contacts', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON contacts TO penguinmails_app;
CREATE TRIGGER set_updated_at BEFORE UPDATE ON contacts FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE contact_workspaces (
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  contact_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, mode, contact_id, workspace_id),
  FOREIGN KEY (tenant_id, mode, contact_id) REFERENCES contacts (tenant_id, mode, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_workspaces_by_workspace ON contact_workspaces (tenant_id, mode, workspace_id, contact_id);
CALL protect_tenant_table('contact_workspaces', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON contact_workspaces TO penguinmails_app;

CREATE TABLE tags (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  name varchar(50) NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id, mode, id),
  UNIQUE (tenant_id, mode, name)
);
CALL protect_tenant_table('tags', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON tags TO penguinmails_app;

-- Tags are rows with a btree index: array operators are not leakproof and would scan under row security.
CREATE TABLE contact_tags (
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  contact_id uuid NOT NULL,
  tag_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, mode, contact_id, tag_id),
  FOREIGN KEY (tenant_id, mode, contact_id) REFERENCES contacts (tenant_id, mode, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, mode, tag_id) REFERENCES tags (tenant_id, mode, id) ON DELETE CASCADE
);
CREATE INDEX contact_tags_by_tag ON contact_tags (tenant_id, mode, tag_id, contact_id);
CALL protect_tenant_table('contact_tags', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON contact_tags TO penguinmails_app;

-- How many contacts there are, kept by triggers, so that the plan's limit is checked without counting millions.
CREATE TABLE contact_counts (
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  contacts bigint NOT NULL,
  PRIMARY KEY (tenant_id, mode)
);
CALL protect_tenant_table('contact_counts', true);
GRANT SELECT, INSERT, UPDATE ON contact_counts TO penguinmails_app;

CREATE FUNCTION count_contacts() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO contact_counts AS c (tenant_id, mode, contacts)
    SELECT tenant_id, mode, count(*) FROM changed GROUP BY tenant_id, mode
    ON CONFLICT (tenant_id, mode) DO UPDATE SET contacts = c.contacts + excluded.contacts;
  ELSE
    UPDATE contact_counts c SET contacts = c.contacts - gone.contacts
    FROM (SELECT tenant_id, mode, count(*) AS contacts FROM changed GROUP BY tenant_id, mode) gone
    WHERE c.tenant_id = gone.tenant_id AND c.mode = gone.mode;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER count_inserted AFTER INSERT ON contacts
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_contacts();
CREATE TRIGGER count_deleted AFTER DELETE ON contacts
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_contacts();
