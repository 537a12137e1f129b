-- Contacts are searched by any combination of what is known of them, and no search reads more than a few pages of them.

-- One row per contact says in words what it is: `company is Acme`, `has tag T`, `address begins with ab`. A GIN index meets
-- any AND, OR and NOT of such words without touching a contact. Its operator is not leakproof, so under the tenant's policy
-- it would be evaluated row by row: search runs in functions of a role of its own, with the tenant written into them.
-- A page is sorted by when contacts were added, and such an index has no order. So contacts are numbered off in spans of 64
-- by that moment, each contact carries words for its span and for the 16, 256 and 4096 spans around it, and a page is
-- gathered span by span, in windows that grow until it is full.

DO $$
BEGIN
  CREATE ROLE penguinmails_search NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
GRANT USAGE ON SCHEMA public TO penguinmails_search;

CREATE TABLE contact_spans (
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  number integer NOT NULL,
  starts_at timestamptz NOT NULL,
  starts_id uuid NOT NULL,
  contacts integer NOT NULL,
  PRIMARY KEY (tenant_id, mode, starts_at, starts_id)
);
COMMENT ON TABLE contact_spans IS 'where each run of 64 contacts begins, by when they were added and id; one index, since the planner knows nothing of a table that is new';
COMMENT ON COLUMN contact_spans.contacts IS 'kept for the newest span alone: how many contacts it was given';
CALL protect_tenant_table('contact_spans', true);
GRANT SELECT ON contact_spans TO penguinmails_app;
CALL allow_across_tenants('contact_spans', 'penguinmails_search', 'SELECT, INSERT, UPDATE');

CREATE TABLE contact_search (
  contact_id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  created_at timestamptz NOT NULL,
  span integer NOT NULL,
  words tsvector NOT NULL
);
COMMENT ON TABLE contact_search IS 'no foreign keys, each of which would cost a look-up for each of a million imported rows; triggers keep it';
COMMENT ON COLUMN contact_search.words IS 'each begins with what stands for tenant and mode, and a letter that says what it is about; see contact_words()';
-- The list of what is not merged yet is read by every search, so it is kept short.
CREATE INDEX contact_search_by_words ON contact_search USING gin (words) WITH (gin_pending_list_limit = 64);
CREATE INDEX contact_search_by_tenant ON contact_search (tenant_id, mode);
CALL protect_tenant_table('contact_search', true);
GRANT SELECT ON contact_search TO penguinmails_app;
CALL allow_across_tenants('contact_search', 'penguinmails_search', 'SELECT, INSERT, UPDATE, DELETE');


