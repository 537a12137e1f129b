-- Contacts are searched by what they did with their mails: how often they opened and clicked, and when they opened last.

-- A segment of those who opened within a month, or never, looked at every contact in turn. Now each contact has words for it.
-- A number gets the same word as those close to it, and a moment that of its day, so that most opens and clicks of somebody
-- who opens much change no word. A contact is added before it gets a mail, so what is added needs none of these words.

-- Up to 15 each number has a word of its own, then eight share the numbers from a power of two to the next one.
CREATE FUNCTION count_word(number integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN number > 0 THEN (
  SELECT lpad(to_hex(CASE WHEN power < 3 THEN number ELSE 8 * power + (number >> power - 3 & 7) END), 2, '0')
  FROM (SELECT length(ltrim(number::bit(32)::text, '0')) - 1 AS power) p) END;

CREATE FUNCTION day_word(moment timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN moment IS NOT NULL THEN
  lpad(to_hex(least(greatest(floor(extract(epoch FROM moment) / 86400), 0), 65535)::integer), 4, '0') END;

CREATE FUNCTION engagement_words(x text, opens integer, clicks integer, opened_at timestamptz) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_remove(ARRAY[x || 'g' || count_word(opens), x || 'h' || count_word(clicks), x || 'r' || day_word(opened_at)], NULL);

CREATE FUNCTION index_engaged_contacts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  IF engagement_words('', OLD.total_opens, OLD.total_clicks, OLD.last_email_opened_at)
     IS DISTINCT FROM engagement_words('', NEW.total_opens, NEW.total_clicks, NEW.last_email_opened_at) THEN
    UPDATE contact_search s
    SET words = ts_delete(s.words, engagement_words(search_prefix(s.tenant_id, s.mode, search_segment(s.span)),
                                                    OLD.total_opens, OLD.total_clicks, OLD.last_email_opened_at))
             || array_to_tsvector(engagement_words(search_prefix(s.tenant_id, s.mode, search_segment(s.span)),
                                                   NEW.total_opens, NEW.total_clicks, NEW.last_email_opened_at))
    WHERE s.contact_id = NEW.id;
  END IF;
  RETURN NULL;
END
$$;
ALTER FUNCTION index_engaged_contacts() OWNER TO penguinmails_search;
REVOKE EXECUTE ON FUNCTION index_engaged_contacts() FROM PUBLIC;

CREATE TRIGGER index_engaged AFTER UPDATE OF total_opens, total_clicks, last_email_opened_at ON contacts
FOR EACH ROW WHEN ((OLD.total_opens, OLD.total_clicks, OLD.last_email_opened_at)
                   IS DISTINCT FROM (NEW.total_opens, NEW.total_clicks, NEW.last_email_opened_at))
EXECUTE FUNCTION index_engaged_contacts();

UPDATE contact_search s
SET words = s.words || array_to_tsvector(engagement_words(search_prefix(s.tenant_id, s.mode, search_segment(s.span)),
                                                          c.total_opens, c.total_clicks, c.last_email_opened_at))
FROM contacts c
WHERE c.id = s.contact_id AND (c.total_opens > 0 OR c.total_clicks > 0 OR c.last_email_opened_at IS NOT NULL);
