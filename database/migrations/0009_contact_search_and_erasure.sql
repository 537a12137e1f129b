-- Contacts are found by the beginning of a name too, and deleting one takes its personal data out of the events.

-- Search is a range (>= and <) over lower-cased text in byte order. LIKE and lower() on a column are not leakproof, so
-- under row security they would be evaluated after the policy, on every row of the tenant, instead of by an index.
ALTER TABLE contacts
  ADD COLUMN first_name_lower varchar(200) COLLATE "C" GENERATED ALWAYS AS (lower(first_name)) STORED,
  ADD COLUMN last_name_lower varchar(200) COLLATE "C" GENERATED ALWAYS AS (lower(last_name)) STORED;
COMMENT ON COLUMN contacts.first_name_lower IS 'twice as long as the name: some letters become two in lower case';
CREATE INDEX contacts_by_first_name ON contacts (tenant_id, mode, first_name_lower);
CREATE INDEX contacts_by_last_name ON contacts (tenant_id, mode, last_name_lower);

-- Events are append-only for the application; the one change that they may see is made under a role that can do nothing else.
DO $$
BEGIN
  CREATE ROLE penguinmails_erasure NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
GRANT USAGE ON SCHEMA public TO penguinmails_erasure;
CALL allow_across_tenants('events', 'penguinmails_erasure', 'SELECT, UPDATE');

-- Blanks what tells who a contact is in the events about it; ids, types and times stay. Works for the current tenant
-- and mode alone, and returns the number of events that it changed.
CREATE FUNCTION erase_contact_from_events(contact uuid)
RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH changed AS (
    UPDATE events e
    SET data = e.data
        || jsonb_build_object('contact', jsonb_build_object('id', contact, 'email', NULL, 'first_name', NULL, 'last_name', NULL))
        || CASE WHEN e.data ? 'to' THEN '{"to": null}'::jsonb ELSE '{}'::jsonb END
    WHERE e.tenant_id = current_tenant_id() AND e.mode = current_mode() AND e.subject_id = contact
    RETURNING 1
  )
  SELECT count(*) FROM changed
$$;
ALTER FUNCTION erase_contact_from_events(uuid) OWNER TO penguinmails_erasure;
REVOKE EXECUTE ON FUNCTION erase_contact_from_events(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_contact_from_events(uuid) TO penguinmails_app;
