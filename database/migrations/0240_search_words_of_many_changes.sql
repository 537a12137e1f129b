-- An update of many contacts, as an import's, finds their words in time that grows with how many there are, not with its square.

-- What a contact was is found beside what it is by a hash of ids, and its words by their key. The planner knows neither table's
-- size when it plans, which it does once per connection, so each statement says how it is to join.
CREATE OR REPLACE FUNCTION index_changed_contacts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_mergejoin = off SET enable_hashjoin = off SET enable_nestloop = off
SET gin_pending_list_limit = '64kB' AS $$
DECLARE
  ids uuid[];
  gone tsvector[];
  come tsvector[];
BEGIN
  PERFORM set_config('enable_hashjoin', 'on', true);
  SELECT array_agg(n.id),
         array_agg(array_to_tsvector(array_remove(
           contact_words(p.x, b.email, b.first_name_lower, b.last_name_lower, lower(b.company), lower(b.job_title),
                         lower(b.city), lower(b.state), lower(b.country), lower(b.lead_source), lower(b.source),
                         b.status, b.lead_score), NULL))),
         array_agg(array_to_tsvector(array_remove(
           contact_words(p.x, n.email, n.first_name_lower, n.last_name_lower, lower(n.company), lower(n.job_title),
                         lower(n.city), lower(n.state), lower(n.country), lower(n.lead_source), lower(n.source),
                         n.status, n.lead_score), NULL)))
  INTO ids, gone, come
  FROM changed n
  JOIN before b ON b.id = n.id
    -- Opens and clicks change a contact often and nothing that is searched by.
    AND (n.email, n.first_name, n.last_name, n.company, n.job_title, n.city, n.state, n.country, n.lead_source, n.source,
         n.status, n.lead_score)
      IS DISTINCT FROM (b.email, b.first_name, b.last_name, b.company, b.job_title, b.city, b.state, b.country,
                        b.lead_source, b.source, b.status, b.lead_score)
  CROSS JOIN LATERAL (SELECT k.span FROM contact_search k WHERE k.contact_id = n.id OFFSET 0) k
  CROSS JOIN LATERAL (SELECT search_prefix(n.tenant_id, n.mode, search_segment(k.span)) AS x OFFSET 0) p;
  IF ids IS NOT NULL THEN
    PERFORM set_config('enable_hashjoin', 'off', true), set_config('enable_nestloop', 'on', true);
    UPDATE contact_search s SET words = ts_delete(s.words, tsvector_to_array(w.gone)) || w.come
    FROM unnest(ids, gone, come) AS w (id, gone, come) WHERE s.contact_id = w.id;
  END IF;
  RETURN NULL;
END
$$;
