-- Imports and exports of contacts: jobs that workers do in slices, each slice one transaction.

-- The import role is the application's, with the same row security, and owns the staging tables besides. Rows are copied
-- there, since COPY into a table with row security is refused; nobody else can read them, so no tenant reads another's.
DO $$
BEGIN
  CREATE ROLE penguinmails_import LOGIN INHERIT;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
DO $$
BEGIN
  GRANT penguinmails_app TO penguinmails_import;
EXCEPTION WHEN unique_violation OR internal_error THEN NULL;
END
$$;

-- Which queues there are is said in the code, which grows by one per consumer; here it need only be a name.
ALTER TABLE outbox DROP CONSTRAINT outbox_queue_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_queue_check CHECK (queue ~ '^[a-z_]+$');

CREATE TABLE import_jobs (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  status text NOT NULL DEFAULT 'pending'
    CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled', 'rolling_back', 'rolled_back')),
  phase text NOT NULL DEFAULT 'reading' CHECK (phase IN ('reading', 'checking', 'merging', 'reporting', 'done')),
  file_name varchar(255) NOT NULL,
  file_type text NOT NULL CHECK (file_type IN ('csv', 'tsv', 'json', 'xlsx')),
  file_size bigint NOT NULL,
  file_key text NOT NULL,
  error_file_key text,
  field_mapping jsonb,
  options jsonb NOT NULL DEFAULT '{}',
  layout jsonb,
  position bigint NOT NULL DEFAULT 0,
  next_line bigint NOT NULL DEFAULT 0,
  staged_rows bigint NOT NULL DEFAULT 0,
  last_line bigint NOT NULL DEFAULT 0,
  done_line bigint NOT NULL DEFAULT 0,
  merged_slices integer NOT NULL DEFAULT 0,
  created_count bigint NOT NULL DEFAULT 0,
  updated_count bigint NOT NULL DEFAULT 0,
  skipped_count bigint NOT NULL DEFAULT 0,
  error_count bigint NOT NULL DEFAULT 0,
  rolled_back_count bigint NOT NULL DEFAULT 0,
  kept_count bigint NOT NULL DEFAULT 0,
  error_code text,
  error_message text,
  error_line bigint,
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz,
  completed_at timestamptz,
  rolled_back_at timestamptz,
  files_removed_at timestamptz,
  UNIQUE (tenant_id, mode, id)
);
COMMENT ON COLUMN import_jobs.position IS 'where the next row begins: bytes of a CSV or JSON file, rows of a workbook';
COMMENT ON COLUMN import_jobs.done_line IS 'rows up to here are merged, or rolled back, for good';
CREATE INDEX import_jobs_by_created ON import_jobs (tenant_id, mode, created_at, id);
CREATE INDEX import_jobs_by_status ON import_jobs (tenant_id, mode, status, created_at, id);
CREATE INDEX import_jobs_with_files ON import_jobs (created_at) WHERE files_removed_at IS NULL;
CALL protect_tenant_table('import_jobs', true);
GRANT SELECT, INSERT, UPDATE ON import_jobs TO penguinmails_app;
CALL allow_across_tenants('import_jobs', 'penguinmails_jobs', 'SELECT, UPDATE');

