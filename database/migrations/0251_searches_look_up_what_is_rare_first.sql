-- Searches by several conditions look up the one that is met least first, and the others where it is met.

-- Within one query the index guesses how many contacts have a word by the first page of those that have it. Once all of these
-- have been changed that page is empty, the guess is none, and it walks through everybody who has a common word to find those
-- who have a rare one as well: of a million contacts in half a second, for a page of nobody. Two queries of one scan are not
-- guessed about: what the first one finds is where the second one goes on.

CREATE OR REPLACE FUNCTION search_contacts(
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
  -- Of the conditions that ask for a word, the one that is met least.
  rarest text;
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
  -- Who has a word not is found by walking through all: not so many at once that the budget comes to an end in between.
  widest integer;
  level integer;
  in_one_segment boolean;
  is_rare boolean;
  is_whole boolean;
  asked tsquery;
  asked_first tsquery;
  stands tsquery;
  -- Whether something is known of how many are met, by the sample or by what was met.
  is_known boolean;
  most integer;
  ids uuid[];
  moments timestamptz[];
  spans integer[];
  found integer;
  looked_at integer;
  have integer := 0;
  size integer;
  walked integer := 0;
  -- The end of a window with too many, and how many spans are looked at on the way there where none is met.
  crowded integer;
  stride integer;
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
  -- Of the contacts that are looked up, three in four should then stand the check.
  SELECT string_agg(c.condition, ' & ') FILTER (WHERE c.share < 0.75),
         string_agg(c.condition, ' & ') FILTER (WHERE c.share >= 0.75),
         CASE WHEN 16 * sample_hits >= sample_size THEN 1.0 * sample_hits / greatest(sample_size, 1) ELSE min(c.share) END
  INTO sought, checked, share
  FROM (SELECT conditions[place] AS condition,
               exp(sum(ln(greatest(hits_of[place], 0.5) / greatest(sample_size, 1)))
                   OVER (ORDER BY hits_of[place] DESC, place)) AS share
        FROM generate_subscripts(conditions, 1) AS place) c;
  SELECT conditions[place] INTO rarest FROM generate_subscripts(conditions, 1) AS place
  WHERE clauses -> place - 1 @> '{"not": false}' ORDER BY hits_of[place], place LIMIT 1;
  widest := CASE WHEN everything IS NOT NULL AND rarest IS NULL THEN 1 << 8 ELSE 1 << 14 END;
  is_known := everything IS NULL OR 16 * sample_hits >= sample_size;
  -- A window that is a little too small costs more than one that is too large.
  width := least(ceil(1.25 * wanted / (64 * greatest(coalesce(share, 1), 0.0001)) + 0.5), widest);

  WHILE have < wanted AND lowest <= highest LOOP
    -- A segment that is left to be walked in part is walked to its end by itself.
    is_whole := width >= 1024 AND CASE WHEN newest_first THEN highest & 1023 = 1023 ELSE lowest & 1023 = 0 END;
    -- While nothing is known, a few show that a window is much too large, or that most do not stand the check.
    most := CASE WHEN is_known THEN greatest(128, 2 * wanted)
                 WHEN checked IS NULL THEN wanted + wanted / 4
                 ELSE least(wanted, 32) END;
    level := CASE WHEN width < 16 THEN 0 WHEN width < 256 THEN 1 ELSE 2 END;
    IF newest_first THEN
      last_span := highest;
      first_span := CASE WHEN is_whole THEN (highest - width + 1) >> 10 << 10
                         WHEN width >= 1024 THEN highest >> 10 << 10
                         ELSE highest - width + 1 + (1 << 4 * level) / 2 >> 4 * level << 4 * level END;
      first_span := greatest(lowest, first_span);
    ELSE
      first_span := lowest;
      last_span := CASE WHEN is_whole THEN lowest + width - 1 | 1023
                        WHEN width >= 1024 THEN lowest | 1023
                        ELSE lowest + width - 1 - (1 << 4 * level) / 2 | (1 << 4 * level) - 1 END;
      last_span := least(highest, last_span);
    END IF;
    size := last_span - first_span + 1;
    level := least(level, CASE WHEN size < 16 THEN 0 WHEN size < 256 THEN 1 ELSE 2 END);
    in_one_segment := search_segment(first_span) = search_segment(last_span);
    asked := segments_query(tenant, data_set, CASE WHEN in_one_segment THEN sought ELSE everything END,
                            CASE WHEN is_whole AND clauses @> '[{"not": false}]' AND (sought IS NOT NULL OR NOT in_one_segment)
                                 THEN NULL ELSE level END, first_span, last_span);
    -- What is common is not looked up, and no contact has the word of the other query.
    asked_first := CASE WHEN rarest IS NULL OR (in_one_segment AND sought IS NULL) THEN $q$ !'-' $q$
                        ELSE segments_query(tenant, data_set, rarest, NULL, first_span, last_span) END;
    stands := CASE WHEN in_one_segment
                   THEN replace(checked, chr(1), search_prefix(tenant, data_set, search_segment(first_span))) END::tsquery;
    SELECT array_agg(f.contact_id) FILTER (WHERE f.stands), array_agg(f.created_at) FILTER (WHERE f.stands),
           array_agg(f.span) FILTER (WHERE f.stands), count(*) FILTER (WHERE f.stands), count(*)
    INTO ids, moments, spans, found, looked_at
    FROM (
      SELECT s.contact_id, s.created_at, s.span, stands IS NULL OR ts_match_vq(s.words, stands) AS stands
      FROM contact_search s
      WHERE s.words @@ asked_first AND s.words @@ asked
        AND s.tenant_id IS NOT DISTINCT FROM tenant AND s.mode IS NOT DISTINCT FROM data_set
        AND s.span BETWEEN first_span AND last_span
        AND (from_at IS NULL OR s.created_at >= from_at) AND (before_at IS NULL OR s.created_at < before_at)
        AND (after_at IS NULL
             OR CASE WHEN newest_first THEN (s.created_at, s.contact_id) < (after_at, after_id)
                     ELSE (s.created_at, s.contact_id) > (after_at, after_id) END)
      LIMIT CASE WHEN size > 1 THEN most + 1 END
    ) f;
    -- What is common where the sample was taken is not so here: look it up as well.
    is_rare := checked IS NOT NULL AND looked_at >= 32 AND 4 * found < looked_at;
    IF is_rare THEN
      sought := everything;
      checked := NULL;
    END IF;
    IF looked_at > most AND size > 1 THEN
      CONTINUE WHEN is_rare;
      -- So many contacts on end that not all of them should be read and sorted: look at fewer spans at once, as many as they
      -- need where they are. They may all be at the far end.
      is_known := true;
      stride := greatest(1, size / 8);
      width := greatest(1, least(size / 4, ceil(
        1.2 * (wanted - have) * (SELECT count(DISTINCT n.span) FROM unnest(spans) AS n (span)) / greatest(found, 1))));
      crowded := CASE WHEN newest_first THEN first_span ELSE last_span END;
      CONTINUE;
    END IF;
    RETURN QUERY
    SELECT n.id, n.moment, false FROM unnest(ids, moments) AS n (id, moment)
    ORDER BY CASE WHEN newest_first THEN n.moment END DESC, CASE WHEN newest_first THEN n.id END DESC,
             CASE WHEN NOT newest_first THEN n.moment END, CASE WHEN NOT newest_first THEN n.id END
    LIMIT wanted - have;
    have := have + found;
    walked := walked + size;
    is_known := found > 0 OR (is_known AND crowded IS NULL);
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
    width := CASE WHEN found > 0 THEN least(ceil(1.2 * (wanted - have) * size / found),
                                            CASE WHEN crowded IS NULL THEN 16 * width ELSE greatest(stride, width) END)
                  WHEN crowded IS NULL THEN 16 * width ELSE stride END;
    width := greatest(1, least(width, widest));
  END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION count_searched_contacts(
  clauses jsonb, from_at timestamptz, before_at timestamptz, most bigint DEFAULT NULL, budget interval DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  tenant uuid := current_tenant_id();
  data_set text := current_mode();
  everything text := nullif(array_to_string(search_clauses(chr(1), clauses), ' & '), '');
  -- Two of the conditions that ask for a word: whichever is met less, the other is looked up where it is.
  asking text[] := search_clauses(chr(1), jsonb_path_query_array(clauses, '$[*] ? (@.not == false)'));
  newest integer;
  asked tsquery;
  asked_first tsquery;
  asked_second tsquery;
  total bigint := 0;
  found bigint;
  ends_at timestamptz := clock_timestamp() + budget;
BEGIN
  SELECT s.number INTO newest FROM contact_spans s
  WHERE s.tenant_id = tenant AND s.mode = data_set ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1;
  FOR segment IN 0 .. coalesce(search_segment(newest), -1) LOOP
    asked := segments_query(tenant, data_set, everything, CASE WHEN asking = '{}' THEN 2 END,
                            segment << 10, (segment << 10) + 1023);
    asked_first := replace(coalesce(asking[1], $q$ !'-' $q$), chr(1), search_prefix(tenant, data_set, segment));
    asked_second := replace(coalesce(asking[2], $q$ !'-' $q$), chr(1), search_prefix(tenant, data_set, segment));
    SELECT count(*) INTO found FROM contact_search s
    WHERE s.words @@ asked_first AND s.words @@ asked_second AND s.words @@ asked
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