-- What stands before every word of a tenant and mode.
CREATE FUNCTION search_prefix(tenant uuid, data_set text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN left(md5(tenant::text || data_set), 6);

-- Numbers as sixteen digits whose order as text is theirs as numbers, so that a range is a few beginnings of texts.
CREATE FUNCTION search_number(value numeric) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT lpad(to_hex(CASE WHEN bits >= 0 THEN bits # (-9223372036854775807 - 1) ELSE ~bits END), 16, '0')
        FROM (SELECT ('x' || encode(float8send(value::float8 + 0.0), 'hex'))::bit(64)::bigint AS bits) v);

-- What a word says of the value of a custom field.
CREATE FUNCTION field_word(of_text text, of_number numeric, of_date timestamptz, of_boolean boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(left(of_text, 255), search_number(of_number), search_number(extract(epoch FROM of_date)), of_boolean::text);

-- The words of a contact's own columns; null where there is nothing to say.
CREATE FUNCTION contact_words(
  x text, email text, first_name text, last_name text, company text, job_title text, city text, state text, country text,
  lead_source text, source text, status text, lead_score integer
) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY[
  x || 'e' || email, x || 'f' || first_name, x || 'l' || last_name, x || 'c' || left(company, 255),
  x || 'j' || left(job_title, 255), x || 'y' || city, x || 'a' || state, x || 'n' || country,
  x || 'd' || lead_source, x || 'o' || source, x || 's' || status, x || 'b' || lpad(lead_score::text, 3, '0'),
  x || 'p' || left(email, 1), x || 'p' || left(email, 2), x || 'p' || left(email, 3),
  x || 'p' || left(first_name, 1), x || 'p' || left(first_name, 2), x || 'p' || left(first_name, 3),
  x || 'p' || left(last_name, 1), x || 'p' || left(last_name, 2), x || 'p' || left(last_name, 3),
  x || 'q' || left(company, 1), x || 'q' || left(company, 2), x || 'q' || left(company, 3)
];

CREATE FUNCTION span_words(x text, span integer) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY[x || '*', x || '0' || span, x || '1' || span / 16, x || '2' || span / 256, x || '3' || span / 4096];

-- Numbers off contacts that were just added. Statements of one tenant and mode wait for each other at its newest span.
CREATE FUNCTION extend_contact_spans(tenant uuid, data_set text, ids uuid[], moments timestamptz[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  newest contact_spans;
  added integer;
BEGIN
  INSERT INTO contact_spans VALUES (tenant, data_set, 0, '-infinity', '00000000-0000-0000-0000-000000000000', 0)
  ON CONFLICT DO NOTHING;
  SELECT * INTO newest FROM contact_spans s WHERE s.tenant_id = tenant AND s.mode = data_set
  ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1 FOR UPDATE;
  -- Whoever had it locked may have begun further spans.
  SELECT * INTO newest FROM contact_spans s WHERE s.tenant_id = tenant AND s.mode = data_set
  ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1 FOR UPDATE;
  WITH placed AS (
    SELECT n.id, n.created_at, newest.contacts + row_number() OVER (ORDER BY n.created_at, n.id) - 1 AS place
    FROM unnest(ids, moments) AS n (id, created_at)
    WHERE (n.created_at, n.id) > (newest.starts_at, newest.starts_id)
  ), begun AS (
    INSERT INTO contact_spans
    SELECT tenant, data_set, newest.number + place / 64, created_at, id, (SELECT max(place) FROM placed) % 64 + 1
    FROM placed WHERE place > 0 AND place % 64 = 0
  )
  SELECT count(*) INTO added FROM placed;
  IF newest.contacts + added <= 64 THEN
    UPDATE contact_spans s SET contacts = newest.contacts + added
    WHERE s.tenant_id = tenant AND s.mode = data_set AND s.starts_at = newest.starts_at AND s.starts_id = newest.starts_id;
  END IF;
END
$$;

CREATE FUNCTION index_added_contacts() RETURNS trigger
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
  CROSS JOIN LATERAL (SELECT search_prefix(n.tenant_id, n.mode) AS x OFFSET 0) p;
  RETURN NULL;
END
$$;

CREATE FUNCTION index_changed_contacts() RETURNS trigger
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
  FROM changed n JOIN before b ON b.id = n.id
  CROSS JOIN LATERAL (SELECT search_prefix(n.tenant_id, n.mode) AS x OFFSET 0) p
  WHERE s.contact_id = n.id
    -- Opens and clicks change a contact often and nothing that is searched by.
    AND (n.email, n.first_name, n.last_name, n.company, n.job_title, n.city, n.state, n.country, n.lead_source, n.source,
         n.status, n.lead_score)
      IS DISTINCT FROM (b.email, b.first_name, b.last_name, b.company, b.job_title, b.city, b.state, b.country,
                        b.lead_source, b.source, b.status, b.lead_score);
  RETURN NULL;
END
$$;

-- The trigger's argument makes the word of a link `n`. No link is looked up: there may be many, and of tables that are new
-- the planner does not know which index is a good one.
CREATE FUNCTION index_linked_contacts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM changed) THEN
    EXECUTE format(
      'UPDATE contact_search s SET words = %s FROM (SELECT n.contact_id,'
      ' array_agg(search_prefix(n.tenant_id, n.mode) || %s) AS words FROM changed n GROUP BY n.contact_id) l'
      ' WHERE s.contact_id = l.contact_id',
      CASE TG_OP WHEN 'INSERT' THEN 's.words || array_to_tsvector(l.words)' ELSE 'ts_delete(s.words, l.words)' END,
      TG_ARGV[0]);
  END IF;
  RETURN NULL;
END
$$;

CREATE FUNCTION forget_searched_contacts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  DELETE FROM contact_search s USING changed c WHERE s.contact_id = c.id;
  RETURN NULL;
END
$$;

-- What is asked for as a query: `clauses` is a list of {"not": boolean, "any": [[letter, text, is a beginning], ...]}.
CREATE FUNCTION search_query(x text, clauses jsonb) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
  SELECT string_agg(CASE WHEN (clause ->> 'not')::boolean THEN '!(' ELSE '(' END || (
    SELECT string_agg(
             '''' || replace(replace(x || (term ->> 0) || left(lower(term ->> 1), 300), '\', '\\'), '''', '''''') || ''''
             || CASE WHEN (term ->> 2)::boolean THEN ':*' ELSE '' END, ' | ')
    FROM jsonb_array_elements(clause -> 'any') AS term) || ')', ' & ')
  FROM jsonb_array_elements(clauses) AS clause);

-- The fewest words that together stand for the spans from one to another.
CREATE FUNCTION window_query(x text, first_span integer, last_span integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  place integer := first_span;
  level integer;
  words text[] := '{}';
BEGIN
  WHILE place <= last_span LOOP
    level := 3;
    WHILE level > 0 AND (place % (1 << 4 * level) <> 0 OR place + (1 << 4 * level) - 1 > last_span) LOOP
      level := level - 1;
    END LOOP;
    words := words || ('''' || x || level || (place >> 4 * level) || '''');
    place := place + (1 << 4 * level);
  END LOOP;
  RETURN '(' || array_to_string(words, ' | ') || ')';
END
$$;

-- The next contacts that meet all clauses, in the order in which they were added or the opposite one, after a place in
-- that order and within bounds. For the current tenant and mode alone.
CREATE FUNCTION search_contacts(
  clauses jsonb, newest_first boolean, after_at timestamptz, after_id uuid, from_at timestamptz, before_at timestamptz,
  wanted integer
) RETURNS TABLE (contact_id uuid, created_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  tenant uuid := current_tenant_id();
  data_set text := current_mode();
  x text := search_prefix(tenant, data_set);
  asked text := search_query(x, clauses);
  low_at timestamptz := CASE WHEN newest_first THEN from_at ELSE greatest(from_at, after_at) END;
  high_at timestamptz := CASE WHEN newest_first THEN least(before_at, after_at) ELSE before_at END;
  lowest integer;
  highest integer;
  first_span integer;
  last_span integer;
  -- The outermost span may hold a few contacts only.
  width integer := 2;
  most integer := 2 * wanted;
  ids uuid[];
  moments timestamptz[];
  found integer;
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
  WHILE have < wanted AND lowest <= highest LOOP
    IF newest_first THEN
      last_span := highest;
      first_span := greatest(lowest, highest - width + 1);
    ELSE
      first_span := lowest;
      last_span := least(highest, lowest + width - 1);
    END IF;
    SELECT array_agg(f.contact_id), array_agg(f.created_at), count(*) INTO ids, moments, found
    FROM (
      SELECT s.contact_id, s.created_at FROM contact_search s
      WHERE s.words @@ concat_ws(' & ', asked, window_query(x, first_span, last_span))::tsquery
        AND s.tenant_id IS NOT DISTINCT FROM tenant AND s.mode IS NOT DISTINCT FROM data_set
        AND (from_at IS NULL OR s.created_at >= from_at) AND (before_at IS NULL OR s.created_at < before_at)
        AND (after_at IS NULL
             OR CASE WHEN newest_first THEN (s.created_at, s.contact_id) < (after_at, after_id)
                     ELSE (s.created_at, s.contact_id) > (after_at, after_id) END)
      LIMIT CASE WHEN last_span > first_span THEN most + 1 END
    ) f;
    -- So many contacts on end that not all of them should be read and sorted: look at fewer spans at once.
    IF found > most AND last_span > first_span THEN
      width := greatest(1, (last_span - first_span + 1) / 8);
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
      width := CASE WHEN met = 0 THEN width * 8
                    ELSE least(width * 8, ceil(1.0 * (wanted - have) * walked / met)::integer) END;
      width := greatest(1, least(width, 1 << 24));
    END IF;
  END LOOP;
END
$$;

-- How many contacts of the current tenant and mode meet all clauses.
CREATE FUNCTION count_searched_contacts(clauses jsonb, from_at timestamptz, before_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
DECLARE
  tenant uuid := current_tenant_id();
  data_set text := current_mode();
  x text := search_prefix(tenant, data_set);
BEGIN
  RETURN (
    SELECT count(*) FROM contact_search s
    WHERE s.words @@ concat_ws(' & ', search_query(x, clauses), '''' || x || '*''')::tsquery
      AND s.tenant_id IS NOT DISTINCT FROM tenant AND s.mode IS NOT DISTINCT FROM data_set
      AND (from_at IS NULL OR s.created_at >= from_at) AND (before_at IS NULL OR s.created_at < before_at));
END
$$;

-- Contacts that are there already.
DO $$
BEGIN
  PERFORM extend_contact_spans(c.tenant_id, c.mode, array_agg(c.id), array_agg(c.created_at))
  FROM contacts c GROUP BY c.tenant_id, c.mode;
  INSERT INTO contact_search (contact_id, tenant_id, mode, created_at, span, words)
  SELECT c.id, c.tenant_id, c.mode, c.created_at, s.number, array_to_tsvector(array_remove(
           contact_words(p.x, c.email, c.first_name_lower, c.last_name_lower, lower(c.company), lower(c.job_title),
                         lower(c.city), lower(c.state), lower(c.country), lower(c.lead_source), lower(c.source), c.status,
                         c.lead_score)
           || span_words(p.x, s.number)
           || ARRAY(SELECT p.x || 't' || l.tag_id FROM contact_tags l
                    WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id)
           || ARRAY(SELECT p.x || 'm' || l.list_id FROM contact_lists l
                    WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id)
           || ARRAY(SELECT p.x || 'w' || l.workspace_id FROM contact_workspaces l
                    WHERE l.tenant_id = c.tenant_id AND l.mode = c.mode AND l.contact_id = c.id)
           || ARRAY(SELECT p.x || 'k' || f.field_id
                           || field_word(f.text_value, f.number_value, f.date_value, f.boolean_value)
                    FROM contact_field_values f
                    WHERE f.tenant_id = c.tenant_id AND f.mode = c.mode AND f.contact_id = c.id), NULL))
  FROM contacts c
  CROSS JOIN LATERAL (
    SELECT n.number FROM contact_spans n
    WHERE n.tenant_id = c.tenant_id AND n.mode = c.mode AND (n.starts_at, n.starts_id) <= (c.created_at, c.id)
    ORDER BY n.starts_at DESC, n.starts_id DESC LIMIT 1) s
  CROSS JOIN LATERAL (SELECT search_prefix(c.tenant_id, c.mode) AS x OFFSET 0) p;
END
$$;

CREATE TRIGGER index_added AFTER INSERT ON contacts
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION index_added_contacts();
CREATE TRIGGER index_changed AFTER UPDATE ON contacts
  REFERENCING OLD TABLE AS before NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION index_changed_contacts();
CREATE TRIGGER index_removed AFTER DELETE ON contacts
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION forget_searched_contacts();

DO $$
DECLARE
  target text;
  work text;
  word text;
BEGIN
  FOR target, word IN
    VALUES ('contact_tags', '''t'' || n.tag_id'), ('contact_lists', '''m'' || n.list_id'),
           ('contact_workspaces', '''w'' || n.workspace_id'),
           ('contact_field_values',
            '''k'' || n.field_id || field_word(n.text_value, n.number_value, n.date_value, n.boolean_value)')
  LOOP
    FOREACH work IN ARRAY ARRAY['INSERT', 'DELETE'] LOOP
      EXECUTE format(
        'CREATE TRIGGER index_%s AFTER %s ON %I REFERENCING %s TABLE AS changed FOR EACH STATEMENT'
        ' EXECUTE FUNCTION index_linked_contacts(%L)',
        lower(work), work, target, CASE work WHEN 'INSERT' THEN 'NEW' ELSE 'OLD' END, word);
    END LOOP;
  END LOOP;
  FOREACH target IN ARRAY ARRAY[
    'index_added_contacts()', 'index_changed_contacts()', 'index_linked_contacts()', 'forget_searched_contacts()',
    'extend_contact_spans(uuid, text, uuid[], timestamptz[])',
    'search_contacts(jsonb, boolean, timestamptz, uuid, timestamptz, timestamptz, integer)',
    'count_searched_contacts(jsonb, timestamptz, timestamptz)'] LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO penguinmails_search', target);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', target);
  END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION search_contacts(jsonb, boolean, timestamptz, uuid, timestamptz, timestamptz, integer),
  count_searched_contacts(jsonb, timestamptz, timestamptz) TO penguinmails_app;
-- IS NOT DISTINCT FROM above keeps the planner from walking through all of a tenant by contact_search_by_tenant.
-- A large import makes the tables large; the planner must hear of it.
GRANT MAINTAIN ON contact_search, contact_spans TO penguinmails_import;

-- States and beginnings of names are found by their words now.
DROP INDEX contacts_by_first_name, contacts_by_last_name, contacts_by_status;
