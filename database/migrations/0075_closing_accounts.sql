-- An account can be closed by its owner: suspended at once, erased thirty days later unless that is taken back. Before that
-- its owner can have everything that it holds exported.

ALTER TABLE tenants
  ADD COLUMN closes_at timestamptz,
  ADD COLUMN closing_requested_by uuid,
  ADD COLUMN status_before_closing text CHECK (status_before_closing IN ('active', 'suspended')),
  ADD COLUMN erased_at timestamptz,
  ADD COLUMN erased jsonb,
  ADD CONSTRAINT tenants_closing CHECK ((closes_at IS NULL) = (status_before_closing IS NULL)),
  ADD CONSTRAINT tenants_erased CHECK ((erased_at IS NULL) = (erased IS NULL));
COMMENT ON COLUMN tenants.closes_at IS 'when everything of the account is erased; null while nobody has asked for that';
COMMENT ON COLUMN tenants.erased IS 'the confirmation: how many rows, files and secrets were removed, nothing about what they held';
CREATE INDEX tenants_closing_at ON tenants (closes_at) WHERE closes_at IS NOT NULL AND erased_at IS NULL;

-- ---- erasing: a role that nobody logs in as, which may remove a tenant's rows from every table ------------------------

DO $$
BEGIN
  CREATE ROLE penguinmails_closing NOLOGIN INHERIT;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
DO $$
BEGIN
  GRANT penguinmails_app TO penguinmails_closing;
EXCEPTION WHEN unique_violation OR internal_error THEN NULL;
END
$$;

