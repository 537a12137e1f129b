-- Words of many contacts that are added at once go into the index for searches in larger portions, which costs a third less.

-- An index merges what it was told in portions. Small ones keep short what every search reads besides; a thousand contacts'
-- worth costs a search up to a millisecond, and is there only while a statement adds many.
CREATE FUNCTION merge_search_words() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM gin_clean_pending_list('contact_search_by_words');
END
$$;
COMMENT ON FUNCTION merge_search_words() IS 'as the owner of the index, who alone may';
REVOKE EXECUTE ON FUNCTION merge_search_words() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION merge_search_words() TO penguinmails_search;

-- What an index says of itself could not be said otherwise by a statement, so the functions that write say it.
ALTER INDEX contact_search_by_words RESET (gin_pending_list_limit);
ALTER FUNCTION index_changed_contacts() SET gin_pending_list_limit = '64kB';
ALTER FUNCTION index_linked_contacts() SET gin_pending_list_limit = '64kB';

CREATE OR REPLACE FUNCTION index_added_contacts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off
SET gin_pending_list_limit = '64kB' AS $$
DECLARE
  are_many boolean := (SELECT count(*) FROM changed) > 1000;
BEGIN
  IF are_many THEN
    PERFORM set_config('gin_pending_list_limit', '1024', true);
  END IF;
  PERFORM extend_contact_spans(n.tenant_id, n.mode, array_agg(n.id), array_agg(n.created_at))
  FROM changed n GROUP BY n.tenant_id, n.mode;
  INSERT INTO contact_search (contact_id, tenant_id, mode, created_at, span, words)
  SELECT n.id, n.tenant_id, n.mode, n.created_at, s.number,
         array_to_tsvector(array_remove(
           contact_words(p.x, n.email, n.first_name_lower, n.last_name_lower, lower(n.company), lower(n.job_title),
                         lower(n.city), lower(n.state), lower(n.country), lower(n.lead_source), lower(n.source), n.status,
                         n.lead_score)
           || span_words(p.x, s.number), NULL))
  FROM changed n
  CROSS JOIN LATERAL (
    SELECT c.number FROM contact_spans c
    WHERE c.tenant_id = n.tenant_id AND c.mode = n.mode AND (c.starts_at, c.starts_id) <= (n.created_at, n.id)
    ORDER BY c.starts_at DESC, c.starts_id DESC LIMIT 1) s
  CROSS JOIN LATERAL (SELECT search_prefix(n.tenant_id, n.mode, search_segment(s.number)) AS x OFFSET 0) p;
  IF are_many THEN
    PERFORM merge_search_words();
  END IF;
  RETURN NULL;
END
$$;
