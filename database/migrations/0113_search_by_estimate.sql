-- A search of contacts looks at a few of them first, and then takes the way that is short for what is asked.

-- Where most contacts meet a condition, the index is no help: what it holds of such a condition is read once per window. So
-- these are checked row by row. Where few meet all conditions together, all of them are found at once without windows.
-- Windows are made of whole blocks of spans, one word or a few each; each further word of a query costs time.

-- Each condition as the text of a tsquery.
CREATE FUNCTION search_clauses(x text, clauses jsonb) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN ARRAY(
  SELECT search_query(x, jsonb_build_array(clause)) FROM jsonb_array_elements(clauses) WITH ORDINALITY AS c (clause, place)
  ORDER BY place);

-- The blocks of 16 to the power of `level` spans that hold the spans from one to another.
CREATE FUNCTION block_query(x text, level integer, first_span integer, last_span integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
  SELECT '(' || string_agg('''' || x || level || place || '''', ' | ') || ')'
  FROM generate_series(first_span >> 4 * level, last_span >> 4 * level) AS place);

-- How many contacts the planner expects to meet a query; its statistics know every word that many have.
CREATE FUNCTION expected_contacts(query text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  plan jsonb;
BEGIN
  EXECUTE format('EXPLAIN (FORMAT JSON) SELECT FROM contact_search WHERE words @@ %L::tsquery', query) INTO plan;
  RETURN (plan #>> '{0,Plan,Plan Rows}')::numeric::bigint;
END
$$;

DROP FUNCTION search_contacts(jsonb, boolean, timestamptz, uuid, timestamptz, timestamptz, integer);
CREATE FUNCTION search_contacts(
  clauses jsonb, newest_first boolean, after_at timestamptz, after_id uuid, from_at timestamptz, before_at timestamptz,
  wanted integer
) RETURNS TABLE (contact_id uuid, created_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  tenant uuid := current_tenant_id();
  data_set text := current_mode();
  x text := search_prefix(tenant, data_set);
  is_positive boolean := clauses @> '[{"not": false}]';
  conditions text[] := search_clauses(x, clauses);
  low_at timestamptz := CASE WHEN newest_first THEN from_at ELSE greatest(from_at, after_at) END;
  high_at timestamptz := CASE WHEN newest_first THEN least(before_at, after_at) ELSE before_at END;
  lowest integer;
  highest integer;
  first_span integer;
  last_span integer;
  -- Conditions that are looked up in the index, and those that are checked row by row.
  sought text := array_to_string(conditions, ' & ');
  checked text;
  sample_size integer;
  sample_hits integer;
  hits_of integer[];
  expected bigint;
  width integer;
  level integer;
  most integer := 3 * wanted;
  few integer := 6 * wanted;
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

  first_span := CASE WHEN newest_first THEN greatest(lowest, highest - 1) ELSE lowest END;
  last_span := CASE WHEN newest_first THEN highest ELSE least(highest, lowest + 1) END;
  WITH sample AS MATERIALIZED (
    SELECT s.words FROM contact_search s
    WHERE s.words @@ block_query(x, 0, first_span, last_span)::tsquery
      AND s.tenant_id IS NOT DISTINCT FROM tenant AND s.mode IS NOT DISTINCT FROM data_set
    LIMIT 32
  )
  SELECT (SELECT count(*) FROM sample),
         (SELECT count(*) FROM sample WHERE sought = '' OR ts_match_vq(words, sought::tsquery)),
         ARRAY(SELECT (SELECT count(*) FROM sample WHERE ts_match_vq(words, c.condition::tsquery))
               FROM unnest(conditions) WITH ORDINALITY AS c (condition, place) ORDER BY place)
  INTO sample_size, sample_hits, hits_of;
  -- Of the contacts that are looked up, no fewer than one in five should then stand the check.
  SELECT string_agg(c.condition, ' & ') FILTER (WHERE c.share < 0.2),
         string_agg(c.condition, ' & ') FILTER (WHERE c.share >= 0.2)
  INTO sought, checked
  FROM (SELECT conditions[place] AS condition,
               exp(sum(ln(greatest(hits_of[place], 0.01) / greatest(sample_size, 1))) OVER (ORDER BY hits_of[place] DESC, place)) AS share
        FROM generate_subscripts(conditions, 1) AS place) c;

  IF 16 * sample_hits >= sample_size THEN
    width := ceil(1.0 * wanted * sample_size / (64 * greatest(sample_hits, 1)))::integer + 1;
  ELSE
    expected := expected_contacts(array_to_string(conditions, ' & '));
    IF expected <= few AND is_positive THEN
      SELECT array_agg(f.contact_id), array_agg(f.created_at), count(*) INTO ids, moments, found
      FROM (SELECT s.contact_id, s.created_at FROM contact_search s
            WHERE s.words @@ array_to_string(conditions, ' & ')::tsquery
              AND s.tenant_id IS NOT DISTINCT FROM tenant AND s.mode IS NOT DISTINCT FROM data_set
            LIMIT few + 1) f;
      IF found <= few THEN
        RETURN QUERY
        SELECT n.id, n.moment FROM unnest(ids, moments) AS n (id, moment)
        WHERE (from_at IS NULL OR n.moment >= from_at) AND (before_at IS NULL OR n.moment < before_at)
          AND (after_at IS NULL
               OR CASE WHEN newest_first THEN (n.moment, n.id) < (after_at, after_id)
                       ELSE (n.moment, n.id) > (after_at, after_id) END)
        ORDER BY CASE WHEN newest_first THEN n.moment END DESC, CASE WHEN newest_first THEN n.id END DESC,
                 CASE WHEN NOT newest_first THEN n.moment END, CASE WHEN NOT newest_first THEN n.id END
        LIMIT wanted;
        RETURN;
      END IF;
      -- More than the planner knew of.
      expected := found;
    END IF;
    width := ceil(1.0 * wanted / greatest(expected, 1) * (highest - lowest + 1))::integer;
  END IF;
  -- A window that is a little too small costs more than one that is too large.
  width := greatest(1, least(CASE WHEN checked IS NULL THEN 3 * width / 2 ELSE width END, 1 << 24));

  WHILE have < wanted AND lowest <= highest LOOP
    -- The largest blocks one by one: a query of some of them takes longer than one each.
    width := least(width, 4096);
    level := CASE WHEN width < 16 THEN 0 WHEN width < 256 THEN 1 WHEN width < 4096 THEN 2 ELSE 3 END;
    IF newest_first THEN
      last_span := highest;
      first_span := greatest(lowest, ((highest - width + 1) >> 4 * level) << 4 * level);
    ELSE
      first_span := lowest;
      last_span := least(highest, (((lowest + width - 1) >> 4 * level) + 1 << 4 * level) - 1);
    END IF;
    SELECT array_agg(f.contact_id) FILTER (WHERE f.stands), array_agg(f.created_at) FILTER (WHERE f.stands),
           count(*) FILTER (WHERE f.stands), count(*)
    INTO ids, moments, found, looked_at
    FROM (
      SELECT s.contact_id, s.created_at, checked IS NULL OR ts_match_vq(s.words, checked::tsquery) AS stands
      FROM contact_search s
      WHERE s.words @@ concat_ws(' & ', sought, block_query(x, level, first_span, last_span))::tsquery
        AND s.tenant_id IS NOT DISTINCT FROM tenant AND s.mode IS NOT DISTINCT FROM data_set
        AND s.span BETWEEN first_span AND last_span
        AND (from_at IS NULL OR s.created_at >= from_at) AND (before_at IS NULL OR s.created_at < before_at)
        AND (after_at IS NULL
             OR CASE WHEN newest_first THEN (s.created_at, s.contact_id) < (after_at, after_id)
                     ELSE (s.created_at, s.contact_id) > (after_at, after_id) END)
      LIMIT CASE WHEN last_span > first_span THEN most + 1 END
    ) f;
    -- So many contacts on end that not all of them should be read and sorted: look at fewer spans at once.
    IF looked_at > most AND last_span > first_span THEN
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
    IF checked IS NOT NULL AND looked_at >= 64 AND 16 * found < looked_at THEN
      -- What is common where the sample was taken is not so here.
      sought := array_to_string(conditions, ' & ');
      checked := NULL;
    END IF;
    IF (CASE WHEN newest_first THEN highest < crowded ELSE lowest > crowded END) THEN
      crowded := NULL;
    END IF;
    IF crowded IS NULL THEN
      width := CASE WHEN met = 0 THEN width * 16
                    ELSE least(width * 16, ceil(1.2 * (wanted - have) * walked / met)::integer) END;
      width := greatest(1, least(width, 1 << 24));
    END IF;
  END LOOP;
END
$$;
DROP FUNCTION window_query(text, integer, integer);

DO $$
DECLARE
  target text;
BEGIN
  FOREACH target IN ARRAY ARRAY[
    'search_contacts(jsonb, boolean, timestamptz, uuid, timestamptz, timestamptz, integer)', 'expected_contacts(text)'] LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO penguinmails_search', target);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', target);
  END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION search_contacts(jsonb, boolean, timestamptz, uuid, timestamptz, timestamptz, integer)
  TO penguinmails_app;
