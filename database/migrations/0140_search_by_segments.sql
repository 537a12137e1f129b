-- The words of contacts are kept in segments, so that no search walks through all that a word has in a large tenant.

-- An index of words meets two of them by walking through all contacts that have the rarer one, wherever they were added: a
-- page of those who have two words, of which each ten thousand contacts have, was 40 ms. Now what stands before a word says
-- the segment too: 1,024 spans, which are 65,536 contacts. A page walks through the segments that it needs, and sixteen of
-- them are asked at once where few contacts are met.

-- What stands before every word of a segment of a tenant and mode.
CREATE FUNCTION search_prefix(tenant uuid, data_set text, segment integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN left(md5(tenant::text || data_set || segment::text), 6);

CREATE FUNCTION search_segment(span integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN span >> 10;

CREATE OR REPLACE FUNCTION span_words(x text, span integer) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY[x || '0' || span::text, x || '1' || (span / 16)::text, x || '2' || (span / 256)::text];

-- A query for what is sought in each segment that holds spans from the first to the last: in the blocks of 16 to the power of
-- `level` spans that hold these, or in all of the segment when there is no level. In what is sought, the character 1
-- stands for what stands before words.
CREATE FUNCTION segments_query(
  tenant uuid, data_set text, sought text, level integer, first_span integer, last_span integer
) RETURNS tsquery
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
  SELECT string_agg(
    replace('(' || concat_ws(' & ', sought, blocks.query) || ')', chr(1), search_prefix(tenant, data_set, segment)), ' | ')
  FROM generate_series(search_segment(first_span), search_segment(last_span)) AS segment
  CROSS JOIN LATERAL (
    SELECT '(' || string_agg('''' || chr(1) || level::text || place::text || '''', ' | ') || ')' AS query
    FROM generate_series(greatest(first_span, segment << 10) >> 4 * level,
                         least(last_span, (segment << 10) + 1023) >> 4 * level) AS place) blocks)::tsquery;

CREATE OR REPLACE FUNCTION index_added_contacts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
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
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION index_changed_contacts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  UPDATE contact_search s
  SET words = ts_delete(s.words, array_remove(
                contact_words(p.x, b.email, b.first_name_lower, b.last_name_lower, lower(b.company), lower(b.job_title),
                              lower(b.city), lower(b.state), lower(b.country), lower(b.lead_source), lower(b.source),
                              b.status, b.lead_score), NULL))
            || array_to_tsvector(array_remove(
                contact_words(p.x, n.email, n.first_name_lower, n.last_name_lower, lower(n.company), lower(n.job_title),
                              lower(n.city), lower(n.state), lower(n.country), lower(n.lead_source), lower(n.source),
                              n.status, n.lead_score), NULL))
  FROM changed n
  JOIN before b ON b.id = n.id
    -- Opens and clicks change a contact often and nothing that is searched by.
    AND (n.email, n.first_name, n.last_name, n.company, n.job_title, n.city, n.state, n.country, n.lead_source, n.source,
         n.status, n.lead_score)
      IS DISTINCT FROM (b.email, b.first_name, b.last_name, b.company, b.job_title, b.city, b.state, b.country,
                        b.lead_source, b.source, b.status, b.lead_score)
  JOIN contact_search k ON k.contact_id = n.id
  CROSS JOIN LATERAL (SELECT search_prefix(n.tenant_id, n.mode, search_segment(k.span)) AS x OFFSET 0) p
  WHERE s.contact_id = n.id;
  RETURN NULL;
END
$$;

-- The trigger's argument makes the word of a link `n`. No link is looked up: there may be many, and of tables that are new
-- the planner does not know which index is a good one.
CREATE OR REPLACE FUNCTION index_linked_contacts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM changed) THEN
    EXECUTE format(
      'UPDATE contact_search s SET words = %s'
      ' FROM (SELECT n.contact_id, array_agg(p.x || %s) AS words FROM changed n'
      ' JOIN contact_search k ON k.contact_id = n.contact_id'
      ' CROSS JOIN LATERAL (SELECT search_prefix(n.tenant_id, n.mode, search_segment(k.span)) AS x OFFSET 0) p'
      ' GROUP BY n.contact_id) l WHERE s.contact_id = l.contact_id',
      CASE TG_OP WHEN 'INSERT' THEN 's.words || array_to_tsvector(l.words)' ELSE 'ts_delete(s.words, l.words)' END,
      TG_ARGV[0]);
  END IF;
  RETURN NULL;
