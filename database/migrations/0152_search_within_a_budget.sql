-- A search ends in time: what takes longer than its budget is gone on with by the next page.

-- Some questions make every contact of a large tenant be looked at, such as for all but those with a beginning that all have.
-- A search with a budget then ends with a row that is no contact and says where to go on: newest first, from before the moment
-- and id in it; oldest first, from these on. At least two spans are walked through each time, so that there is an end: oldest
-- first, the page may begin in the span before.
-- A count gives up: it is null where there are more than `most`, or where counting takes longer than its budget.

DROP FUNCTION search_contacts(jsonb, boolean, timestamptz, uuid, timestamptz, timestamptz, integer);
CREATE FUNCTION search_contacts(
  clauses jsonb, newest_first boolean, after_at timestamptz, after_id uuid, from_at timestamptz, before_at timestamptz,
  wanted integer, budget interval DEFAULT NULL
) RETURNS TABLE (contact_id uuid, created_at timestamptz, is_stop boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  tenant uuid := current_tenant_id();
  data_set text := current_mode();
  conditions text[] := search_clauses(chr(1), clauses);
  everything text := nullif(array_to_string(conditions, ' & '), '');
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
  ends_at timestamptz := clock_timestamp() + budget;
BEGIN
  SELECT s.number INTO lowest FROM contact_spans s
  WHERE s.tenant_id = tenant AND s.mode = data_set AND s.starts_at < coalesce(from_at, '-infinity')
  ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1;
  SELECT s.number INTO highest FROM contact_spans s
  WHERE s.tenant_id = tenant AND s.mode = data_set AND s.starts_at <= coalesce(before_at, 'infinity')
  ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1;
  lowest := coalesce(lowest, 0);
  -- By moment and id, so that a page that begins with a span does not walk through the one before it over and over.
  IF after_at IS NOT NULL AND newest_first THEN
    highest := least(highest, (
      SELECT s.number FROM contact_spans s
      WHERE s.tenant_id = tenant AND s.mode = data_set AND (s.starts_at, s.starts_id) < (after_at, after_id)
      ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1));
  ELSIF after_at IS NOT NULL THEN
    lowest := greatest(lowest, (
      SELECT s.number FROM contact_spans s
      WHERE s.tenant_id = tenant AND s.mode = data_set AND (s.starts_at, s.starts_id) <= (after_at, after_id)
      ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1));
  END IF;
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
    SELECT n.id, n.moment, false FROM unnest(ids, moments) AS n (id, moment)
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
    IF have < wanted AND lowest <= highest AND walked > 1 AND clock_timestamp() > ends_at THEN
      RETURN QUERY
      SELECT s.starts_id, s.starts_at, true FROM contact_spans s
      WHERE s.tenant_id = tenant AND s.mode = data_set
        AND s.number = CASE WHEN newest_first THEN first_span ELSE last_span + 1 END;
      RETURN;
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

DROP FUNCTION count_searched_contacts(jsonb, timestamptz, timestamptz);
CREATE FUNCTION count_searched_contacts(
  clauses jsonb, from_at timestamptz, before_at timestamptz, most bigint DEFAULT NULL, budget interval DEFAULT NULL
) RETURNS bigint
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
  ends_at timestamptz := clock_timestamp() + budget;
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
    IF total > most OR clock_timestamp() > ends_at THEN
      RETURN NULL;
    END IF;
  END LOOP;
  RETURN total;
END
$$;

DO $$
DECLARE
  target text;
BEGIN
  FOREACH target IN ARRAY ARRAY[
    'search_contacts(jsonb, boolean, timestamptz, uuid, timestamptz, timestamptz, integer, interval)',
    'count_searched_contacts(jsonb, timestamptz, timestamptz, bigint, interval)'] LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO penguinmails_search', target);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', target);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO penguinmails_app', target);
  END LOOP;
END
$$;
