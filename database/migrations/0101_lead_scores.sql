-- How interested a contact is, 0 to 100, from what it did with mails and how long ago that was.

ALTER TABLE contacts
  ADD COLUMN total_replies integer NOT NULL DEFAULT 0,
  ADD COLUMN last_engaged_at timestamptz,
  ADD COLUMN lead_score_falls_at timestamptz;
COMMENT ON COLUMN contacts.last_engaged_at IS 'the last open, click or answer of a person';
COMMENT ON COLUMN contacts.lead_score_falls_at IS 'when the score gets lower unless the contact does something; null when it stays';
CREATE INDEX contacts_by_falling_score ON contacts (lead_score_falls_at) WHERE lead_score_falls_at IS NOT NULL;
CALL allow_across_tenants('contacts', 'penguinmails_jobs', 'SELECT, UPDATE');

-- 5 points an open (at most 40), 10 a click (at most 40), 20 for having answered. The sum halves when nothing has happened
-- for 30 days, halves again after 90, and is 0 after 180, or once mail to the contact bounces or is not wanted any more.
CREATE FUNCTION score_contact() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  points integer := least(40, 5 * least(NEW.total_opens, 8)) + least(40, 10 * least(NEW.total_clicks, 4))
                    + CASE WHEN NEW.total_replies > 0 THEN 20 ELSE 0 END;
  engaged_at timestamptz := coalesce(NEW.last_engaged_at, NEW.last_email_opened_at);
  quiet interval := clock_timestamp() - engaged_at;
BEGIN
  IF NEW.status <> 'active' OR points = 0 OR engaged_at IS NULL OR quiet >= interval '180 days' THEN
    NEW.lead_score := 0;
    NEW.lead_score_falls_at := NULL;
  ELSIF quiet >= interval '90 days' THEN
    NEW.lead_score := points / 4;
    NEW.lead_score_falls_at := engaged_at + interval '180 days';
  ELSIF quiet >= interval '30 days' THEN
    NEW.lead_score := points / 2;
    NEW.lead_score_falls_at := engaged_at + interval '90 days';
  ELSE
    NEW.lead_score := points;
    NEW.lead_score_falls_at := engaged_at + interval '30 days';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER score_contact
  BEFORE UPDATE OF status, total_opens, total_clicks, total_replies, last_engaged_at, lead_score_falls_at ON contacts
  FOR EACH ROW EXECUTE FUNCTION score_contact();