END
$$;

DROP FUNCTION search_contacts(jsonb, boolean, timestamptz, uuid, timestamptz, timestamptz, integer);
CREATE FUNCTION search_contacts(
  clauses jsonb, newest_first boolean, after_at timestamptz, after_id uuid, from_at timestamptz, before_at timestamptz,
  wanted integer
) RETURNS TABLE (contact_id uuid, created_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  tenant uuid := current_tenant_id();
  data_set text := current_mode();
  conditions text[] := search_clauses(chr(1), clauses);
  everything text := nullif(array_to_string(conditions, ' & '), '');
  low_at timestamptz := CASE WHEN newest_first THEN from_at ELSE greatest(from_at, after_at) END;
  high_at timestamptz := CASE WHEN newest_first THEN least(before_at, after_at) ELSE before_at END;
  lowest integer;
  highest integer;
  first_span integer;
  last_span integer;
  -- Conditions that are looked up in the index, and those that are checked row by row.
  sought text;
  checked text;
  sample_size integer;
  sample_hits integer;
  hits_of integer[];
  -- How many of the contacts are expected to meet all conditions.
  share float8;
  width integer;
  level integer;
  in_one_segment boolean;
  is_rare boolean;
  is_whole boolean;
  asked tsquery;
  stands tsquery;
  most integer := 3 * wanted;
  ids uuid[];
  moments timestamptz[];
  found integer;
  looked_at integer;
  have integer := 0;
  met integer := 0;
  walked integer := 0;
  crowded integer;
BEGIN
  SELECT s.number INTO lowest FROM contact_spans s
  WHERE s.tenant_id = tenant AND s.mode = data_set AND s.starts_at < coalesce(low_at, '-infinity')
  ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1;
  SELECT s.number INTO highest FROM contact_spans s
  WHERE s.tenant_id = tenant AND s.mode = data_set AND s.starts_at <= coalesce(high_at, 'infinity')
  ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1;
  lowest := coalesce(lowest, 0);
  IF highest IS NULL OR lowest > highest THEN
    RETURN;
  END IF;

  -- The outermost span may hold a few contacts only. What is common is learned within one segment.
  first_span := CASE WHEN newest_first THEN greatest(lowest, highest - 1, highest >> 10 << 10) ELSE lowest END;
  last_span := CASE WHEN newest_first THEN highest ELSE least(highest, lowest + 1, lowest | 1023) END;
  WITH sample AS MATERIALIZED (
    SELECT s.words FROM contact_search s
    WHERE s.words @@ segments_query(tenant, data_set, NULL, 0, first_span, last_span)
      AND s.tenant_id IS NOT DISTINCT FROM tenant AND s.mode IS NOT DISTINCT FROM data_set
      AND s.span BETWEEN first_span AND last_span
    LIMIT 32
  ), asked_here AS MATERIALIZED (
    SELECT c.place, replace(c.condition, chr(1), search_prefix(tenant, data_set, search_segment(first_span)))::tsquery AS query
    FROM unnest(conditions) WITH ORDINALITY AS c (condition, place)
  )
  SELECT (SELECT count(*) FROM sample),
         (SELECT count(*) FROM sample m WHERE NOT EXISTS (SELECT 1 FROM asked_here a WHERE NOT ts_match_vq(m.words, a.query))),
         ARRAY(SELECT (SELECT count(*) FROM sample m WHERE ts_match_vq(m.words, a.query)) FROM asked_here a ORDER BY a.place)
  INTO sample_size, sample_hits, hits_of;
  -- Of the contacts that are looked up, no fewer than one in five should then stand the check.
  SELECT string_agg(c.condition, ' & ') FILTER (WHERE c.share < 0.2),
         string_agg(c.condition, ' & ') FILTER (WHERE c.share >= 0.2),
         CASE WHEN 16 * sample_hits >= sample_size THEN 1.0 * sample_hits / greatest(sample_size, 1) ELSE min(c.share) END
  INTO sought, checked, share
  FROM (SELECT conditions[place] AS condition,
               exp(sum(ln(greatest(hits_of[place], 0.5) / greatest(sample_size, 1)))
                   OVER (ORDER BY hits_of[place] DESC, place)) AS share
        FROM generate_subscripts(conditions, 1) AS place) c;
  -- A window that is a little too small costs more than one that is too large.
  width := least(1.5 * ceil(wanted / (64 * greatest(coalesce(share, 1), 0.0001))) + 1, 1 << 14);

  WHILE have < wanted AND lowest <= highest LOOP
    -- A segment that is left to be walked in part is walked to its end by itself.
    is_whole := width >= 1024 AND CASE WHEN newest_first THEN highest & 1023 = 1023 ELSE lowest & 1023 = 0 END;
    level := CASE WHEN width < 16 THEN 0 WHEN width < 256 THEN 1 ELSE 2 END;
    IF newest_first THEN
      last_span := highest;
      first_span := CASE WHEN is_whole THEN (highest - width + 1) >> 10 << 10
                         WHEN width >= 1024 THEN highest >> 10 << 10
                         ELSE (highest - width + 1) >> 4 * level << 4 * level END;
      first_span := greatest(lowest, first_span);
    ELSE
      first_span := lowest;
      last_span := CASE WHEN is_whole THEN lowest + width - 1 | 1023
                        WHEN width >= 1024 THEN lowest | 1023
                        ELSE lowest + width - 1 | (1 << 4 * level) - 1 END;
      last_span := least(highest, last_span);
    END IF;
    in_one_segment := search_segment(first_span) = search_segment(last_span);
    asked := segments_query(tenant, data_set, CASE WHEN in_one_segment THEN sought ELSE everything END,
                            CASE WHEN is_whole AND clauses @> '[{"not": false}]' AND (sought IS NOT NULL OR NOT in_one_segment)
                                 THEN NULL ELSE level END, first_span, last_span);
    stands := CASE WHEN in_one_segment
                   THEN replace(checked, chr(1), search_prefix(tenant, data_set, search_segment(first_span))) END::tsquery;
    SELECT array_agg(f.contact_id) FILTER (WHERE f.stands), array_agg(f.created_at) FILTER (WHERE f.stands),
           count(*) FILTER (WHERE f.stands), count(*)
    INTO ids, moments, found, looked_at
    FROM (
      SELECT s.contact_id, s.created_at, stands IS NULL OR ts_match_vq(s.words, stands) AS stands
      FROM contact_search s
      WHERE s.words @@ asked
        AND s.tenant_id IS NOT DISTINCT FROM tenant AND s.mode IS NOT DISTINCT FROM data_set
        AND s.span BETWEEN first_span AND last_span
        AND (from_at IS NULL OR s.created_at >= from_at) AND (before_at IS NULL OR s.created_at < before_at)
        AND (after_at IS NULL
             OR CASE WHEN newest_first THEN (s.created_at, s.contact_id) < (after_at, after_id)
                     ELSE (s.created_at, s.contact_id) > (after_at, after_id) END)
      LIMIT CASE WHEN last_span > first_span THEN most + 1 END
    ) f;
    -- What is common where the sample was taken is not so here: look it up as well.
    is_rare := checked IS NOT NULL AND looked_at >= 32 AND 16 * found < looked_at;
    IF is_rare THEN
      sought := everything;
      checked := NULL;
    END IF;
    IF looked_at > most AND last_span > first_span THEN
      CONTINUE WHEN is_rare;
      -- So many contacts on end that not all of them should be read and sorted: look at fewer spans at once.
      width := greatest(1, (last_span - first_span + 1) / 16);
      crowded := CASE WHEN newest_first THEN first_span ELSE last_span END;
      CONTINUE;
    END IF;
    RETURN QUERY
    SELECT n.id, n.moment FROM unnest(ids, moments) AS n (id, moment)
    ORDER BY CASE WHEN newest_first THEN n.moment END DESC, CASE WHEN newest_first THEN n.id END DESC,
             CASE WHEN NOT newest_first THEN n.moment END, CASE WHEN NOT newest_first THEN n.id END
    LIMIT wanted - have;
    have := have + found;
    met := met + found;
    walked := walked + last_span - first_span + 1;
    IF newest_first THEN
      highest := first_span - 1;
    ELSE
      lowest := last_span + 1;
    END IF;
    IF (CASE WHEN newest_first THEN highest < crowded ELSE lowest > crowded END) THEN
      crowded := NULL;
    END IF;
    IF crowded IS NULL THEN
      width := CASE WHEN met = 0 THEN width * 16
                    ELSE least(width * 16, ceil(1.2 * (wanted - have) * walked / met)::integer) END;
      width := greatest(1, least(width, 1 << 14));
    END IF;
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION count_searched_contacts(clauses jsonb, from_at timestamptz, before_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  tenant uuid := current_tenant_id();
  data_set text := current_mode();
  everything text := nullif(array_to_string(search_clauses(chr(1), clauses), ' & '), '');
  is_positive boolean := clauses @> '[{"not": false}]';
  newest integer;
  asked tsquery;
  total bigint := 0;
  found bigint;
BEGIN
  SELECT s.number INTO newest FROM contact_spans s
  WHERE s.tenant_id = tenant AND s.mode = data_set ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1;
  FOR segment IN 0 .. coalesce(search_segment(newest), -1) LOOP
    asked := segments_query(tenant, data_set, everything, CASE WHEN NOT is_positive THEN 2 END,
                            segment << 10, (segment << 10) + 1023);
    SELECT count(*) INTO found FROM contact_search s
    WHERE s.words @@ asked
      AND s.tenant_id IS NOT DISTINCT FROM tenant AND s.mode IS NOT DISTINCT FROM data_set
      AND s.span BETWEEN segment << 10 AND (segment << 10) + 1023
      AND (from_at IS NULL OR s.created_at >= from_at) AND (before_at IS NULL OR s.created_at < before_at);
    total := total + found;
  END LOOP;
  RETURN total;
END
$$;

-- What is there already: each word gets what stands before those of its segment, and words that are needed no more go.
DROP INDEX contact_search_by_words;
UPDATE contact_search s SET words = array_to_tsvector(ARRAY(
  SELECT search_prefix(s.tenant_id, s.mode, search_segment(s.span)) || substr(word, 7)
  FROM unnest(tsvector_to_array(s.words)) AS word WHERE substr(word, 7, 1) NOT IN ('*', '3')));
CREATE INDEX contact_search_by_words ON contact_search USING gin (words) WITH (gin_pending_list_limit = 64);

DROP FUNCTION block_query(text, integer, integer, integer);
DROP FUNCTION expected_contacts(text);
DROP FUNCTION search_prefix(uuid, text);
ALTER FUNCTION search_contacts(jsonb, boolean, timestamptz, uuid, timestamptz, timestamptz, integer)
  OWNER TO penguinmails_search;
REVOKE EXECUTE ON FUNCTION search_contacts(jsonb, boolean, timestamptz, uuid, timestamptz, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_contacts(jsonb, boolean, timestamptz, uuid, timestamptz, timestamptz, integer)
  TO penguinmails_app;