CREATE TABLE import_events (
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  job_id uuid NOT NULL,
  line bigint NOT NULL,
  contact_id uuid NOT NULL,
  type text NOT NULL CHECK (type IN ('created', 'updated')),
  written_at timestamptz NOT NULL,
  previous jsonb,
  changed_fields text[],
  tags text[],
  PRIMARY KEY (tenant_id, mode, job_id, line)
);
COMMENT ON TABLE import_events IS 'no foreign keys, each of which would cost a look-up for each of a million rows: jobs are never deleted';
COMMENT ON COLUMN import_events.written_at IS 'the contact''s updated_at then; another one says that it was changed since';
COMMENT ON COLUMN import_events.previous IS 'what a rollback restores; goes with the contact';
CREATE INDEX import_events_by_contact ON import_events (tenant_id, mode, contact_id) WHERE type = 'updated';
CALL protect_tenant_table('import_events', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON import_events TO penguinmails_app;
CALL allow_across_tenants('import_events', 'penguinmails_jobs', 'SELECT, DELETE');

-- Created rows hold nothing about the person. Those of changed contacts do, and go when the contact goes.
CREATE FUNCTION forget_imported_values() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM import_events e USING changed c
  WHERE e.tenant_id = c.tenant_id AND e.mode = c.mode AND e.contact_id = c.id AND e.type = 'updated';
  RETURN NULL;
END
$$;
CREATE TRIGGER forget_imported_values AFTER DELETE ON contacts
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION forget_imported_values();

CREATE TABLE export_jobs (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'expired')),
  export_type text NOT NULL CHECK (export_type IN ('full', 'filtered', 'segment')),
  filters jsonb NOT NULL DEFAULT '{}',
  selected_fields text[] NOT NULL,
  file_format text NOT NULL CHECK (file_format IN ('csv', 'xlsx', 'json')),
  file_key text,
  file_size bigint,
  processed_contacts bigint NOT NULL DEFAULT 0,
  error_message text,
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz,
  completed_at timestamptz,
  expires_at timestamptz,
  UNIQUE (tenant_id, mode, id)
);
CREATE INDEX export_jobs_by_created ON export_jobs (tenant_id, mode, created_at, id);
CREATE INDEX export_jobs_by_expiry ON export_jobs (expires_at) WHERE status = 'completed';
CALL protect_tenant_table('export_jobs', true);
GRANT SELECT, INSERT, UPDATE ON export_jobs TO penguinmails_app;
CALL allow_across_tenants('export_jobs', 'penguinmails_jobs', 'SELECT, UPDATE');

-- Addresses are unique, so the index that keeps them so has the order of a list by address too.
DROP INDEX contacts_by_email;

-- A first large import makes of a small table a large one within seconds. The planner must hear of it: knowing nothing of
-- the tenant it takes any index for as good as any other.
GRANT MAINTAIN ON contacts, import_events TO penguinmails_import;

-- ---- staging: one unlogged partition per job, dropped with it --------------------------------------------------------

CREATE SCHEMA import_staging AUTHORIZATION penguinmails_import;
CREATE TABLE import_staging.rows (
  job_id uuid NOT NULL,
  line bigint NOT NULL,
  contact_id uuid,
  is_present boolean NOT NULL,
  event_id uuid,
  email text COLLATE "C",
  first_name text,
  last_name text,
  company text,
  job_title text,
  phone text,
  city text,
  state text,
  country text,
  lead_source text,
  external_id text,
  attributes jsonb,
  status text,
  tags text[],
  fault_field text,
  fault text
) PARTITION BY LIST (job_id);
ALTER TABLE import_staging.rows OWNER TO penguinmails_import;
COMMENT ON COLUMN import_staging.rows.contact_id IS 'the contact that is to be made; the present one once it is known to be there';

CREATE FUNCTION import_staging.open(job uuid) RETURNS void
LANGUAGE plpgsql SET search_path = import_staging, pg_temp AS $$
DECLARE
  name text := 'job_' || replace(job::text, '-', '');
BEGIN
  IF to_regclass(format('import_staging.%I', name)) IS NULL THEN
    EXECUTE format('CREATE UNLOGGED TABLE import_staging.%I (LIKE import_staging.rows)', name);
    EXECUTE format('ALTER TABLE import_staging.rows ATTACH PARTITION import_staging.%I FOR VALUES IN (%L)', name, job);
  END IF;
END
$$;

-- Once all rows are there: a lookup by line for slices, and by address for duplicates.
CREATE FUNCTION import_staging.index(job uuid) RETURNS void
LANGUAGE plpgsql SET search_path = import_staging, pg_temp AS $$
DECLARE
  name text := 'job_' || replace(job::text, '-', '');
BEGIN
  EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON import_staging.%I (line)', name || '_by_line', name);
  EXECUTE format('ANALYZE import_staging.%I', name);
END
$$;

CREATE FUNCTION import_staging.close(job uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = import_staging, pg_temp AS $$
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS import_staging.%I', 'job_' || replace(job::text, '-', ''));
END
$$;
ALTER FUNCTION import_staging.open(uuid) OWNER TO penguinmails_import;
ALTER FUNCTION import_staging.index(uuid) OWNER TO penguinmails_import;
ALTER FUNCTION import_staging.close(uuid) OWNER TO penguinmails_import;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA import_staging FROM PUBLIC;
GRANT EXECUTE ON FUNCTION import_staging.close(uuid) TO penguinmails_jobs;
GRANT USAGE ON SCHEMA import_staging TO penguinmails_jobs;