-- From here on each table of tenants lets that role remove rows, as those that are there do.
CREATE OR REPLACE PROCEDURE protect_tenant_table(target regclass, has_mode boolean, tenant_column name DEFAULT 'tenant_id')
LANGUAGE plpgsql AS $$
DECLARE
  own_rows text := format('%I = nullif(current_setting(''app.current_tenant_id'', true), '''')::uuid', tenant_column);
BEGIN
  IF has_mode THEN
    own_rows := own_rows || ' AND mode = current_setting(''app.current_mode'', true)';
  END IF;
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY tenant_isolation ON %s TO penguinmails_app USING (%s) WITH CHECK (%s)',
                 target, own_rows, own_rows);
  EXECUTE format('GRANT SELECT, DELETE ON %s TO penguinmails_closing', target);
END
$$;

DO $$
DECLARE
  target regclass;
BEGIN
  FOR target IN
    SELECT p.polrelid FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE p.polname = 'tenant_isolation' AND c.relname <> 'tenants'
  LOOP
    EXECUTE format('GRANT SELECT, DELETE ON %s TO penguinmails_closing', target);
  END LOOP;
END
$$;
-- What was done to the account stays on record for seven years, without the addresses of those who did it.
REVOKE DELETE ON audit_log FROM penguinmails_closing;
GRANT UPDATE (ip_address, user_agent, details) ON audit_log TO penguinmails_closing;

CREATE FUNCTION is_to_be_erased() RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM tenants WHERE id = current_tenant_id() AND status = 'canceled' AND closes_at <= now())
$$;
REVOKE EXECUTE ON FUNCTION is_to_be_erased() FROM PUBLIC;

-- Which tables hold rows of tenants, each with the tables whose rows point at its rows: those must be emptied first.
CREATE FUNCTION tables_of_tenants() RETURNS TABLE (name text, referenced_by text[])
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT c.relname::text,
         ARRAY(SELECT DISTINCT f.conrelid::regclass::text FROM pg_constraint f
               WHERE f.contype = 'f' AND f.confrelid = c.oid AND f.conrelid <> c.oid AND f.conparentid = 0)
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
  WHERE p.polname = 'tenant_isolation' AND c.relnamespace = 'public'::regnamespace
    AND c.relname NOT IN ('tenants', 'audit_log')
$$;

-- Removes a batch of the current tenant's rows, in the current mode where the table has two data sets. Refuses unless the
-- account is closed and its time has come, so that the right to call it is no right to remove anybody's data.
CREATE FUNCTION erase_rows_of_tenant(target text, batch integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  keys text;
  removed bigint;
BEGIN
  IF NOT is_to_be_erased() THEN
    RAISE EXCEPTION 'this account is not to be erased';
  END IF;
  SELECT string_agg(format('%I', a.attname), ', ' ORDER BY k.place) INTO keys
  FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (number, place)
  JOIN pg_attribute a ON a.attnum = k.number
  WHERE i.indrelid = target::regclass AND i.indisprimary AND a.attrelid = i.indrelid;
  EXECUTE format(
    'DELETE FROM %1$s WHERE (%2$s) IN (SELECT %2$s FROM %1$s WHERE tenant_id = current_tenant_id() LIMIT $1)',
    target::regclass, keys) USING batch;
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END
$$;

-- What is left of an erased account: its id, when it was closed, and the record of what was done.
CREATE FUNCTION blank_erased_tenant() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT is_to_be_erased() THEN
    RAISE EXCEPTION 'this account is not to be erased';
  END IF;
  UPDATE audit_log SET ip_address = NULL, user_agent = NULL, details = '{}' WHERE tenant_id = current_tenant_id();
  UPDATE tenants SET name = 'Closed account', settings = '{}', status_reason = NULL, closing_requested_by = NULL
  WHERE id = current_tenant_id();
END
$$;
ALTER FUNCTION erase_rows_of_tenant(text, integer) OWNER TO penguinmails_closing;
ALTER FUNCTION blank_erased_tenant() OWNER TO penguinmails_closing;
GRANT EXECUTE ON FUNCTION is_to_be_erased() TO penguinmails_closing;
REVOKE EXECUTE ON FUNCTION erase_rows_of_tenant(text, integer), blank_erased_tenant(), tables_of_tenants() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_rows_of_tenant(text, integer), blank_erased_tenant(), tables_of_tenants()
  TO penguinmails_jobs;

-- ---- exporting: one file per table and at most 50,000 rows, made one after the other -----------------------------------

CREATE TABLE account_exports (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'expired')),
  position jsonb NOT NULL DEFAULT '{}',
  attempts integer NOT NULL DEFAULT 0,
  row_count bigint NOT NULL DEFAULT 0,
  error_message text,
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  completed_at timestamptz,
  expires_at timestamptz,
  UNIQUE (tenant_id, id)
);
COMMENT ON COLUMN account_exports.position IS 'mode, table and last row of the part that was written last';
CREATE INDEX account_exports_by_created ON account_exports (tenant_id, created_at, id);
CREATE INDEX account_exports_open ON account_exports (created_at) WHERE status IN ('pending', 'processing');
CREATE INDEX account_exports_by_expiry ON account_exports (expires_at) WHERE status = 'completed';
CREATE UNIQUE INDEX account_exports_one_at_a_time ON account_exports (tenant_id) WHERE status IN ('pending', 'processing');
CALL protect_tenant_table('account_exports', false);
GRANT SELECT, INSERT, UPDATE ON account_exports TO penguinmails_app;
CALL allow_across_tenants('account_exports', 'penguinmails_jobs', 'SELECT, UPDATE');

CREATE TABLE account_export_parts (
  tenant_id uuid NOT NULL,
  export_id uuid NOT NULL,
  number integer NOT NULL,
  name text NOT NULL,
  file_key text NOT NULL,
  file_size bigint NOT NULL,
  row_count bigint NOT NULL,
  PRIMARY KEY (tenant_id, export_id, number),
  FOREIGN KEY (tenant_id, export_id) REFERENCES account_exports (tenant_id, id)
);
CALL protect_tenant_table('account_export_parts', false);
GRANT SELECT, INSERT ON account_export_parts TO penguinmails_app;
CALL allow_across_tenants('account_export_parts', 'penguinmails_jobs', 'SELECT, DELETE');

-- The next rows of a table in the order of its key, as the application sees them; `after` is the key of the last one before.
CREATE FUNCTION rows_in_order(target text, after jsonb, batch integer) RETURNS TABLE (content jsonb, key jsonb)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
  keys text;
BEGIN
  SELECT string_agg(format('%I', a.attname), ', ' ORDER BY k.place) INTO keys
  FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (number, place)
  JOIN pg_attribute a ON a.attnum = k.number
  WHERE i.indrelid = target::regclass AND i.indisprimary AND a.attrelid = i.indrelid;
  RETURN QUERY EXECUTE format(
    'SELECT to_jsonb(t), (SELECT to_jsonb(k) FROM (SELECT %2$s) k) FROM %1$s t WHERE t.tenant_id = current_tenant_id()'
    ' AND ($1 IS NULL OR (%2$s) > (SELECT %2$s FROM jsonb_populate_record(NULL::%1$s, $1))) ORDER BY %2$s LIMIT $2',
    target::regclass, keys) USING after, batch;
END
$$;
REVOKE EXECUTE ON FUNCTION rows_in_order(text, jsonb, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rows_in_order(text, jsonb, integer) TO penguinmails_app;
