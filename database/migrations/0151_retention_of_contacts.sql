-- Thirty days after an opt-out a contact keeps its address and nothing else; a job finds those that are due by an index.

-- Of contacts that are there already the thirty days begin now: since when they are opted out was not kept. (A stable default
-- needs no rewrite of the table.)
ALTER TABLE contacts
  ADD COLUMN status_since timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN fields_erased_at timestamptz;
COMMENT ON COLUMN contacts.status_since IS 'when the status was changed last, or the contact added';
COMMENT ON COLUMN contacts.fields_erased_at IS 'when everything but the address was erased after an opt-out';

CREATE FUNCTION note_contact_status() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.status_since := clock_timestamp();
  NEW.fields_erased_at := NULL;
  RETURN NEW;
END
$$;
CREATE TRIGGER note_status BEFORE UPDATE OF status ON contacts
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION note_contact_status();

-- What is written to such a contact later makes it due again.
CREATE INDEX contacts_to_erase ON contacts (status_since)
  WHERE status = 'unsubscribed'
    AND (fields_erased_at IS NULL OR attributes <> '{}'
         OR num_nonnulls(first_name, last_name, company, job_title, phone, city, state, country, lead_source,
                         external_id) > 0);
