-- The schema that the migrations make, for reading. Written by `make schema`; never applied, never edited by hand.
-- Left out: the monthly partitions, which the upkeep job makes and drops, and the rows that migrations insert.
--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: import_staging; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA import_staging;

--
-- Name: close(uuid); Type: FUNCTION; Schema: import_staging; Owner: -
--

CREATE FUNCTION import_staging.close(job uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'import_staging', 'pg_temp'
    AS $$
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS import_staging.%I', 'job_' || replace(job::text, '-', ''));
  DELETE FROM import_staging.slices WHERE job_id = job;
END
$$;

--
-- Name: index(uuid); Type: FUNCTION; Schema: import_staging; Owner: -
--

CREATE FUNCTION import_staging.index(job uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'import_staging', 'pg_temp'
    AS $$
DECLARE
  name text := 'job_' || replace(job::text, '-', '');
BEGIN
  EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON import_staging.%I (line)', name || '_by_line', name);
  EXECUTE format('ANALYZE import_staging.%I (job_id, line, contact_id, email, external_id, status, fault)', name);
END
$$;

--
-- Name: open(uuid); Type: FUNCTION; Schema: import_staging; Owner: -
--

CREATE FUNCTION import_staging.open(job uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'import_staging', 'pg_temp'
    AS $$
DECLARE
  name text := 'job_' || replace(job::text, '-', '');
BEGIN
  IF to_regclass(format('import_staging.%I', name)) IS NULL THEN
    EXECUTE format('CREATE UNLOGGED TABLE import_staging.%I (LIKE import_staging.rows)', name);
    EXECUTE format('ALTER TABLE import_staging.rows ATTACH PARTITION import_staging.%I FOR VALUES IN (%L)', name, job);
  END IF;
END
$$;

--
-- Name: add_email_figures(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.add_email_figures() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM new_rows WHERE type IN ('sent', 'delivered', 'bounced', 'opened', 'clicked', 'replied',
                                                     'complained', 'unsubscribed')) THEN
    RETURN NULL;
  END IF;
  -- Two reports about one mail at once would each not see the other.
  PERFORM FROM (SELECT DISTINCT tenant_id, mode, email_id FROM new_rows ORDER BY email_id) n
  CROSS JOIN LATERAL (
    SELECT FROM emails e WHERE e.tenant_id = n.tenant_id AND e.mode = n.mode AND e.id = n.email_id
    FOR NO KEY UPDATE) locked;

  INSERT INTO email_figure_changes (
    tenant_id, mode, slice, slice_key, starts_at, email_type, step_id, variant, sent, delivered, bounced, opened,
    opened_by_any, clicked, clicked_by_any, replied, complained, unsubscribed, opens, clicks, machine_opens, machine_clicks)
  WITH touched AS MATERIALIZED (
    SELECT DISTINCT n.tenant_id, n.mode, n.email_id FROM new_rows n
    WHERE n.type IN ('sent', 'delivered', 'bounced', 'opened', 'clicked', 'replied', 'complained', 'unsubscribed')
  ), history AS MATERIALIZED (
    SELECT t.tenant_id, t.mode, t.email_id AS id, e.*, v.*, v.event_id IN (SELECT n.id FROM new_rows n) AS is_new
    FROM touched t
    CROSS JOIN LATERAL (
      SELECT e.email_type, e.campaign_id, e.step_id, e.variant,
             -- Other ways to send tell of no delivery: what was taken and did not come back has arrived.
             e.provider IN ('postmark', 'mailgun') AS tells_of_delivery,
             (SELECT c.workspace_id FROM campaigns c
              WHERE c.tenant_id = e.tenant_id AND c.mode = e.mode AND c.id = e.campaign_id) AS workspace_id
      FROM emails e WHERE e.tenant_id = t.tenant_id AND e.mode = t.mode AND e.id = t.email_id
      OFFSET 0) e
    CROSS JOIN LATERAL (
      SELECT v.id AS event_id, v.type, v.occurred_at AS at, v.data ? 'is_machine' AS by_machine
      FROM email_events v WHERE v.tenant_id = t.tenant_id AND v.mode = t.mode AND v.email_id = t.email_id
        AND v.type IN ('sent', 'delivered', 'bounced', 'opened', 'clicked', 'replied', 'complained', 'unsubscribed')
        AND NOT v.data ? 'will_retry'
      OFFSET 0) v
  ), milestones AS (
    SELECT h.tenant_id, h.mode, h.id, h.email_type, h.campaign_id, h.workspace_id, h.step_id, h.variant,
           h.tells_of_delivery, s.sign,
           least(min(h.at) FILTER (WHERE h.type = 'sent'), min(h.at) FILTER (WHERE h.type = 'delivered'),
                 min(h.at) FILTER (WHERE h.type = 'bounced')) AS sent,
           min(h.at) FILTER (WHERE h.type = 'delivered') AS delivered,
           min(h.at) FILTER (WHERE h.type = 'bounced') AS bounced,
           min(h.at) FILTER (WHERE h.type = 'opened' AND NOT h.by_machine) AS opened,
           min(h.at) FILTER (WHERE h.type = 'opened') AS opened_by_any,
           min(h.at) FILTER (WHERE h.type = 'clicked' AND NOT h.by_machine) AS clicked,
           min(h.at) FILTER (WHERE h.type = 'clicked') AS clicked_by_any,
           min(h.at) FILTER (WHERE h.type = 'replied') AS replied,
           min(h.at) FILTER (WHERE h.type = 'complained') AS complained,
           min(h.at) FILTER (WHERE h.type = 'unsubscribed') AS unsubscribed
    FROM history h JOIN (VALUES (-1), (1)) s (sign) ON s.sign = 1 OR NOT h.is_new
    GROUP BY h.tenant_id, h.mode, h.id, h.email_type, h.campaign_id, h.workspace_id, h.step_id, h.variant,
             h.tells_of_delivery, s.sign
  ), moves AS (
    SELECT m.tenant_id, m.mode, m.id, m.email_type, m.campaign_id, m.workspace_id, m.step_id, m.variant, m.sign,
           f.figure, f.at
    FROM milestones m CROSS JOIN LATERAL (VALUES
      ('sent', m.sent),
      ('delivered', CASE WHEN m.bounced IS NULL AND m.tells_of_delivery THEN m.delivered
                         WHEN m.bounced IS NULL THEN coalesce(m.delivered, m.sent) END),
      ('bounced', m.bounced), ('opened', m.opened), ('opened_by_any', m.opened_by_any), ('clicked', m.clicked),
      ('clicked_by_any', m.clicked_by_any), ('replied', m.replied), ('complained', m.complained),
      ('unsubscribed', m.unsubscribed)) f (figure, at)
    WHERE f.at IS NOT NULL
    UNION ALL
    SELECT h.tenant_id, h.mode, h.id, h.email_type, h.campaign_id, h.workspace_id, h.step_id, h.variant, 1,
           CASE WHEN h.by_machine THEN 'machine_' ELSE '' END || CASE h.type WHEN 'opened' THEN 'opens' ELSE 'clicks' END,
           h.at
    FROM history h WHERE h.is_new AND h.type IN ('opened', 'clicked')
  ), net AS (
    SELECT m.tenant_id, m.mode, m.id, m.email_type, m.campaign_id, m.workspace_id, m.step_id, m.variant, m.figure,
           date_bin('15 minutes', m.at, '2000-01-01 00:00Z') AS starts_at, sum(m.sign) AS n
    FROM moves m GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 HAVING sum(m.sign) <> 0
  )
  SELECT n.tenant_id, n.mode, s.slice, s.slice_key, n.starts_at, n.email_type, s.step_id, s.variant,
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'sent'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'delivered'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'bounced'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'opened'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'opened_by_any'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'clicked'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'clicked_by_any'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'replied'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'complained'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'unsubscribed'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'opens'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'clicks'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'machine_opens'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'machine_clicks'), 0)
  FROM net n
  CROSS JOIN LATERAL (
    SELECT 'all', '', '00000000-0000-0000-0000-000000000000'::uuid, ''
    UNION ALL
    SELECT 'workspace', n.workspace_id::text, '00000000-0000-0000-0000-000000000000', '' WHERE n.workspace_id IS NOT NULL
    UNION ALL
    SELECT 'campaign', n.campaign_id::text, coalesce(n.step_id, '00000000-0000-0000-0000-000000000000'),
           coalesce(n.variant, '')
    WHERE n.campaign_id IS NOT NULL
    UNION ALL
    SELECT 'tag', t.tag, '00000000-0000-0000-0000-000000000000', '' FROM email_tags t
    WHERE t.tenant_id = n.tenant_id AND t.mode = n.mode AND t.email_id = n.id
      AND n.campaign_id IS NULL
  ) s (slice, slice_key, step_id, variant)
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
  RETURN NULL;
END
$$;

--
-- Name: addresses_of(text[], text[], integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.addresses_of(phones text[], external_ids text[], most integer) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
DECLARE
  tenant uuid := current_tenant_id();
  data_set text := current_mode();
BEGIN
  RETURN QUERY
  SELECT c.email::text FROM unnest(phones) AS p (number)
  JOIN contacts c ON c.tenant_id = tenant AND c.mode = data_set AND c.phone IS NOT NULL AND lower(c.phone) = lower(p.number)
  UNION ALL
  SELECT c.email::text FROM unnest(external_ids) AS e (id)
  JOIN contacts c ON c.tenant_id = tenant AND c.mode = data_set AND c.external_id IS NOT NULL
   AND lower(c.external_id) = lower(e.id)
  LIMIT most;
END
$$;

--
-- Name: allow_across_tenants(regclass, name, text); Type: PROCEDURE; Schema: public; Owner: -
--

CREATE PROCEDURE public.allow_across_tenants(IN target regclass, IN role_name name, IN commands text)
    LANGUAGE plpgsql
    AS $$
BEGIN
  EXECUTE format('GRANT %s ON %s TO %I', commands, target, role_name);
  EXECUTE format('CREATE POLICY %I ON %s TO %I USING (true) WITH CHECK (true)', role_name || '_all', target, role_name);
END
$$;

--
-- Name: begin_webhook_sequence(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.begin_webhook_sequence() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  INSERT INTO webhook_sequences (webhook_id, tenant_id, mode) VALUES (NEW.id, NEW.tenant_id, NEW.mode);
  RETURN NULL;
END
$$;

--
-- Name: blank_erased_tenant(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.blank_erased_tenant() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  IF NOT is_to_be_erased() THEN
    RAISE EXCEPTION 'this account is not to be erased';
  END IF;
  UPDATE audit_log SET ip_address = NULL, user_agent = NULL, details = '{}' WHERE tenant_id = current_tenant_id();
  UPDATE tenants SET name = 'Closed account', settings = '{}', status_reason = NULL, closing_requested_by = NULL
  WHERE id = current_tenant_id();
END
$$;

--
-- Name: carry_status_to_tags(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.carry_status_to_tags() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
BEGIN
  UPDATE email_tags t SET status = n.status
  FROM changed n JOIN before b ON b.id = n.id
  WHERE n.status <> b.status AND t.tenant_id = n.tenant_id AND t.mode = n.mode AND t.email_id = n.id;
  RETURN NULL;
END
$$;

--
-- Name: contact_words(text, text, text, text, text, text, text, text, text, text, text, text, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.contact_words(x text, email text, first_name text, last_name text, company text, job_title text, city text, state text, country text, lead_source text, source text, status text, lead_score integer) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY[((x || 'e'::text) || email), ((x || 'f'::text) || first_name), ((x || 'l'::text) || last_name), ((x || 'c'::text) || "left"(company, 255)), ((x || 'j'::text) || "left"(job_title, 255)), ((x || 'y'::text) || city), ((x || 'a'::text) || state), ((x || 'n'::text) || country), ((x || 'd'::text) || lead_source), ((x || 'o'::text) || source), ((x || 's'::text) || status), ((x || 'b'::text) || lpad((lead_score)::text, 3, '0'::text)), ((x || 'p'::text) || "left"(email, 1)), ((x || 'p'::text) || "left"(email, 2)), ((x || 'p'::text) || "left"(email, 3)), ((x || 'p'::text) || "left"(first_name, 1)), ((x || 'p'::text) || "left"(first_name, 2)), ((x || 'p'::text) || "left"(first_name, 3)), ((x || 'p'::text) || "left"(last_name, 1)), ((x || 'p'::text) || "left"(last_name, 2)), ((x || 'p'::text) || "left"(last_name, 3)), ((x || 'q'::text) || "left"(company, 1)), ((x || 'q'::text) || "left"(company, 2)), ((x || 'q'::text) || "left"(company, 3))];

--
-- Name: count_campaign_answers(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.count_campaign_answers() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  INSERT INTO campaign_stats AS s (tenant_id, mode, campaign_id, step_id, variant, replied, unsubscribed, complained)
  SELECT e.tenant_id, e.mode, e.campaign_id, e.step_id, e.variant,
         count(*) FILTER (WHERE n.type = 'replied'), count(*) FILTER (WHERE n.type = 'unsubscribed'),
         count(*) FILTER (WHERE n.type = 'complained')
  FROM (SELECT DISTINCT tenant_id, mode, email_id, type FROM new_rows
        WHERE type IN ('replied', 'unsubscribed', 'complained')) n
  JOIN emails e ON e.tenant_id = n.tenant_id AND e.mode = n.mode AND e.id = n.email_id
  JOIN campaigns c ON c.tenant_id = e.tenant_id AND c.mode = e.mode AND c.id = e.campaign_id
  WHERE e.step_id IS NOT NULL
    AND (SELECT count(*) FROM email_events p
         WHERE p.tenant_id = n.tenant_id AND p.mode = n.mode AND p.email_id = n.email_id AND p.type = n.type) = 1
  GROUP BY e.tenant_id, e.mode, e.campaign_id, e.step_id, e.variant
  ORDER BY e.campaign_id, e.step_id, e.variant
  ON CONFLICT (tenant_id, mode, campaign_id, step_id, variant) DO UPDATE
  SET replied = s.replied + excluded.replied, unsubscribed = s.unsubscribed + excluded.unsubscribed,
      complained = s.complained + excluded.complained;
  RETURN NULL;
END
$$;

--
-- Name: FUNCTION count_campaign_answers(); Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON FUNCTION public.count_campaign_answers() IS 'counts mails that were answered, not answers: only the first of its kind';

--
-- Name: count_campaign_mails(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.count_campaign_mails() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  INSERT INTO campaign_stats AS s (tenant_id, mode, campaign_id, step_id, variant, sent, delivered, opened, clicked,
                                   bounced, failed)
  SELECT d.tenant_id, d.mode, d.campaign_id, d.step_id, d.variant, d.sent, d.delivered, d.opened, d.clicked, d.bounced,
         d.failed
  FROM (
    SELECT a.tenant_id, a.mode, a.campaign_id, a.step_id, a.variant,
           sum((a.sent_at IS NOT NULL OR a.status = 'bounced')::integer
               - (b.sent_at IS NOT NULL OR b.status = 'bounced')::integer) AS sent,
           sum(has_arrived(a.status, a.provider)::integer - has_arrived(b.status, b.provider)::integer) AS delivered,
           sum((a.opens > 0)::integer - (b.opens > 0)::integer) AS opened,
           sum((a.clicks > 0)::integer - (b.clicks > 0)::integer) AS clicked,
           sum((a.status = 'bounced')::integer - (b.status = 'bounced')::integer) AS bounced,
           sum((a.status = 'failed')::integer - (b.status = 'failed')::integer) AS failed
    FROM after_rows a JOIN before_rows b ON b.id = a.id
    WHERE a.step_id IS NOT NULL
      AND (a.sent_at, a.status, a.opens > 0, a.clicks > 0) IS DISTINCT FROM (b.sent_at, b.status, b.opens > 0, b.clicks > 0)
    GROUP BY a.tenant_id, a.mode, a.campaign_id, a.step_id, a.variant
  ) d
  JOIN campaigns c ON c.tenant_id = d.tenant_id AND c.mode = d.mode AND c.id = d.campaign_id
  WHERE (d.sent, d.delivered, d.opened, d.clicked, d.bounced, d.failed) <> (0, 0, 0, 0, 0, 0)
  ORDER BY d.campaign_id, d.step_id, d.variant
  ON CONFLICT (tenant_id, mode, campaign_id, step_id, variant) DO UPDATE
  SET sent = s.sent + excluded.sent, delivered = s.delivered + excluded.delivered, opened = s.opened + excluded.opened,
      clicked = s.clicked + excluded.clicked, bounced = s.bounced + excluded.bounced, failed = s.failed + excluded.failed;
  RETURN NULL;
END
$$;

--
-- Name: count_contacts(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.count_contacts() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO contact_counts AS c (tenant_id, mode, contacts)
    SELECT tenant_id, mode, count(*) FROM changed GROUP BY tenant_id, mode
    ON CONFLICT (tenant_id, mode) DO UPDATE SET contacts = c.contacts + excluded.contacts;
  ELSE
    UPDATE contact_counts c SET contacts = c.contacts - gone.contacts
    FROM (SELECT tenant_id, mode, count(*) AS contacts FROM changed GROUP BY tenant_id, mode) gone
    WHERE c.tenant_id = gone.tenant_id AND c.mode = gone.mode;
  END IF;
  RETURN NULL;
END
$$;

--
-- Name: count_failing_webhooks(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.count_failing_webhooks() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT count(*) FROM webhooks WHERE is_failing AND is_active
$$;

--
-- Name: count_listed(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.count_listed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  UPDATE lists l SET contact_count = l.contact_count + CASE TG_OP WHEN 'INSERT' THEN n.links ELSE -n.links END
  FROM (SELECT tenant_id, mode, list_id, count(*) AS links FROM changed GROUP BY tenant_id, mode, list_id) n
  WHERE l.tenant_id = n.tenant_id AND l.mode = n.mode AND l.id = n.list_id;
  RETURN NULL;
END
$$;

--
-- Name: count_new_webhook_deliveries(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.count_new_webhook_deliveries() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  INSERT INTO webhook_figure_changes (tenant_id, mode, webhook_id, starts_at, is_replay, pending, held, success, failed, dropped,
                                      first_sequence, last_sequence)
  SELECT tenant_id, mode, webhook_id, quarter_of(CASE WHEN replay_id IS NULL THEN event_created_at ELSE created_at END) AS quarter,
         replay_id IS NOT NULL AS is_replay,
         count(*) FILTER (WHERE status IN ('queued', 'sending', 'pending_retry')),
         count(*) FILTER (WHERE status = 'held'), count(*) FILTER (WHERE status = 'success'),
         count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'dropped'),
         min(sequence), max(sequence)
  FROM after_rows WHERE NOT is_test
  GROUP BY tenant_id, mode, webhook_id, quarter, 5;
  RETURN NULL;
END
$$;

--
-- Name: count_searched_contacts(jsonb, timestamp with time zone, timestamp with time zone, bigint, interval); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.count_searched_contacts(clauses jsonb, from_at timestamp with time zone, before_at timestamp with time zone, most bigint DEFAULT NULL::bigint, budget interval DEFAULT NULL::interval) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $_$
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
$_$;

--
-- Name: count_webhook_deliveries(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.count_webhook_deliveries() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  INSERT INTO webhook_figure_changes (tenant_id, mode, webhook_id, starts_at, is_replay, pending, held, success, failed, dropped)
  SELECT * FROM (
    SELECT tenant_id, mode, webhook_id, quarter_of(CASE WHEN replay_id IS NULL THEN event_created_at ELSE created_at END) AS quarter,
           replay_id IS NOT NULL AS is_replay,
           coalesce(sum(change) FILTER (WHERE status IN ('queued', 'sending', 'pending_retry')), 0) AS pending,
           coalesce(sum(change) FILTER (WHERE status = 'held'), 0) AS held,
           coalesce(sum(change) FILTER (WHERE status = 'success'), 0) AS success,
           coalesce(sum(change) FILTER (WHERE status = 'failed'), 0) AS failed,
           coalesce(sum(change) FILTER (WHERE status = 'dropped'), 0) AS dropped
    FROM (
      SELECT tenant_id, mode, webhook_id, event_created_at, created_at, replay_id, status, is_test, 1 AS change FROM after_rows
      UNION ALL
      SELECT tenant_id, mode, webhook_id, event_created_at, created_at, replay_id, status, is_test, -1 FROM before_rows
    ) moved
    WHERE NOT is_test
    GROUP BY tenant_id, mode, webhook_id, quarter, 5
  ) net
  WHERE (pending, held, success, failed, dropped) <> (0, 0, 0, 0, 0);
  RETURN NULL;
END
$$;

--
-- Name: count_webhooks(timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.count_webhooks(before timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT count(*) FROM webhooks WHERE created_at < before AND (deleted_at IS NULL OR deleted_at >= before)
$$;

--
-- Name: count_word(integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.count_word(number integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (number > 0) THEN (SELECT lpad(to_hex(CASE WHEN (p.power < 3) THEN count_word.number ELSE ((8 * p.power) + ((count_word.number >> (p.power - 3)) & 7)) END), 2, '0'::text) AS lpad FROM (SELECT (length(ltrim(((count_word.number)::bit(32))::text, '0'::text)) - 1) AS power) p) ELSE NULL::text END;

--
-- Name: create_monthly_partition(regclass, date); Type: PROCEDURE; Schema: public; Owner: -
--

CREATE PROCEDURE public.create_monthly_partition(IN parent regclass, IN month date)
    LANGUAGE plpgsql
    AS $_$
DECLARE
  first_day date := date_trunc('month', month)::date;
  partition name := format('%s_%s', parent, to_char(month, 'YYYYMM'));
  of_column record;
BEGIN
  IF to_regclass(partition::text) IS NOT NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE TABLE %I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                 partition, parent, first_day, (first_day + interval '1 month')::date);
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', partition);
  FOR of_column IN SELECT attname FROM pg_attribute WHERE attrelid = parent AND attnum > 0 AND attstattarget = 1 LOOP
    EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET STATISTICS 1, ALTER COLUMN %2$I SET (n_distinct = 1)',
                   partition, of_column.attname);
  END LOOP;
END
$_$;

--
-- Name: current_mode(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.current_mode() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.current_mode'::text, true), ''::text);

--
-- Name: current_tenant_id(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.current_tenant_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid;

--
-- Name: day_word(timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.day_word(moment timestamp with time zone) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (moment IS NOT NULL) THEN lpad(to_hex((LEAST(GREATEST(floor((EXTRACT(epoch FROM moment) / (86400)::numeric)), (0)::numeric), (65535)::numeric))::integer), 4, '0'::text) ELSE NULL::text END;

--
-- Name: deleted_workspaces(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.deleted_workspaces() RETURNS uuid[]
    LANGUAGE sql STABLE
    SET enable_seqscan TO 'off'
    AS $$
  SELECT ARRAY(SELECT id FROM pending_removals WHERE tenant_id = current_tenant_id() AND kind = 'workspace')
$$;

--
-- Name: delivery_rank(text, uuid, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.delivery_rank(status text, replay_id uuid, attempts integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  SELECT CASE WHEN status = 'success' THEN 1
              WHEN status NOT IN ('failed', 'dropped') THEN 2
              WHEN replay_id IS NULL OR attempts > 0 THEN 3
              ELSE 4 END
$$;

--
-- Name: FUNCTION delivery_rank(status text, replay_id uuid, attempts integer); Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON FUNCTION public.delivery_rank(status text, replay_id uuid, attempts integer) IS 'of one event''s deliveries to a webhook, which comes first and says what became of it, the newest of a rank: what arrived, what still may, what was given up; last what a replay was to send and was given up before any post';

--
-- Name: engagement_words(text, integer, integer, timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.engagement_words(x text, opens integer, clicks integer, opened_at timestamp with time zone) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_remove(ARRAY[((x || 'g'::text) || public.count_word(opens)), ((x || 'h'::text) || public.count_word(clicks)), ((x || 'r'::text) || public.day_word(opened_at))], NULL::text);

--
-- Name: erase_events_about(uuid[]); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.erase_events_about(subjects uuid[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  erased bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(erasure_lock(current_tenant_id(), current_mode()));
  WITH changed AS (
    UPDATE events e
    SET erased_at = clock_timestamp(),
        data = (
      SELECT jsonb_object_agg(key, CASE
        WHEN key = 'contact' AND jsonb_typeof(value) = 'object'
          THEN jsonb_build_object('id', value -> 'id', 'email', NULL, 'first_name', NULL, 'last_name', NULL)
        WHEN key IN ('to', 'subject', 'url', 'user_agent', 'ip_address', 'location', 'bounce_reason', 'smtp_response')
          THEN 'null'::jsonb
        ELSE value END)
      FROM jsonb_each(e.data))
    WHERE e.tenant_id = current_tenant_id() AND e.mode = current_mode() AND e.subject_id = ANY(subjects)
    RETURNING e.id, e.created_at
  ), posted AS (
    SELECT a.delivery_id, a.event_created_at, a.attempt_number, a.batch_id
    FROM changed c
    JOIN webhooks w ON w.tenant_id = current_tenant_id() AND w.mode = current_mode()
    JOIN webhook_deliveries d
      ON d.tenant_id = w.tenant_id AND d.mode = w.mode AND d.webhook_id = w.id AND d.event_id = c.id
     AND (d.event_created_at = c.created_at OR d.is_test)
    JOIN webhook_attempts a
      ON a.tenant_id = d.tenant_id AND a.mode = d.mode AND a.delivery_id = d.id AND a.event_created_at = d.event_created_at
  ), answered AS (
    SELECT delivery_id, event_created_at, attempt_number FROM posted
    UNION
    SELECT a.delivery_id, a.event_created_at, a.attempt_number
    FROM (SELECT DISTINCT batch_id FROM posted WHERE batch_id IS NOT NULL) p
    JOIN webhook_attempts a ON a.tenant_id = current_tenant_id() AND a.mode = current_mode() AND a.batch_id = p.batch_id
  ), answers AS (
    UPDATE webhook_attempts a
    SET response_body = NULL, response_headers = NULL, error_message = NULL
    FROM answered p
    WHERE a.tenant_id = current_tenant_id() AND a.mode = current_mode() AND a.delivery_id = p.delivery_id
      AND a.attempt_number = p.attempt_number AND a.event_created_at = p.event_created_at
    RETURNING 1
  )
  SELECT count(*) INTO erased FROM changed;
  RETURN erased;
END
$$;

--
-- Name: erase_rows_of_tenant(text, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.erase_rows_of_tenant(target text, batch integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $_$
DECLARE
  keys text;
  removed bigint;
BEGIN
  IF NOT is_to_be_erased() THEN
    RAISE EXCEPTION 'this account is not to be erased';
  END IF;
  SELECT string_agg(format('%I', a.attname), ', ' ORDER BY k.place) INTO keys
  FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (number, place)
  JOIN pg_attribute a ON a.attnum = k.number
  WHERE i.indrelid = target::regclass AND i.indisprimary AND a.attrelid = i.indrelid;
  EXECUTE format(
    'DELETE FROM %1$s WHERE (%2$s) IN (SELECT %2$s FROM %1$s WHERE tenant_id = current_tenant_id() LIMIT $1)',
    target::regclass, keys) USING batch;
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END
$_$;

--
-- Name: erase_texts_of(uuid[]); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.erase_texts_of(emails_ uuid[]) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  WITH histories AS (
    UPDATE email_events h SET data = '{}'
    WHERE h.tenant_id = current_tenant_id() AND h.mode = current_mode() AND h.email_id = ANY(emails_)
    RETURNING 1
  ), texts AS (
    DELETE FROM content_objects c USING emails e
    WHERE e.tenant_id = current_tenant_id() AND e.mode = current_mode() AND e.id = ANY(emails_) AND e.step_id IS NULL
      AND c.tenant_id = current_tenant_id() AND c.mode = current_mode() AND c.storage_key = e.content_key
      AND NOT EXISTS (
        SELECT FROM emails o
        WHERE o.tenant_id = current_tenant_id() AND o.mode = current_mode() AND o.created_at = e.created_at
          AND o.content_key = e.content_key AND o.to_email NOT IN (e.to_email, 'erased@erased.invalid'))
    RETURNING c.storage_key
  ), files AS (
    UPDATE email_uploads u SET expires_at = least(u.expires_at, now()), look_at = least(u.look_at, now())
    WHERE u.tenant_id = current_tenant_id() AND u.mode = current_mode()
      AND u.id IN (SELECT a.upload_id FROM email_attachments a JOIN texts t ON a.content_key = t.storage_key
                   WHERE a.tenant_id = current_tenant_id() AND a.mode = current_mode() AND a.upload_id IS NOT NULL)
      AND NOT EXISTS (
        SELECT FROM email_attachments o
        WHERE o.tenant_id = current_tenant_id() AND o.mode = current_mode() AND o.upload_id = u.id
          AND o.content_key NOT IN (SELECT storage_key FROM texts))
    RETURNING 1
  )
  SELECT count(*) FROM texts
$$;

--
-- Name: erasure_lock(uuid, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.erasure_lock(tenant_id uuid, mode text) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  SELECT hashtextextended('erasure ' || tenant_id || ' ' || mode, 0)
$$;

--
-- Name: FUNCTION erasure_lock(tenant_id uuid, mode text); Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON FUNCTION public.erasure_lock(tenant_id uuid, mode text) IS 'advisory: shared by who stores answers, held alone by who erases them, both to the end of their transaction';

--
-- Name: extend_contact_spans(uuid, text, uuid[], timestamp with time zone[]); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.extend_contact_spans(tenant uuid, data_set text, ids uuid[], moments timestamp with time zone[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
  newest contact_spans;
  last_at timestamptz;
  last_id uuid;
  added integer;
BEGIN
  INSERT INTO contact_spans VALUES (tenant, data_set, 0, '-infinity', '00000000-0000-0000-0000-000000000000', 0)
  ON CONFLICT DO NOTHING;
  SELECT * INTO newest FROM contact_spans s WHERE s.tenant_id = tenant AND s.mode = data_set
  ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1 FOR UPDATE;
  -- Whoever had it locked may have begun further spans.
  SELECT * INTO newest FROM contact_spans s WHERE s.tenant_id = tenant AND s.mode = data_set
  ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1 FOR UPDATE;
  SELECT n.created_at, n.id INTO last_at, last_id FROM unnest(ids, moments) AS n (id, created_at)
  WHERE (n.created_at, n.id) > (newest.latest_at, newest.latest_id)
  ORDER BY n.created_at DESC, n.id DESC LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  WITH placed AS (
    SELECT n.id, n.created_at, newest.contacts + row_number() OVER (ORDER BY n.created_at, n.id) - 1 AS place
    FROM unnest(ids, moments) AS n (id, created_at)
    WHERE (n.created_at, n.id) > (newest.latest_at, newest.latest_id)
  ), begun AS (
    INSERT INTO contact_spans
    SELECT tenant, data_set, newest.number + place / 64, created_at, id, (SELECT max(place) FROM placed) % 64 + 1,
           last_at, last_id
    FROM placed WHERE place > 0 AND place % 64 = 0
  )
  SELECT count(*) INTO added FROM placed;
  IF newest.contacts + added <= 64 THEN
    UPDATE contact_spans s SET contacts = newest.contacts + added, latest_at = last_at, latest_id = last_id
    WHERE s.tenant_id = tenant AND s.mode = data_set AND s.starts_at = newest.starts_at AND s.starts_id = newest.starts_id;
  END IF;
END
$$;

--
-- Name: search_number(numeric); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.search_number(value numeric) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT lpad(to_hex(CASE WHEN (v.bits >= 0) THEN (v.bits # ('-9223372036854775807'::bigint - 1)) ELSE (~ v.bits) END), 16, '0'::text) AS lpad FROM (SELECT ((('x'::text || encode(float8send(((search_number.value)::double precision + (0.0)::double precision)), 'hex'::text)))::bit(64))::bigint AS bits) v);

--
-- Name: field_word(text, numeric, timestamp with time zone, boolean); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.field_word(of_text text, of_number numeric, of_date timestamp with time zone, of_boolean boolean) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE("left"(of_text, 255), public.search_number(of_number), public.search_number(EXTRACT(epoch FROM of_date)), (of_boolean)::text);

--
-- Name: find_api_key(bytea); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.find_api_key(digest bytea) RETURNS TABLE(id uuid, tenant_id uuid, name text, mode text, lookup_digest bytea, vault_version integer, generation bigint, permissions text[], status text, allowed_cidrs text[], monthly_quota integer, expires_at timestamp with time zone, created_by uuid, tenant_status text, subscription_status text, plan text, api_access boolean, rate_limit integer, burst_limit integer, month_requests bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT k.id, k.tenant_id, k.name, k.mode, k.lookup_digest, k.vault_version, k.generation,
         k.permissions, k.status, k.allowed_cidrs::text[], k.monthly_quota, k.expires_at,
         k.created_by, t.status, l.subscription_status, l.plan_slug, l.api_access,
         l.api_rate_limit, l.api_burst_limit,
         CASE WHEN k.monthly_quota IS NULL THEN 0 ELSE coalesce((
           SELECT sum(u.requests) FROM api_key_usage_daily u
           WHERE u.tenant_id = k.tenant_id AND u.api_key_id = k.id
             AND u.day >= date_trunc('month', now() AT TIME ZONE 'UTC')::date), 0) END
  FROM api_keys k
  JOIN tenants t ON t.id = k.tenant_id
  JOIN tenant_limits l ON l.tenant_id = k.tenant_id
  WHERE k.lookup_digest = digest
$$;

--
-- Name: find_invitation(bytea); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.find_invitation(hash bytea) RETURNS TABLE(id uuid, tenant_id uuid, email text, role text, expires_at timestamp with time zone, accepted_at timestamp with time zone, revoked_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT i.id, i.tenant_id, i.email, i.role, i.expires_at, i.accepted_at, i.revoked_at
  FROM invitations i WHERE i.token_hash = hash
$$;

--
-- Name: find_link_token(bytea); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.find_link_token(hash bytea) RETURNS TABLE(id uuid, tenant_id uuid, user_id uuid, purpose text, expires_at timestamp with time zone, used_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT l.id, l.tenant_id, l.user_id, l.purpose, l.expires_at, l.used_at FROM link_tokens l WHERE l.token_hash = hash
$$;

--
-- Name: find_login(text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.find_login(login_email text) RETURNS TABLE(user_id uuid, tenant_id uuid, password_hash text, locked_until timestamp with time zone, email_verified_at timestamp with time zone, tenant_status text, has_second_factor boolean, is_former_staff boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT u.id, u.tenant_id, c.password_hash, c.locked_until, u.email_verified_at, t.status,
         c.totp_confirmed_at IS NOT NULL,
         u.tenant_id = '00000000-0000-4000-8000-000000000001' AND m.is_active IS NOT TRUE
  FROM users u
  JOIN user_credentials c ON c.tenant_id = u.tenant_id AND c.user_id = u.id
  JOIN tenants t ON t.id = u.tenant_id
  LEFT JOIN staff_members m ON m.tenant_id = u.tenant_id AND m.user_id = u.id
  WHERE u.email = login_email AND u.deleted_at IS NULL
$$;

--
-- Name: find_provider_endpoint(bytea); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.find_provider_endpoint(hash bytea) RETURNS TABLE(tenant_id uuid, provider text, secret_ref text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT a.tenant_id, a.provider, a.secret_ref
  FROM provider_accounts a JOIN tenants t ON t.id = a.tenant_id
  WHERE a.endpoint_hash = hash AND t.status <> 'canceled'
$$;

--
-- Name: find_refresh(bytea); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.find_refresh(hash bytea) RETURNS TABLE(session_id uuid, tenant_id uuid, is_current boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT s.id, s.tenant_id, s.refresh_hash = hash FROM sessions s
  WHERE s.refresh_hash = hash OR s.previous_refresh_hash = hash
$$;

--
-- Name: find_session(uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.find_session(session uuid) RETURNS TABLE(id uuid, user_id uuid, tenant_id uuid, email text, role text, csrf_hash bytea, created_at timestamp with time zone, ended_at timestamp with time zone, expires_at timestamp with time zone, last_used_at timestamp with time zone, tenant_status text, subscription_status text, plan text, staff_role text, staff_grants text[], staff_is_active boolean, staff_factor_since timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT s.id, u.id, s.tenant_id, u.email, u.role, s.csrf_hash, s.created_at, s.ended_at, s.expires_at, s.last_used_at,
         t.status, b.status, b.plan_slug, m.role, m.grants, m.is_active, c.totp_confirmed_at
  FROM sessions s
  JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id AND u.deleted_at IS NULL
  JOIN tenants t ON t.id = s.tenant_id
  JOIN subscriptions b ON b.tenant_id = s.tenant_id
  LEFT JOIN staff_members m ON m.tenant_id = s.tenant_id AND m.user_id = s.user_id
  LEFT JOIN user_credentials c ON c.tenant_id = m.tenant_id AND c.user_id = m.user_id
  WHERE s.id = session
$$;

--
-- Name: find_tenant_of_domain(text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.find_tenant_of_domain(asked text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT d.tenant_id FROM domains d JOIN tenants t ON t.id = d.tenant_id
  WHERE d.domain = lower(asked) AND d.mode = 'live' AND d.verification_status = 'verified' AND t.status <> 'canceled'
$$;

--
-- Name: FUNCTION find_tenant_of_domain(asked text); Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON FUNCTION public.find_tenant_of_domain(asked text) IS 'a domain is verified for one account alone';

--
-- Name: find_tenant_of_email(uuid); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.find_tenant_of_email(email_id uuid) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT e.tenant_id FROM emails e JOIN tenants t ON t.id = e.tenant_id
  WHERE e.id = email_id AND e.mode = 'live' AND t.status <> 'canceled'
$$;

--
-- Name: FUNCTION find_tenant_of_email(email_id uuid); Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON FUNCTION public.find_tenant_of_email(email_id uuid) IS 'for ids that come with a signature of ours';

--
-- Name: forget_imported_values(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.forget_imported_values() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  DELETE FROM import_events e USING changed c
  WHERE e.tenant_id = c.tenant_id AND e.mode = c.mode AND e.contact_id = c.id AND e.type = 'updated';
  RETURN NULL;
END
$$;

--
-- Name: forget_searched_contacts(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.forget_searched_contacts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
BEGIN
  DELETE FROM contact_search s USING changed c WHERE s.contact_id = c.id;
  RETURN NULL;
END
$$;

--
-- Name: has_arrived(text, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.has_arrived(status text, provider text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  SELECT coalesce(status = 'delivered' OR (status = 'sent' AND provider NOT IN ('postmark', 'mailgun')), false)
$$;

--
-- Name: FUNCTION has_arrived(status text, provider text); Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON FUNCTION public.has_arrived(status text, provider text) IS 'whether a mail counts as delivered: providers that report deliveries are waited for';

--
-- Name: index_added_contacts(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.index_added_contacts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET gin_pending_list_limit TO '64kB'
    AS $$
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

--
-- Name: index_changed_contacts(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.index_changed_contacts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_nestloop TO 'off'
    SET gin_pending_list_limit TO '64kB'
    AS $$
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

--
-- Name: index_engaged_contacts(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.index_engaged_contacts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET enable_seqscan TO 'off'
    AS $$
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

--
-- Name: index_linked_contacts(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.index_linked_contacts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET gin_pending_list_limit TO '64kB'
    AS $$
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

--
-- Name: is_to_be_erased(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.is_to_be_erased() RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT EXISTS (SELECT FROM tenants WHERE id = current_tenant_id() AND status = 'canceled' AND closes_at <= now())
$$;

--
-- Name: keep_no_answer_about_the_erased(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.keep_no_answer_about_the_erased() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(erasure_lock(t.tenant_id, t.mode))
  FROM (SELECT DISTINCT tenant_id, mode FROM after_rows ORDER BY tenant_id, mode) t;
  IF NOT EXISTS (
    SELECT FROM (SELECT DISTINCT tenant_id, mode FROM after_rows) t
    JOIN events e ON e.tenant_id = t.tenant_id AND e.mode = t.mode AND e.erased_at > clock_timestamp() - interval '1 hour')
  THEN
    RETURN NULL;
  END IF;
  WITH about AS (
    SELECT n.delivery_id, n.batch_id
    FROM after_rows n
    JOIN webhook_deliveries d
      ON d.tenant_id = n.tenant_id AND d.mode = n.mode AND d.id = n.delivery_id AND d.event_created_at = n.event_created_at
    JOIN events e ON e.tenant_id = d.tenant_id AND e.mode = d.mode AND e.id = d.event_id
     AND (e.created_at = d.event_created_at OR d.is_test)
    WHERE e.erased_at > clock_timestamp() - interval '1 hour'
  )
  UPDATE webhook_attempts a
  SET response_body = NULL, response_headers = NULL, error_message = NULL
  FROM after_rows n
  WHERE a.tenant_id = n.tenant_id AND a.mode = n.mode AND a.delivery_id = n.delivery_id
    AND a.attempt_number = n.attempt_number AND a.event_created_at = n.event_created_at
    AND (n.delivery_id IN (SELECT delivery_id FROM about)
         OR n.batch_id IN (SELECT batch_id FROM about WHERE batch_id IS NOT NULL));
  RETURN NULL;
END
$$;

--
-- Name: linked_between(jsonb, boolean, timestamp with time zone, timestamp with time zone, timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.linked_between(clauses jsonb, newest_first boolean, after_at timestamp with time zone, INOUT from_at timestamp with time zone, INOUT before_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
  letter text;
  link uuid;
  oldest timestamptz;
  newest timestamptz;
  -- Between these are the contacts of the rest of the list.
  since timestamptz := CASE WHEN newest_first THEN '-infinity' ELSE coalesce(after_at, '-infinity') END;
  until timestamptz := CASE WHEN newest_first THEN coalesce(after_at, 'infinity') ELSE 'infinity' END;
BEGIN
  FOR letter, link IN
    SELECT c -> 'any' -> 0 ->> 0, (c -> 'any' -> 0 ->> 1)::uuid FROM jsonb_array_elements(clauses) AS c
    WHERE c @> '{"not": false}' AND jsonb_array_length(c -> 'any') = 1
      AND c -> 'any' -> 0 ->> 0 IN ('t', 'm', 'w') AND c -> 'any' -> 0 ->> 1 <> '-'
  LOOP
    CASE letter
      WHEN 't' THEN
        SELECT min(l.contact_created_at), max(l.contact_created_at) INTO oldest, newest FROM contact_tags l
        WHERE l.tag_id = link AND l.contact_created_at BETWEEN since AND until;
      WHEN 'm' THEN
        SELECT min(l.contact_created_at), max(l.contact_created_at) INTO oldest, newest FROM contact_lists l
        WHERE l.list_id = link AND l.contact_created_at BETWEEN since AND until;
      ELSE
        SELECT min(l.contact_created_at), max(l.contact_created_at) INTO oldest, newest FROM contact_workspaces l
        WHERE l.workspace_id = link AND l.contact_created_at BETWEEN since AND until;
    END CASE;
    -- Nobody is left that has the link.
    from_at := greatest(from_at, coalesce(oldest, 'infinity'));
    before_at := least(before_at, coalesce(newest + interval '1 microsecond', '-infinity'));
  END LOOP;
END
$$;

--
-- Name: live_webhooks(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.live_webhooks() RETURNS TABLE(tenant_id uuid, webhook_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT w.tenant_id, w.id FROM webhooks w WHERE w.mode = 'live'
$$;

--
-- Name: maintain_partitions(date); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.maintain_partitions(reference date DEFAULT CURRENT_DATE) RETURNS TABLE(action text, partition_name text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $_$
DECLARE
  config partitioned_tables;
  month timestamp;
  child record;
BEGIN
  FOR config IN SELECT * FROM partitioned_tables LOOP
    FOR month IN
      SELECT generate_series(date_trunc('month', reference::timestamp - make_interval(days => config.days_kept)),
                             date_trunc('month', reference::timestamp) + make_interval(months => config.months_ahead),
                             interval '1 month')
    LOOP
      CALL create_monthly_partition(config.table_name::regclass, month::date);
    END LOOP;
    FOR child IN
      SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = config.table_name::regclass AND c.relname ~ '_[0-9]{6}$'
        AND to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month' <= reference - make_interval(days => config.days_kept)
    LOOP
      EXECUTE format('DROP TABLE %I', child.relname);
      action := 'dropped'; partition_name := child.relname;
      RETURN NEXT;
    END LOOP;
  END LOOP;
END
$_$;

--
-- Name: merge_search_words(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.merge_search_words() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  PERFORM gin_clean_pending_list('contact_search_by_words');
END
$$;

--
-- Name: FUNCTION merge_search_words(); Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON FUNCTION public.merge_search_words() IS 'as the owner of the index, who alone may';

--
-- Name: note_contact_status(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.note_contact_status() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  NEW.status_since := clock_timestamp();
  NEW.fields_erased_at := NULL;
  RETURN NEW;
END
$$;

--
-- Name: oldest_secrets(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.oldest_secrets() RETURNS TABLE(kind text, since timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT 'api_key', min(coalesce(regenerated_at, created_at)) FROM api_keys
  WHERE status = 'active' AND (expires_at IS NULL OR expires_at > clock_timestamp())
  UNION ALL
  SELECT 'webhook', min(coalesce(secret_changed_at, created_at)) FROM webhooks WHERE deleted_at IS NULL
  UNION ALL
  SELECT 'dkim', min(coalesce(dkim_rotated_at, created_at)) FROM domains
  UNION ALL
  SELECT 'provider_account', min(coalesce(secret_changed_at, created_at)) FROM provider_accounts
  UNION ALL
  SELECT 'mail_server', min(coalesce(secret_changed_at, created_at)) FROM mail_servers
$$;

--
-- Name: protect_tenant_table(regclass, boolean, name); Type: PROCEDURE; Schema: public; Owner: -
--

CREATE PROCEDURE public.protect_tenant_table(IN target regclass, IN has_mode boolean, IN tenant_column name DEFAULT 'tenant_id'::name)
    LANGUAGE plpgsql
    AS $$
DECLARE
  own_rows text := format('%I = nullif(current_setting(''app.current_tenant_id'', true), '''')::uuid', tenant_column);
BEGIN
  IF has_mode THEN
    own_rows := own_rows || ' AND mode = current_setting(''app.current_mode'', true)';
  END IF;
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY tenant_isolation ON %s TO penguinmails_app USING (%s) WITH CHECK (%s)',
                 target, own_rows, own_rows);
  EXECUTE format('GRANT SELECT, DELETE ON %s TO penguinmails_closing', target);
END
$$;

--
-- Name: quarter_of(timestamp with time zone); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.quarter_of(moment timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  SELECT date_bin('15 minutes', moment, '2000-01-01 00:00:00+00')
$$;

--
-- Name: refresh_webhook_statistics(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.refresh_webhook_statistics() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  child regclass;
  refreshed integer := 0;
BEGIN
  -- One at a time; whoever comes second has nothing to wait for.
  IF NOT pg_try_advisory_xact_lock(hashtextextended('refresh_webhook_statistics', 0)) THEN
    RETURN 0;
  END IF;
  FOR child IN
    SELECT c.oid::regclass FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent IN ('events'::regclass, 'webhook_deliveries'::regclass, 'webhook_attempts'::regclass)
      AND c.reltuples < 100000
      -- By size, as the counters of changes come seconds late.
      AND pg_relation_size(c.oid) > current_setting('block_size')::integer * greatest(2 * c.relpages, 16)
  LOOP
    EXECUTE format('ANALYZE %s', child);
    refreshed := refreshed + 1;
  END LOOP;
  RETURN refreshed;
END
$$;

--
-- Name: require_referenced(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.require_referenced() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
  missing uuid;
BEGIN
  -- As the key's own look-up did: whoever deletes it waits for us, and we for whoever is about to.
  EXECUTE format(
    'SELECT n.id FROM (SELECT DISTINCT tenant_id, %I AS id FROM changed) n'
    ' LEFT JOIN LATERAL (SELECT p.id FROM %I p WHERE p.tenant_id = n.tenant_id AND p.id = n.id FOR KEY SHARE) p ON true'
    ' WHERE p.id IS NULL LIMIT 1', TG_ARGV[1], TG_ARGV[0]) INTO missing;
  IF missing IS NOT NULL THEN
    RAISE foreign_key_violation USING MESSAGE = format('there is no %s in %s', missing, TG_ARGV[0]),
      TABLE = TG_TABLE_NAME, COLUMN = TG_ARGV[1];
  END IF;
  RETURN NULL;
END
$$;

--
-- Name: FUNCTION require_referenced(); Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON FUNCTION public.require_referenced() IS 'of the tenant and mode of the transaction, as row security shows no others';

--
-- Name: response_time_bucket(integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.response_time_bucket(ms integer) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  SELECT CASE WHEN ms <= 0 THEN 0 ELSE 1 + ceil(ln(ms) / ln(1.1::double precision)) END::smallint
$$;

--
-- Name: FUNCTION response_time_bucket(ms integer); Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON FUNCTION public.response_time_bucket(ms integer) IS 'each bucket ends 10 % above the one before, so its middle is within 5 % of all that fell into it';

--
-- Name: response_time_of(smallint); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.response_time_of(bucket smallint) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
  SELECT CASE WHEN bucket = 0 THEN 0 WHEN bucket = 1 THEN 1 ELSE power(1.1::double precision, bucket - 1.5) END
$$;

--
-- Name: FUNCTION response_time_of(bucket smallint); Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON FUNCTION public.response_time_of(bucket smallint) IS 'ms in the middle of a bucket';

--
-- Name: rows_in_order(text, jsonb, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.rows_in_order(target text, after jsonb, batch integer) RETURNS TABLE(content jsonb, key jsonb)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'public', 'pg_temp'
    AS $_$
DECLARE
  keys text;
BEGIN
  SELECT string_agg(format('%I', a.attname), ', ' ORDER BY k.place) INTO keys
  FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (number, place)
  JOIN pg_attribute a ON a.attnum = k.number
  WHERE i.indrelid = target::regclass AND i.indisprimary AND a.attrelid = i.indrelid;
  RETURN QUERY EXECUTE format(
    'SELECT to_jsonb(t), (SELECT to_jsonb(k) FROM (SELECT %2$s) k) FROM %1$s t WHERE t.tenant_id = current_tenant_id()'
    ' AND ($1 IS NULL OR (%2$s) > (SELECT %2$s FROM jsonb_populate_record(NULL::%1$s, $1))) ORDER BY %2$s LIMIT $2',
    target::regclass, keys) USING after, batch;
END
$_$;

--
-- Name: score_contact(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.score_contact() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

--
-- Name: search_query(text, jsonb); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.search_query(x text, clauses jsonb) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT string_agg(((CASE WHEN ((clause.value ->> 'not'::text))::boolean THEN '!('::text ELSE '('::text END || (SELECT string_agg((((''''::text || replace(replace(((search_query.x || (term.value ->> 0)) || "left"(lower((term.value ->> 1)), 300)), '\'::text, '\\'::text), ''''::text, ''''''::text)) || ''''::text) || CASE WHEN ((term.value ->> 2))::boolean THEN ':*'::text ELSE ''::text END), ' | '::text) AS string_agg FROM jsonb_array_elements((clause.value -> 'any'::text)) term(value))) || ')'::text), ' & '::text) AS string_agg FROM jsonb_array_elements(search_query.clauses) clause(value));

--
-- Name: search_clauses(text, jsonb); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.search_clauses(x text, clauses jsonb) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ARRAY(SELECT public.search_query(search_clauses.x, jsonb_build_array(c.clause)) AS search_query FROM jsonb_array_elements(search_clauses.clauses) WITH ORDINALITY c(clause, place) ORDER BY c.place);

--
-- Name: search_contacts(jsonb, boolean, timestamp with time zone, uuid, timestamp with time zone, timestamp with time zone, integer, interval); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.search_contacts(clauses jsonb, newest_first boolean, after_at timestamp with time zone, after_id uuid, from_at timestamp with time zone, before_at timestamp with time zone, wanted integer, budget interval DEFAULT NULL::interval) RETURNS TABLE(contact_id uuid, created_at timestamp with time zone, is_stop boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $_$
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
$_$;

--
-- Name: search_prefix(uuid, text, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.search_prefix(tenant uuid, data_set text, segment integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN "left"(md5((((tenant)::text || data_set) || (segment)::text)), 6);

--
-- Name: search_segment(integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.search_segment(span integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (span >> 10);

--
-- Name: segments_query(uuid, text, text, integer, integer, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.segments_query(tenant uuid, data_set text, sought text, level integer, first_span integer, last_span integer) RETURNS tsquery
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ((SELECT string_agg(replace((('('::text || concat_ws(' & '::text, segments_query.sought, blocks.query)) || ')'::text), chr(1), public.search_prefix(segments_query.tenant, segments_query.data_set, segment.segment)), ' | '::text) AS string_agg FROM (generate_series(public.search_segment(segments_query.first_span), public.search_segment(segments_query.last_span)) segment(segment) CROSS JOIN LATERAL (SELECT (('('::text || string_agg(((((''''::text || chr(1)) || (segments_query.level)::text) || (place.place)::text) || ''''::text), ' | '::text)) || ')'::text) AS query FROM generate_series((GREATEST(segments_query.first_span, (segment.segment << 10)) >> (4 * segments_query.level)), (LEAST(segments_query.last_span, ((segment.segment << 10) + 1023)) >> (4 * segments_query.level))) place(place)) blocks)))::tsquery;

--
-- Name: set_updated_at(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END
$$;

--
-- Name: span_words(text, integer); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.span_words(x text, span integer) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY[((x || '0'::text) || (span)::text), ((x || '1'::text) || ((span / 16))::text), ((x || '2'::text) || ((span / 256))::text)];

--
-- Name: suppressed_among(text[], uuid, text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.suppressed_among(addresses text[], in_workspace uuid DEFAULT NULL::uuid, of_type text DEFAULT NULL::text) RETURNS TABLE(email text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT DISTINCT s.email::text FROM suppression_list s
  WHERE s.email = ANY(addresses)
    AND (s.tenant_id IS NULL OR (s.tenant_id = current_tenant_id() AND s.mode = current_mode()))
    AND (s.scope IN ('global', 'tenant') OR s.workspace_id = in_workspace OR s.campaign_type = of_type)
    AND (s.expires_at IS NULL OR s.expires_at > now())
$$;

--
-- Name: tables_of_tenants(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.tables_of_tenants() RETURNS TABLE(name text, referenced_by text[])
    LANGUAGE sql STABLE
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT c.relname::text,
         ARRAY(SELECT DISTINCT f.conrelid::regclass::text FROM pg_constraint f
               WHERE f.contype = 'f' AND f.confrelid = c.oid AND f.conrelid <> c.oid AND f.conparentid = 0)
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
  WHERE p.polname = 'tenant_isolation' AND c.relnamespace = 'public'::regnamespace
    AND c.relname NOT IN ('tenants', 'audit_log')
$$;

--
-- Name: webhooks_with_held_due(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.webhooks_with_held_due() RETURNS TABLE(id uuid, tenant_id uuid, mode text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  SELECT w.id, w.tenant_id, w.mode FROM webhooks w
  WHERE w.held_due_at < clock_timestamp() - interval '1 minute' AND w.is_active
$$;

SET default_tablespace = '';

--
-- Name: rows; Type: TABLE; Schema: import_staging; Owner: -
--

CREATE TABLE import_staging.rows (
    job_id uuid NOT NULL,
    line bigint NOT NULL,
    contact_id uuid,
    is_present boolean NOT NULL,
    event_id uuid,
    email text COLLATE pg_catalog."C",
    first_name text,
    last_name text,
    company text,
    job_title text,
    phone text,
    city text,
    state text,
    country text,
    lead_source text,
    external_id text,
    attributes jsonb,
    status text,
    tags text[],
    fault_field text,
    fault text
)
PARTITION BY LIST (job_id);

--
-- Name: COLUMN rows.contact_id; Type: COMMENT; Schema: import_staging; Owner: -
--

COMMENT ON COLUMN import_staging.rows.contact_id IS 'the contact that is to be made; the present one once it is known to be there';

SET default_table_access_method = heap;

--
-- Name: slices; Type: TABLE; Schema: import_staging; Owner: -
--

CREATE UNLOGGED TABLE import_staging.slices (
    job_id uuid NOT NULL,
    number integer NOT NULL,
    after_line bigint NOT NULL,
    upto_line bigint NOT NULL,
    is_merged boolean DEFAULT false NOT NULL
);

--
-- Name: TABLE slices; Type: COMMENT; Schema: import_staging; Owner: -
--

COMMENT ON TABLE import_staging.slices IS 'which lines of a job belong together, and whether they are contacts already';

--
-- Name: account_export_parts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.account_export_parts (
    tenant_id uuid NOT NULL,
    export_id uuid NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    file_key text NOT NULL,
    file_size bigint NOT NULL,
    row_count bigint NOT NULL
);

ALTER TABLE ONLY public.account_export_parts FORCE ROW LEVEL SECURITY;

--
-- Name: account_exports; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.account_exports (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    "position" jsonb DEFAULT '{}'::jsonb NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    row_count bigint DEFAULT 0 NOT NULL,
    error_message text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    completed_at timestamp with time zone,
    expires_at timestamp with time zone,
    CONSTRAINT account_exports_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text, 'expired'::text])))
);

ALTER TABLE ONLY public.account_exports FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN account_exports."position"; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.account_exports."position" IS 'mode, table and last row of the part that was written last';

--
-- Name: api_key_usage; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_key_usage (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    api_key_id uuid NOT NULL,
    endpoint character varying(255) NOT NULL,
    method character varying(10) NOT NULL,
    status_code integer NOT NULL,
    response_time_ms integer NOT NULL,
    ip_address inet,
    user_agent text,
    created_at timestamp with time zone NOT NULL,
    country text DEFAULT ''::text NOT NULL,
    CONSTRAINT api_key_usage_country_check CHECK ((country ~ '^([A-Z0-9]{2})?$'::text))
)
PARTITION BY RANGE (created_at);

ALTER TABLE ONLY public.api_key_usage FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN api_key_usage.country; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.api_key_usage.country IS 'ISO 3166-1 code that the content network saw, empty when it said none';

--
-- Name: api_key_usage_daily; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_key_usage_daily (
    tenant_id uuid NOT NULL,
    api_key_id uuid NOT NULL,
    day date NOT NULL,
    endpoint character varying(255) NOT NULL,
    method character varying(10) NOT NULL,
    requests bigint NOT NULL,
    errors bigint NOT NULL,
    total_ms bigint NOT NULL,
    p95_ms integer
);

ALTER TABLE ONLY public.api_key_usage_daily FORCE ROW LEVEL SECURITY;

--
-- Name: api_key_usage_sources; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_key_usage_sources (
    tenant_id uuid NOT NULL,
    api_key_id uuid NOT NULL,
    day date NOT NULL,
    network cidr NOT NULL,
    country text NOT NULL,
    requests bigint NOT NULL,
    errors bigint NOT NULL
);

ALTER TABLE ONLY public.api_key_usage_sources FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN api_key_usage_sources.network; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.api_key_usage_sources.network IS '/24 of IPv4, /48 of IPv6';

--
-- Name: api_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.api_keys (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name character varying(50) NOT NULL,
    mode text NOT NULL,
    key_prefix text NOT NULL,
    key_last4 character(4) NOT NULL,
    lookup_digest bytea NOT NULL,
    digest_version integer NOT NULL,
    vault_version integer NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    permissions text[] NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    allowed_cidrs cidr[] DEFAULT '{}'::cidr[] NOT NULL,
    monthly_quota integer,
    expires_at timestamp with time zone,
    created_by uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_used_at timestamp with time zone,
    regenerated_at timestamp with time zone,
    revoked_at timestamp with time zone,
    revoked_by uuid,
    age_reminded_at timestamp with time zone,
    expiry_reminded_at timestamp with time zone,
    alerted_at timestamp with time zone,
    recorded_at timestamp with time zone,
    is_record_removed boolean DEFAULT false NOT NULL,
    CONSTRAINT api_keys_check CHECK (((status = 'revoked'::text) = (revoked_at IS NOT NULL))),
    CONSTRAINT api_keys_key_prefix_check CHECK ((key_prefix ~ '^pm_(live|test)_[A-Za-z0-9]{3}$'::text)),
    CONSTRAINT api_keys_lookup_digest_check CHECK ((length(lookup_digest) = 32)),
    CONSTRAINT api_keys_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT api_keys_monthly_quota_check CHECK ((monthly_quota > 0)),
    CONSTRAINT api_keys_name_check CHECK (((name)::text ~ '^[A-Za-z0-9 _-]{1,50}$'::text)),
    CONSTRAINT api_keys_permissions_check CHECK ((cardinality(permissions) > 0)),
    CONSTRAINT api_keys_status_check CHECK ((status = ANY (ARRAY['active'::text, 'revoked'::text])))
);

ALTER TABLE ONLY public.api_keys FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN api_keys.alerted_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.api_keys.alerted_at IS 'when its people were last told of errors or refusals';

--
-- Name: COLUMN api_keys.recorded_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.api_keys.recorded_at IS 'when its record in Vault was last brought up to date with this row';

--
-- Name: COLUMN api_keys.is_record_removed; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.api_keys.is_record_removed IS 'an emergency ended the key: its record is to be removed from Vault';

--
-- Name: audit_log; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.audit_log (
    id uuid NOT NULL,
    tenant_id uuid,
    actor_type text NOT NULL,
    actor_id uuid,
    event text NOT NULL,
    resource_type text,
    resource_id text,
    severity text DEFAULT 'info'::text NOT NULL,
    ip_address inet,
    user_agent text,
    request_id text,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT audit_log_actor_type_check CHECK ((actor_type = ANY (ARRAY['user'::text, 'api_key'::text, 'staff'::text, 'system'::text, 'anonymous'::text]))),
    CONSTRAINT audit_log_severity_check CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text, 'critical'::text])))
);

ALTER TABLE ONLY public.audit_log FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN audit_log.tenant_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.audit_log.tenant_id IS 'null for what concerns the platform and no tenant';

--
-- Name: campaign_contacts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.campaign_contacts (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    campaign_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    status text DEFAULT 'enrolled'::text NOT NULL,
    current_step_id uuid,
    reason text,
    steps_completed integer DEFAULT 0 NOT NULL,
    enrolled_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    last_email_sent_at timestamp with time zone,
    next_email_at timestamp with time zone,
    CONSTRAINT campaign_contacts_check CHECK (((finished_at IS NOT NULL) = (status = ANY (ARRAY['completed'::text, 'exited'::text])))),
    CONSTRAINT campaign_contacts_check1 CHECK (((next_email_at IS NULL) OR (finished_at IS NULL))),
    CONSTRAINT campaign_contacts_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT campaign_contacts_status_check CHECK ((status = ANY (ARRAY['enrolled'::text, 'active'::text, 'completed'::text, 'exited'::text])))
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.campaign_contacts FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN campaign_contacts.status; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaign_contacts.status IS 'enrolled and active recipients of a paused campaign are paused; that is read from the campaign, so that pausing a million is one change';

--
-- Name: COLUMN campaign_contacts.current_step_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaign_contacts.current_step_id IS 'the step whose turn it is; null before the first';

--
-- Name: COLUMN campaign_contacts.reason; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaign_contacts.reason IS 'why the recipient waits or left, as a code that the API explains';

--
-- Name: COLUMN campaign_contacts.next_email_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaign_contacts.next_email_at IS 'when the planner takes the recipient up; null while a mail is on its way, and at the end';

--
-- Name: campaign_stats; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.campaign_stats (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    campaign_id uuid NOT NULL,
    step_id uuid NOT NULL,
    variant text NOT NULL,
    sent bigint DEFAULT 0 NOT NULL,
    delivered bigint DEFAULT 0 NOT NULL,
    opened bigint DEFAULT 0 NOT NULL,
    clicked bigint DEFAULT 0 NOT NULL,
    replied bigint DEFAULT 0 NOT NULL,
    bounced bigint DEFAULT 0 NOT NULL,
    unsubscribed bigint DEFAULT 0 NOT NULL,
    complained bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL,
    CONSTRAINT campaign_stats_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT campaign_stats_variant_check CHECK ((variant = ANY (ARRAY['a'::text, 'b'::text])))
);

ALTER TABLE ONLY public.campaign_stats FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE campaign_stats; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.campaign_stats IS 'mails of each step and version, kept by triggers; opened and clicked count mails, not repetitions';

--
-- Name: campaign_steps; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.campaign_steps (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    campaign_id uuid NOT NULL,
    step_order integer NOT NULL,
    name character varying(100),
    step_type text NOT NULL,
    subject character varying(998),
    html text,
    text_body text,
    variant jsonb,
    content_key uuid,
    variant_content_key uuid,
    test_started_at timestamp with time zone,
    winner text,
    wait_value integer,
    wait_unit text,
    condition jsonb,
    action jsonb,
    next_step_id uuid,
    false_next_step_id uuid,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT campaign_steps_check CHECK (((step_type = 'email'::text) = (subject IS NOT NULL))),
    CONSTRAINT campaign_steps_check1 CHECK (((step_type = 'wait'::text) = (wait_value IS NOT NULL))),
    CONSTRAINT campaign_steps_check2 CHECK (((step_type = 'condition'::text) = (condition IS NOT NULL))),
    CONSTRAINT campaign_steps_check3 CHECK (((step_type = 'action'::text) = (action IS NOT NULL))),
    CONSTRAINT campaign_steps_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT campaign_steps_step_order_check CHECK ((step_order >= 1)),
    CONSTRAINT campaign_steps_step_type_check CHECK ((step_type = ANY (ARRAY['email'::text, 'wait'::text, 'condition'::text, 'action'::text]))),
    CONSTRAINT campaign_steps_wait_unit_check CHECK ((wait_unit = ANY (ARRAY['minutes'::text, 'hours'::text, 'days'::text, 'weeks'::text]))),
    CONSTRAINT campaign_steps_wait_value_check CHECK ((wait_value >= 1)),
    CONSTRAINT campaign_steps_winner_check CHECK ((winner = ANY (ARRAY['a'::text, 'b'::text])))
);

ALTER TABLE ONLY public.campaign_steps FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN campaign_steps.variant; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaign_steps.variant IS 'the other version of an A/B test: subject, html, text_body; what is absent is as in the first';

--
-- Name: COLUMN campaign_steps.content_key; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaign_steps.content_key IS 'the content_objects row that mails of this step share; null until the first mail after a change';

--
-- Name: COLUMN campaign_steps.next_step_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaign_steps.next_step_id IS 'for a condition: where it holds; null ends the journey';

--
-- Name: campaigns; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.campaigns (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    workspace_id uuid NOT NULL,
    name character varying(255) NOT NULL,
    name_lower character varying(510) GENERATED ALWAYS AS (lower((name)::text)) STORED NOT NULL COLLATE pg_catalog."C",
    description character varying(2000),
    goal text,
    campaign_type text NOT NULL,
    status text DEFAULT 'draft'::text NOT NULL,
    segment_id uuid,
    list_id uuid,
    from_email character varying(254),
    from_name character varying(100),
    reply_to_email character varying(254),
    start_date timestamp with time zone,
    end_date timestamp with time zone,
    timezone text DEFAULT 'UTC'::text NOT NULL,
    send_strategy text NOT NULL,
    settings jsonb NOT NULL,
    total_contacts bigint DEFAULT 0 NOT NULL,
    audience_from_time timestamp with time zone,
    audience_from_id uuid,
    audience_taken_at timestamp with time zone,
    next_plan_at timestamp with time zone,
    created_by uuid,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    launched_at timestamp with time zone,
    completed_at timestamp with time zone,
    paused_at timestamp with time zone,
    paused_reason text,
    provider text,
    paused_detail text,
    CONSTRAINT campaigns_campaign_type_check CHECK ((campaign_type = ANY (ARRAY['broadcast'::text, 'drip'::text, 'triggered'::text, 'ab_test'::text]))),
    CONSTRAINT campaigns_check CHECK ((num_nonnulls(segment_id, list_id) <= 1)),
    CONSTRAINT campaigns_check1 CHECK ((end_date > start_date)),
    CONSTRAINT campaigns_check2 CHECK (((next_plan_at IS NOT NULL) = (status = ANY (ARRAY['scheduled'::text, 'active'::text])))),
    CONSTRAINT campaigns_goal_check CHECK ((goal = ANY (ARRAY['awareness'::text, 'lead_gen'::text, 'sales'::text]))),
    CONSTRAINT campaigns_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT campaigns_paused_reason CHECK ((paused_reason = ANY (ARRAY['user'::text, 'domain_lost'::text, 'provider_refused'::text]))),
    CONSTRAINT campaigns_provider_check CHECK ((provider = ANY (ARRAY['smtp'::text, 'postmark'::text, 'mailgun'::text]))),
    CONSTRAINT campaigns_send_strategy_check CHECK ((send_strategy = ANY (ARRAY['immediate'::text, 'scheduled'::text, 'optimized'::text]))),
    CONSTRAINT campaigns_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'scheduled'::text, 'active'::text, 'paused'::text, 'completed'::text])))
);

ALTER TABLE ONLY public.campaigns FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN campaigns.list_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaigns.list_id IS 'neither list nor segment: all contacts of the workspace';

--
-- Name: COLUMN campaigns.total_contacts; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaigns.total_contacts IS 'rows of campaign_contacts, counted as they are added';

--
-- Name: COLUMN campaigns.audience_from_time; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaigns.audience_from_time IS 'with audience_from_id: the last contact of the audience that was looked at';

--
-- Name: COLUMN campaigns.audience_taken_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaigns.audience_taken_at IS 'when the whole audience had been enrolled';

--
-- Name: COLUMN campaigns.next_plan_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaigns.next_plan_at IS 'when the planner looks at it next; null while nothing is to be planned';

--
-- Name: COLUMN campaigns.paused_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaigns.paused_at IS 'when it was stopped; null once it is started again';

--
-- Name: COLUMN campaigns.paused_reason; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaigns.paused_reason IS 'with paused_at: who or what stopped it';

--
-- Name: COLUMN campaigns.provider; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaigns.provider IS 'who sends its mails; the built-in server when null';

--
-- Name: COLUMN campaigns.paused_detail; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.campaigns.paused_detail IS 'with paused_reason provider_refused: what the provider said';

--
-- Name: contact_counts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.contact_counts (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    contacts bigint NOT NULL,
    CONSTRAINT contact_counts_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.contact_counts FORCE ROW LEVEL SECURITY;

--
-- Name: contact_field_values; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.contact_field_values (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    field_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    text_value character varying(510) COLLATE pg_catalog."C",
    number_value numeric,
    date_value timestamp with time zone,
    boolean_value boolean,
    CONSTRAINT contact_field_values_check CHECK ((num_nonnulls(text_value, number_value, date_value, boolean_value) = 1)),
    CONSTRAINT contact_field_values_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.contact_field_values FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN contact_field_values.text_value; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.contact_field_values.text_value IS 'in lower case, since texts are compared without regard to case; twice as long as the text: some letters become two';

--
-- Name: contact_fields; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.contact_fields (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    key character varying(64) NOT NULL COLLATE pg_catalog."C",
    label character varying(100),
    type text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    is_ready boolean DEFAULT true NOT NULL,
    prepared_to uuid,
    error_message text,
    CONSTRAINT contact_fields_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT contact_fields_type_check CHECK ((type = ANY (ARRAY['text'::text, 'number'::text, 'date'::text, 'boolean'::text])))
);

ALTER TABLE ONLY public.contact_fields FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE contact_fields; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.contact_fields IS 'declared keys of contacts.attributes; every value of a declared key has its type';

--
-- Name: COLUMN contact_fields.is_ready; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.contact_fields.is_ready IS 'the values of all contacts are checked and searchable; those that are written are from the declaration on';

--
-- Name: COLUMN contact_fields.prepared_to; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.contact_fields.prepared_to IS 'the last contact, by id, whose value is checked and searchable';

--
-- Name: COLUMN contact_fields.error_message; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.contact_fields.error_message IS 'the value that is not of the type; the field will not be ready';

--
-- Name: contact_lists; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.contact_lists (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    contact_id uuid NOT NULL,
    list_id uuid NOT NULL,
    contact_created_at timestamp with time zone NOT NULL,
    assigned_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT contact_lists_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.contact_lists FORCE ROW LEVEL SECURITY;

--
-- Name: contact_search; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.contact_search (
    contact_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    span integer NOT NULL,
    words tsvector NOT NULL,
    CONSTRAINT contact_search_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.contact_search FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE contact_search; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.contact_search IS 'no foreign keys, each of which would cost a look-up for each of a million imported rows; triggers keep it';

--
-- Name: COLUMN contact_search.words; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.contact_search.words IS 'each begins with what stands for tenant and mode, and a letter that says what it is about; see contact_words()';

--
-- Name: contact_spans; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.contact_spans (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    number integer NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    starts_id uuid NOT NULL,
    contacts integer NOT NULL,
    latest_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    latest_id uuid DEFAULT '00000000-0000-0000-0000-000000000000'::uuid NOT NULL,
    CONSTRAINT contact_spans_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.contact_spans FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE contact_spans; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.contact_spans IS 'where each run of 64 contacts begins, by when they were added and id';

--
-- Name: COLUMN contact_spans.contacts; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.contact_spans.contacts IS 'kept for the newest span alone: how many contacts it was given';

--
-- Name: COLUMN contact_spans.latest_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.contact_spans.latest_at IS 'kept for the newest span alone: the moment, and with latest_id the contact, that the next span begins after';

--
-- Name: contact_tags; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.contact_tags (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    contact_id uuid NOT NULL,
    tag_id uuid NOT NULL,
    contact_created_at timestamp with time zone NOT NULL,
    CONSTRAINT contact_tags_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.contact_tags FORCE ROW LEVEL SECURITY;

--
-- Name: contact_workspaces; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.contact_workspaces (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    contact_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    contact_created_at timestamp with time zone NOT NULL,
    CONSTRAINT contact_workspaces_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.contact_workspaces FORCE ROW LEVEL SECURITY;

--
-- Name: contacts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.contacts (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    email character varying(255) NOT NULL COLLATE pg_catalog."C",
    first_name character varying(100),
    last_name character varying(100),
    company character varying(255),
    job_title character varying(255),
    phone character varying(50),
    city character varying(100),
    state character varying(100),
    country character varying(100),
    lead_source character varying(100),
    external_id character varying(255),
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    lead_score integer DEFAULT 0 NOT NULL,
    total_opens integer DEFAULT 0 NOT NULL,
    total_clicks integer DEFAULT 0 NOT NULL,
    last_email_opened_at timestamp with time zone,
    last_campaign_id uuid,
    source character varying(50) NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    first_name_lower character varying(200) GENERATED ALWAYS AS (lower((first_name)::text)) STORED COLLATE pg_catalog."C",
    last_name_lower character varying(200) GENERATED ALWAYS AS (lower((last_name)::text)) STORED COLLATE pg_catalog."C",
    total_replies integer DEFAULT 0 NOT NULL,
    last_engaged_at timestamp with time zone,
    lead_score_falls_at timestamp with time zone,
    status_since timestamp with time zone DEFAULT now() NOT NULL,
    fields_erased_at timestamp with time zone,
    CONSTRAINT contacts_email_check CHECK (((email)::text = lower((email)::text))),
    CONSTRAINT contacts_lead_score_check CHECK (((lead_score >= 0) AND (lead_score <= 100))),
    CONSTRAINT contacts_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT contacts_status_check CHECK ((status = ANY (ARRAY['active'::text, 'unsubscribed'::text, 'bounced'::text])))
);

ALTER TABLE ONLY public.contacts FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN contacts.email; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.contacts.email IS 'searched by prefix as a range (>= and <): LIKE is not leakproof, so under row security it cannot use an index';

--
-- Name: COLUMN contacts.first_name_lower; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.contacts.first_name_lower IS 'twice as long as the name: some letters become two in lower case';

--
-- Name: COLUMN contacts.last_engaged_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.contacts.last_engaged_at IS 'the last open, click or answer of a person';

--
-- Name: COLUMN contacts.lead_score_falls_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.contacts.lead_score_falls_at IS 'when the score gets lower unless the contact does something; null when it stays';

--
-- Name: COLUMN contacts.status_since; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.contacts.status_since IS 'when the status was changed last, or the contact added';

--
-- Name: COLUMN contacts.fields_erased_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.contacts.fields_erased_at IS 'when everything but the address was erased after an opt-out';

--
-- Name: content_objects; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.content_objects (
    storage_key uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    content_text text NOT NULL,
    content_html text,
    headers jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    track_opens boolean DEFAULT true NOT NULL,
    track_clicks boolean DEFAULT true NOT NULL,
    CONSTRAINT content_objects_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.content_objects FORCE ROW LEVEL SECURITY;

--
-- Name: domains; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.domains (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    workspace_id uuid,
    domain character varying(253) NOT NULL COLLATE pg_catalog."C",
    verification_status text DEFAULT 'pending'::text NOT NULL,
    verification_token text NOT NULL,
    dkim_selector text NOT NULL,
    dkim_public_key text NOT NULL,
    secret_ref text NOT NULL,
    dns_results jsonb DEFAULT '{}'::jsonb NOT NULL,
    dns_verification_attempts integer DEFAULT 0 NOT NULL,
    dns_verification_error text,
    failed_checks integer DEFAULT 0 NOT NULL,
    verified_at timestamp with time zone,
    dns_last_verified_at timestamp with time zone,
    next_check_at timestamp with time zone DEFAULT clock_timestamp(),
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    next_dkim_selector text,
    next_dkim_public_key text,
    next_secret_ref text,
    dkim_rotation_began_at timestamp with time zone,
    dkim_rotated_at timestamp with time zone,
    previous_dkim_selector text,
    old_secret_ref text,
    CONSTRAINT domains_domain_check CHECK (((domain)::text = lower((domain)::text))),
    CONSTRAINT domains_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT domains_next_key_is_whole CHECK ((num_nulls(next_dkim_selector, next_dkim_public_key, next_secret_ref, dkim_rotation_began_at) = ANY (ARRAY[0, 4]))),
    CONSTRAINT domains_verification_status_check CHECK ((verification_status = ANY (ARRAY['pending'::text, 'verified'::text, 'failed'::text])))
);

ALTER TABLE ONLY public.domains FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN domains.domain; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.domains.domain IS 'in its ASCII form (IDNA 2008)';

--
-- Name: COLUMN domains.secret_ref; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.domains.secret_ref IS 'where Vault keeps the private half of the DKIM key';

--
-- Name: COLUMN domains.dns_results; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.domains.dns_results IS 'what was found for each record, by its purpose, at the last check';

--
-- Name: COLUMN domains.failed_checks; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.domains.failed_checks IS 'checks in a row that found a required record missing';

--
-- Name: COLUMN domains.dns_last_verified_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.domains.dns_last_verified_at IS 'when all required records were last seen';

--
-- Name: COLUMN domains.next_check_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.domains.next_check_at IS 'null: asked again only when somebody wants it';

--
-- Name: COLUMN domains.dkim_rotated_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.domains.dkim_rotated_at IS 'when the present key took the place of the one of previous_dkim_selector';

--
-- Name: COLUMN domains.old_secret_ref; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.domains.old_secret_ref IS 'a signing key in Vault that is used no more and still to be deleted';

--
-- Name: email_attachments; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.email_attachments (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    content_key uuid NOT NULL,
    "position" integer NOT NULL,
    file_name character varying(255) NOT NULL,
    content_type character varying(127) NOT NULL,
    content bytea,
    size integer,
    upload_id uuid,
    queued_at timestamp with time zone,
    CONSTRAINT email_attachments_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT email_attachments_size_check CHECK (((content IS NOT NULL) OR ((size IS NOT NULL) AND (queued_at IS NOT NULL))))
);
ALTER TABLE ONLY public.email_attachments ALTER COLUMN content SET STORAGE EXTERNAL;

ALTER TABLE ONLY public.email_attachments FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE email_attachments; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.email_attachments IS 'once per request, whatever the number of recipients; goes when the text of the mail goes';

--
-- Name: COLUMN email_attachments.size; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.email_attachments.size IS 'bytes of an uploaded file';

--
-- Name: COLUMN email_attachments.queued_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.email_attachments.queued_at IS 'created_at of the mails that an uploaded file goes with, by which they are found';

--
-- Name: email_events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.email_events (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    email_id uuid NOT NULL,
    type text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    CONSTRAINT email_events_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);
ALTER TABLE ONLY public.email_events ALTER COLUMN tenant_id SET STATISTICS 1;
ALTER TABLE ONLY public.email_events ALTER COLUMN tenant_id SET (n_distinct=1);

ALTER TABLE ONLY public.email_events FORCE ROW LEVEL SECURITY;

--
-- Name: email_figure_changes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.email_figure_changes (
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    slice text NOT NULL COLLATE pg_catalog."C",
    slice_key text NOT NULL COLLATE pg_catalog."C",
    starts_at timestamp with time zone NOT NULL,
    email_type text NOT NULL COLLATE pg_catalog."C",
    step_id uuid NOT NULL,
    variant text NOT NULL COLLATE pg_catalog."C",
    sent bigint NOT NULL,
    delivered bigint NOT NULL,
    bounced bigint NOT NULL,
    opened bigint NOT NULL,
    opened_by_any bigint NOT NULL,
    clicked bigint NOT NULL,
    clicked_by_any bigint NOT NULL,
    replied bigint NOT NULL,
    complained bigint NOT NULL,
    unsubscribed bigint NOT NULL,
    opens bigint NOT NULL,
    clicks bigint NOT NULL,
    machine_opens bigint NOT NULL,
    machine_clicks bigint NOT NULL,
    CONSTRAINT email_figure_changes_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT email_figure_changes_slice_check CHECK ((slice = ANY (ARRAY['all'::text, 'workspace'::text, 'campaign'::text, 'tag'::text])))
);

ALTER TABLE ONLY public.email_figure_changes FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE email_figure_changes; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.email_figure_changes IS 'what is not yet in email_rollups; append only, so that workers never wait for each other, and emptied each minute';

--
-- Name: email_figure_changes_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.email_figure_changes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.email_figure_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: email_rollups; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.email_rollups (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    slice text NOT NULL COLLATE pg_catalog."C",
    slice_key text NOT NULL COLLATE pg_catalog."C",
    grain text NOT NULL COLLATE pg_catalog."C",
    starts_at timestamp with time zone NOT NULL,
    email_type text NOT NULL COLLATE pg_catalog."C",
    step_id uuid NOT NULL,
    variant text NOT NULL COLLATE pg_catalog."C",
    sent bigint NOT NULL,
    delivered bigint NOT NULL,
    bounced bigint NOT NULL,
    opened bigint NOT NULL,
    opened_by_any bigint NOT NULL,
    clicked bigint NOT NULL,
    clicked_by_any bigint NOT NULL,
    replied bigint NOT NULL,
    complained bigint NOT NULL,
    unsubscribed bigint NOT NULL,
    opens bigint NOT NULL,
    clicks bigint NOT NULL,
    machine_opens bigint NOT NULL,
    machine_clicks bigint NOT NULL,
    CONSTRAINT email_rollups_grain_check CHECK ((grain = ANY (ARRAY['hour'::text, 'quarter'::text]))),
    CONSTRAINT email_rollups_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT email_rollups_slice_check CHECK ((slice = ANY (ARRAY['all'::text, 'workspace'::text, 'campaign'::text, 'tag'::text])))
);

ALTER TABLE ONLY public.email_rollups FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN email_rollups.slice_key; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.email_rollups.slice_key IS 'id of the workspace or campaign, or the tag; empty for all';

--
-- Name: COLUMN email_rollups.grain; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.email_rollups.grain IS 'each figure stands here twice: per hour, and per quarter of an hour for time zones whose days begin within an hour of UTC';

--
-- Name: COLUMN email_rollups.step_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.email_rollups.step_id IS 'with variant: only in slices of campaigns; else zeros and empty';

--
-- Name: COLUMN email_rollups.opened; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.email_rollups.opened IS 'mails, by the time of their first open by a person; opened_by_any counts machines too, opens every time';

--
-- Name: email_tags; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.email_tags (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    email_id uuid NOT NULL,
    tag character varying(50) NOT NULL,
    email_created_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    campaign_id uuid,
    CONSTRAINT email_tags_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);
ALTER TABLE ONLY public.email_tags ALTER COLUMN tenant_id SET STATISTICS 1;
ALTER TABLE ONLY public.email_tags ALTER COLUMN tenant_id SET (n_distinct=1);

ALTER TABLE ONLY public.email_tags FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN email_tags.status; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.email_tags.status IS 'the email''s, kept by a trigger';

--
-- Name: email_uploads; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.email_uploads (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    file_name character varying(255) NOT NULL,
    content_type character varying(127) NOT NULL,
    size integer NOT NULL,
    file_key text NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    uploaded_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    look_at timestamp with time zone NOT NULL,
    renewed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT email_uploads_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT email_uploads_size_check CHECK ((size > 0))
);

ALTER TABLE ONLY public.email_uploads FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN email_uploads.uploaded_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.email_uploads.uploaded_at IS 'when the file was first seen to be there, as announced';

--
-- Name: COLUMN email_uploads.expires_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.email_uploads.expires_at IS 'until then mails may name it';

--
-- Name: COLUMN email_uploads.look_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.email_uploads.look_at IS 'when it is to be seen next whether a mail that waits still needs the file';

--
-- Name: COLUMN email_uploads.renewed_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.email_uploads.renewed_at IS 'how old the bucket takes the file to be, which removes what is older than 40 days';

--
-- Name: emails; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.emails (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    api_key_id uuid,
    campaign_id uuid,
    to_email character varying(255) NOT NULL COLLATE pg_catalog."C",
    from_email character varying(320) NOT NULL,
    reply_to character varying(320),
    subject character varying(998) NOT NULL,
    email_type text DEFAULT 'transactional'::text NOT NULL,
    provider text,
    provider_message_id text,
    status text NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    content_key uuid NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    opens integer DEFAULT 0 NOT NULL,
    clicks integer DEFAULT 0 NOT NULL,
    error text,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    finished_at timestamp with time zone,
    next_sweep_at timestamp with time zone,
    scheduled_at timestamp with time zone,
    contact_id uuid,
    step_id uuid,
    variant text,
    machine_opens integer DEFAULT 0 NOT NULL,
    machine_clicks integer DEFAULT 0 NOT NULL,
    wanted_provider text,
    paced_until timestamp with time zone,
    traceparent text,
    CONSTRAINT emails_check CHECK (((status <> 'scheduled'::text) OR (scheduled_at IS NOT NULL))),
    CONSTRAINT emails_email_type_check CHECK ((email_type = ANY (ARRAY['transactional'::text, 'marketing'::text, 'cold_outreach'::text]))),
    CONSTRAINT emails_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT emails_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'delivered'::text, 'bounced'::text, 'failed'::text, 'suppressed'::text, 'cancelled'::text, 'scheduled'::text]))),
    CONSTRAINT emails_step_of_campaign CHECK (((step_id IS NULL) OR (num_nonnulls(campaign_id, contact_id, variant) = 3))),
    CONSTRAINT emails_variant_check CHECK ((variant = ANY (ARRAY['a'::text, 'b'::text]))),
    CONSTRAINT emails_wanted_provider_check CHECK ((wanted_provider = ANY (ARRAY['smtp'::text, 'postmark'::text, 'mailgun'::text])))
);
ALTER TABLE ONLY public.emails ALTER COLUMN tenant_id SET STATISTICS 1;
ALTER TABLE ONLY public.emails ALTER COLUMN tenant_id SET (n_distinct=1);

ALTER TABLE ONLY public.emails FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN emails.opens; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.emails.opens IS 'by people, as far as one can tell';

--
-- Name: COLUMN emails.next_sweep_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.emails.next_sweep_at IS 'when the sweep hands the message to the queue again; null once nothing is left to do';

--
-- Name: COLUMN emails.step_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.emails.step_id IS 'the campaign step that it belongs to; its content is then a template for the contact. No foreign key: what was sent outlives the campaign';

--
-- Name: COLUMN emails.machine_opens; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.emails.machine_opens IS 'by mail clients that load every picture ahead, and by scanners';

--
-- Name: COLUMN emails.wanted_provider; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.emails.wanted_provider IS 'who is to take the mail over; null leaves it to the platform';

--
-- Name: COLUMN emails.paced_until; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.emails.paced_until IS 'when its turn comes, or came, since the pace of the account let it wait';

--
-- Name: COLUMN emails.traceparent; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.emails.traceparent IS 'https://www.w3.org/TR/trace-context/; null for mails of campaigns, and when nothing was traced';

--
-- Name: events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.events (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    workspace_id uuid,
    type text NOT NULL,
    schema_version integer DEFAULT 1 NOT NULL,
    data jsonb NOT NULL,
    subject_id uuid,
    created_at timestamp with time zone NOT NULL,
    erased_at timestamp with time zone,
    CONSTRAINT events_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
)
PARTITION BY RANGE (created_at);
ALTER TABLE ONLY public.events ALTER COLUMN tenant_id SET STATISTICS 1;

ALTER TABLE ONLY public.events FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN events.subject_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.events.subject_id IS 'the contact whom the event is about, so that erasing the contact finds it';

--
-- Name: COLUMN events.erased_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.events.erased_at IS 'when what it says about a person was blanked';

--
-- Name: export_jobs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.export_jobs (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    export_type text NOT NULL,
    filters jsonb DEFAULT '{}'::jsonb NOT NULL,
    selected_fields text[] NOT NULL,
    file_format text NOT NULL,
    file_key text,
    file_size bigint,
    processed_contacts bigint DEFAULT 0 NOT NULL,
    error_message text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    expires_at timestamp with time zone,
    part_keys text[] DEFAULT '{}'::text[] NOT NULL,
    last_created_at timestamp with time zone,
    last_id uuid,
    is_read boolean DEFAULT false NOT NULL,
    CONSTRAINT export_jobs_export_type_check CHECK ((export_type = ANY (ARRAY['full'::text, 'filtered'::text, 'segment'::text]))),
    CONSTRAINT export_jobs_file_format_check CHECK ((file_format = ANY (ARRAY['csv'::text, 'xlsx'::text, 'json'::text]))),
    CONSTRAINT export_jobs_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT export_jobs_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text, 'expired'::text])))
);

ALTER TABLE ONLY public.export_jobs FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN export_jobs.part_keys; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.export_jobs.part_keys IS 'files with the rows that are read, in their order; emptied when the job ends';

--
-- Name: COLUMN export_jobs.last_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.export_jobs.last_id IS 'the last contact that is in a part; with last_created_at where the next part begins';

--
-- Name: COLUMN export_jobs.is_read; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.export_jobs.is_read IS 'all contacts are in the parts';

--
-- Name: idempotency_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.idempotency_keys (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    principal_id uuid NOT NULL,
    route text NOT NULL,
    key character varying(255) NOT NULL,
    request_hash bytea NOT NULL,
    status_code integer,
    response jsonb,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT idempotency_keys_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.idempotency_keys FORCE ROW LEVEL SECURITY;

--
-- Name: import_events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.import_events (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    job_id uuid NOT NULL,
    line bigint NOT NULL,
    contact_id uuid NOT NULL,
    type text NOT NULL,
    written_at timestamp with time zone NOT NULL,
    previous jsonb,
    changed_fields text[],
    tags text[],
    is_listed boolean DEFAULT false NOT NULL,
    replaced_at timestamp with time zone,
    CONSTRAINT import_events_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT import_events_type_check CHECK ((type = ANY (ARRAY['created'::text, 'updated'::text, 'listed'::text, 'undone'::text])))
);

ALTER TABLE ONLY public.import_events FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE import_events; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.import_events IS 'no foreign keys, each of which would cost a look-up for each of a million rows: jobs are never deleted';

--
-- Name: COLUMN import_events.type; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.import_events.type IS 'undone: a change that was taken back, so the contact as it is at written_at is what it was at replaced_at';

--
-- Name: COLUMN import_events.written_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.import_events.written_at IS 'the contact''s updated_at then; another one says that it was changed since';

--
-- Name: COLUMN import_events.previous; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.import_events.previous IS 'what a rollback restores; goes with the contact';

--
-- Name: COLUMN import_events.is_listed; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.import_events.is_listed IS 'the contact was there, and the job put it on its list';

--
-- Name: COLUMN import_events.replaced_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.import_events.replaced_at IS 'of a change: the contact''s updated_at before it';

--
-- Name: import_jobs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.import_jobs (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    phase text DEFAULT 'reading'::text NOT NULL,
    file_name character varying(255) NOT NULL,
    file_type text NOT NULL,
    file_size bigint NOT NULL,
    file_key text NOT NULL,
    error_file_key text,
    field_mapping jsonb,
    options jsonb DEFAULT '{}'::jsonb NOT NULL,
    layout jsonb,
    "position" bigint DEFAULT 0 NOT NULL,
    next_line bigint DEFAULT 0 NOT NULL,
    staged_rows bigint DEFAULT 0 NOT NULL,
    last_line bigint DEFAULT 0 NOT NULL,
    done_line bigint DEFAULT 0 NOT NULL,
    merged_slices integer DEFAULT 0 NOT NULL,
    created_count bigint DEFAULT 0 NOT NULL,
    updated_count bigint DEFAULT 0 NOT NULL,
    skipped_count bigint DEFAULT 0 NOT NULL,
    error_count bigint DEFAULT 0 NOT NULL,
    rolled_back_count bigint DEFAULT 0 NOT NULL,
    kept_count bigint DEFAULT 0 NOT NULL,
    error_code text,
    error_message text,
    error_line bigint,
    created_by uuid,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    rolled_back_at timestamp with time zone,
    files_removed_at timestamp with time zone,
    listed_count bigint DEFAULT 0 NOT NULL,
    CONSTRAINT import_jobs_file_type_check CHECK ((file_type = ANY (ARRAY['csv'::text, 'tsv'::text, 'json'::text, 'xlsx'::text]))),
    CONSTRAINT import_jobs_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT import_jobs_phase_check CHECK ((phase = ANY (ARRAY['reading'::text, 'checking'::text, 'merging'::text, 'reporting'::text, 'done'::text]))),
    CONSTRAINT import_jobs_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text, 'cancelled'::text, 'rolling_back'::text, 'rolled_back'::text])))
);

ALTER TABLE ONLY public.import_jobs FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN import_jobs."position"; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.import_jobs."position" IS 'where the next row begins: bytes of a CSV or JSON file, rows of a workbook';

--
-- Name: COLUMN import_jobs.done_line; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.import_jobs.done_line IS 'how many lines are merged; in a rollback, the line up to which rows are taken back';

--
-- Name: inbox_attachments; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.inbox_attachments (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    message_id uuid NOT NULL,
    "position" integer NOT NULL,
    file_name character varying(255) NOT NULL,
    content_type character varying(255) NOT NULL,
    content bytea NOT NULL,
    CONSTRAINT inbox_attachments_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);
ALTER TABLE ONLY public.inbox_attachments ALTER COLUMN content SET STORAGE EXTERNAL;

ALTER TABLE ONLY public.inbox_attachments FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE inbox_attachments; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.inbox_attachments IS 'goes with its message';

--
-- Name: inbox_messages; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.inbox_messages (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    thread_id uuid NOT NULL,
    email_id uuid,
    message_id text NOT NULL,
    from_email character varying(255) NOT NULL,
    from_name character varying(255) NOT NULL,
    subject character varying(998) NOT NULL,
    body_text text NOT NULL,
    is_automatic boolean NOT NULL,
    received_at timestamp with time zone NOT NULL,
    CONSTRAINT inbox_messages_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.inbox_messages FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN inbox_messages.email_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.inbox_messages.email_id IS 'the mail that is answered; null when that cannot be told';

--
-- Name: inbox_threads; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.inbox_threads (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    correspondent character varying(255) NOT NULL COLLATE pg_catalog."C",
    campaign_id uuid,
    subject character varying(998) NOT NULL,
    snippet character varying(200) NOT NULL,
    status text DEFAULT 'open'::text NOT NULL,
    snoozed_until timestamp with time zone,
    is_unread boolean DEFAULT true NOT NULL,
    last_message_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT inbox_threads_check CHECK (((status = 'snoozed'::text) = (snoozed_until IS NOT NULL))),
    CONSTRAINT inbox_threads_correspondent_check CHECK (((correspondent)::text = lower((correspondent)::text))),
    CONSTRAINT inbox_threads_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT inbox_threads_status_check CHECK ((status = ANY (ARRAY['open'::text, 'archived'::text, 'snoozed'::text])))
);

ALTER TABLE ONLY public.inbox_threads FORCE ROW LEVEL SECURITY;

--
-- Name: invitations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.invitations (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    email character varying(255) NOT NULL,
    role text NOT NULL,
    invited_by uuid NOT NULL,
    token_hash bytea,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT invitations_email_check CHECK (((email)::text = lower((email)::text))),
    CONSTRAINT invitations_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'developer'::text, 'member'::text])))
);

ALTER TABLE ONLY public.invitations FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN invitations.token_hash; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.invitations.token_hash IS 'of the link in the newest mail; null until one was sent';

--
-- Name: link_tokens; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.link_tokens (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    purpose text NOT NULL,
    token_hash bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT link_tokens_purpose_check CHECK ((purpose = ANY (ARRAY['verify_email'::text, 'reset_password'::text])))
);

ALTER TABLE ONLY public.link_tokens FORCE ROW LEVEL SECURITY;

--
-- Name: lists; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.lists (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    name character varying(100) NOT NULL,
    description character varying(1000),
    type text NOT NULL,
    segment_id uuid,
    contact_count bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT lists_check CHECK (((type = 'dynamic'::text) = (segment_id IS NOT NULL))),
    CONSTRAINT lists_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT lists_type_check CHECK ((type = ANY (ARRAY['static'::text, 'dynamic'::text])))
);

ALTER TABLE ONLY public.lists FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN lists.segment_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.lists.segment_id IS 'a dynamic list holds whom its segment finds; it has no rows in contact_lists';

--
-- Name: COLUMN lists.contact_count; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.lists.contact_count IS 'kept by triggers; stays 0 for a dynamic list';

--
-- Name: mail_outbox; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.mail_outbox (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    user_id uuid,
    type text NOT NULL,
    dedupe_key text NOT NULL,
    status text DEFAULT 'queued'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_error text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    sent_at timestamp with time zone,
    invitation_id uuid,
    variables jsonb DEFAULT '{}'::jsonb NOT NULL,
    traceparent text,
    CONSTRAINT mail_outbox_check CHECK (((user_id IS NULL) <> (invitation_id IS NULL))),
    CONSTRAINT mail_outbox_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'failed'::text]))),
    CONSTRAINT mail_outbox_type_check CHECK ((type ~ '^[a-z_]{1,50}$'::text))
);

ALTER TABLE ONLY public.mail_outbox FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN mail_outbox.variables; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.mail_outbox.variables IS 'what the text names, never a secret';

--
-- Name: COLUMN mail_outbox.traceparent; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.mail_outbox.traceparent IS 'https://www.w3.org/TR/trace-context/; null when nothing was traced';

--
-- Name: mail_servers; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.mail_servers (
    tenant_id uuid NOT NULL,
    host character varying(253) NOT NULL,
    port integer NOT NULL,
    security text NOT NULL,
    username character varying(320) NOT NULL,
    secret_ref text NOT NULL,
    secret_version integer NOT NULL,
    status text NOT NULL,
    status_detail text,
    checked_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    secret_changed_at timestamp with time zone,
    CONSTRAINT mail_servers_host_check CHECK (((host)::text = lower((host)::text))),
    CONSTRAINT mail_servers_port_check CHECK (((port >= 1) AND (port <= 65535))),
    CONSTRAINT mail_servers_security_check CHECK ((security = ANY (ARRAY['starttls'::text, 'tls'::text, 'none'::text]))),
    CONSTRAINT mail_servers_status_check CHECK ((status = ANY (ARRAY['active'::text, 'error'::text])))
);

ALTER TABLE ONLY public.mail_servers FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN mail_servers.secret_ref; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.mail_servers.secret_ref IS 'where Vault has the password';

--
-- Name: COLUMN mail_servers.status; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.mail_servers.status IS 'error: it takes no mail until somebody puts right what status_detail names';

--
-- Name: mailbox_days; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.mailbox_days (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    mailbox character varying(254) NOT NULL COLLATE pg_catalog."C",
    day date NOT NULL,
    planned integer NOT NULL,
    CONSTRAINT mailbox_days_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.mailbox_days FORCE ROW LEVEL SECURITY;

--
-- Name: monthly_reports; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.monthly_reports (
    month date NOT NULL,
    figures jsonb NOT NULL,
    measured_at timestamp with time zone NOT NULL,
    CONSTRAINT monthly_reports_month_check CHECK ((month = (date_trunc('month'::text, (month)::timestamp without time zone))::date))
);

--
-- Name: TABLE monthly_reports; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.monthly_reports IS 'the platform''s figures of a month, as they were measured when it was over';

--
-- Name: outbox; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.outbox (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    queue text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT outbox_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT outbox_queue_check CHECK ((queue ~ '^[a-z_]+$'::text))
);

ALTER TABLE ONLY public.outbox FORCE ROW LEVEL SECURITY;

--
-- Name: partitioned_tables; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.partitioned_tables (
    table_name text NOT NULL,
    months_ahead integer DEFAULT 2 NOT NULL,
    days_kept integer NOT NULL,
    CONSTRAINT partitioned_tables_days_kept_check CHECK ((days_kept >= 28)),
    CONSTRAINT partitioned_tables_months_ahead_check CHECK ((months_ahead >= 1))
);

--
-- Name: COLUMN partitioned_tables.days_kept; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.partitioned_tables.days_kept IS 'a month goes when its last day is older than this';

--
-- Name: pending_removals; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.pending_removals (
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    id uuid NOT NULL,
    deleted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pending_removals_kind_check CHECK ((kind = ANY (ARRAY['list'::text, 'tag'::text, 'contact_field'::text, 'workspace'::text, 'campaign'::text])))
);

ALTER TABLE ONLY public.pending_removals FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE pending_removals; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.pending_removals IS 'what is deleted, and of which rows are left that a job removes: who was on a list, had a tag, a value of a field, was in a workspace or got a campaign';

--
-- Name: plans; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.plans (
    slug text NOT NULL,
    name text NOT NULL,
    api_access boolean NOT NULL,
    api_rate_limit integer NOT NULL,
    api_burst_limit integer NOT NULL,
    send_rate_per_second integer NOT NULL,
    max_contacts integer,
    max_emails_per_month integer,
    max_webhooks integer NOT NULL,
    price_monthly_cents integer,
    is_active boolean DEFAULT true NOT NULL,
    max_domains integer,
    CONSTRAINT plans_api_rate_limit_check CHECK ((api_rate_limit >= 0)),
    CONSTRAINT plans_check CHECK ((api_burst_limit >= api_rate_limit)),
    CONSTRAINT plans_slug_check CHECK ((slug ~ '^[a-z]+$'::text))
);

--
-- Name: COLUMN plans.api_rate_limit; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.plans.api_rate_limit IS 'requests per minute and key';

--
-- Name: COLUMN plans.max_contacts; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.plans.max_contacts IS 'null is unlimited';

--
-- Name: COLUMN plans.max_domains; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.plans.max_domains IS 'per mode; null is unlimited';

--
-- Name: privacy_requests; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.privacy_requests (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    type text NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    email character varying(255) COLLATE pg_catalog."C",
    reference character varying(100),
    found jsonb DEFAULT '{}'::jsonb NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    file_key text,
    file_size bigint,
    error_message text,
    created_by uuid,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    completed_at timestamp with time zone,
    expires_at timestamp with time zone,
    CONSTRAINT privacy_requests_check CHECK (((email IS NOT NULL) OR (status = ANY (ARRAY['completed'::text, 'failed'::text, 'expired'::text])))),
    CONSTRAINT privacy_requests_email_check CHECK (((email)::text = lower((email)::text))),
    CONSTRAINT privacy_requests_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT privacy_requests_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text, 'expired'::text]))),
    CONSTRAINT privacy_requests_type_check CHECK ((type = ANY (ARRAY['access'::text, 'erasure'::text])))
);

ALTER TABLE ONLY public.privacy_requests FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN privacy_requests.email; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.privacy_requests.email IS 'whose data; gone once it is erased, when the reference alone says whose wish it was';

--
-- Name: COLUMN privacy_requests.found; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.privacy_requests.found IS 'how many things of each kind were copied or erased';

--
-- Name: provider_accounts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.provider_accounts (
    tenant_id uuid NOT NULL,
    provider text NOT NULL,
    status text NOT NULL,
    status_detail text,
    settings jsonb NOT NULL,
    secret_ref text NOT NULL,
    secret_version integer NOT NULL,
    key_last4 character varying(4) NOT NULL,
    endpoint_hash bytea NOT NULL,
    checked_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    secret_changed_at timestamp with time zone,
    CONSTRAINT provider_accounts_provider_check CHECK ((provider = ANY (ARRAY['postmark'::text, 'mailgun'::text]))),
    CONSTRAINT provider_accounts_status_check CHECK ((status = ANY (ARRAY['active'::text, 'error'::text])))
);

ALTER TABLE ONLY public.provider_accounts FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN provider_accounts.endpoint_hash; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.provider_accounts.endpoint_hash IS 'of the secret part of the URL that the provider reports to';

--
-- Name: provider_events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.provider_events (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    provider text NOT NULL,
    event_key text NOT NULL,
    type text NOT NULL,
    email_id uuid,
    outcome text NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT provider_events_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT provider_events_outcome_check CHECK ((outcome = ANY (ARRAY['taken'::text, 'nothing_new'::text, 'orphan'::text, 'ignored'::text, 'token'::text]))),
    CONSTRAINT provider_events_provider_check CHECK ((provider = ANY (ARRAY['postmark'::text, 'mailgun'::text])))
);

ALTER TABLE ONLY public.provider_events FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE provider_events; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.provider_events IS 'kept for seven days, in which a repeated report is known as such; an orphan is about no mail of ours';

--
-- Name: reauth_tokens; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.reauth_tokens (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    session_id uuid NOT NULL,
    user_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    level text NOT NULL,
    purpose text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT reauth_tokens_level_check CHECK ((level = ANY (ARRAY['password'::text, 'password_totp'::text])))
);

ALTER TABLE ONLY public.reauth_tokens FORCE ROW LEVEL SECURITY;

--
-- Name: recovery_codes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.recovery_codes (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    code_digest bytea NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT recovery_codes_code_digest_check CHECK ((length(code_digest) = 32))
);

ALTER TABLE ONLY public.recovery_codes FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN recovery_codes.code_digest; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.recovery_codes.code_digest IS 'keyed digest; the code itself is shown once';

--
-- Name: response_time_windows; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.response_time_windows (
    starts_at timestamp with time zone NOT NULL,
    calls integer NOT NULL,
    p95_ms integer NOT NULL,
    CONSTRAINT response_time_windows_calls_check CHECK ((calls > 0)),
    CONSTRAINT response_time_windows_p95_ms_check CHECK ((p95_ms >= 0))
);

--
-- Name: TABLE response_time_windows; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.response_time_windows IS 'within how many ms 95 % of the calls with API keys were answered, per five minutes';

--
-- Name: schema_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

--
-- Name: segments; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.segments (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    name character varying(100) NOT NULL,
    definition jsonb NOT NULL,
    count_cached bigint,
    counted_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    count_due_at timestamp with time zone,
    count_found bigint DEFAULT 0 NOT NULL,
    count_from_at timestamp with time zone,
    count_from_id uuid,
    CONSTRAINT segments_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.segments FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN segments.count_due_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.segments.count_due_at IS 'when the next part is counted; null while no count is under way';

--
-- Name: COLUMN segments.count_from_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.segments.count_from_at IS 'with count_from_id the contact behind which the count goes on; those before it are in count_found';

--
-- Name: send_paces; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.send_paces (
    tenant_id uuid NOT NULL,
    free_from timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.send_paces FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN send_paces.free_from; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.send_paces.free_from IS 'from when on the line of campaigns has turns: mails that are planned, and those that workers may not hand over yet';

--
-- Name: sessions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sessions (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    refresh_hash bytea NOT NULL,
    previous_refresh_hash bytea,
    csrf_hash bytea NOT NULL,
    ip_address inet,
    user_agent text,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_used_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason text
);

ALTER TABLE ONLY public.sessions FORCE ROW LEVEL SECURITY;

--
-- Name: soft_bounces; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.soft_bounces (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    email character varying(255) NOT NULL COLLATE pg_catalog."C",
    mails integer NOT NULL,
    last_at timestamp with time zone NOT NULL,
    CONSTRAINT soft_bounces_email_check CHECK (((email)::text = lower((email)::text))),
    CONSTRAINT soft_bounces_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.soft_bounces FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN soft_bounces.mails; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.soft_bounces.mails IS 'mails in a row that were refused for now; one that arrives ends the row';

--
-- Name: staff_members; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.staff_members (
    user_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    role text NOT NULL,
    grants text[] DEFAULT '{}'::text[] NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT staff_members_role_check CHECK ((role = ANY (ARRAY['super_admin'::text, 'admin'::text, 'support'::text, 'finance'::text, 'ops'::text, 'qa'::text]))),
    CONSTRAINT staff_members_tenant_id_check CHECK ((tenant_id = '00000000-0000-4000-8000-000000000001'::uuid))
);

ALTER TABLE ONLY public.staff_members FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN staff_members.grants; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.staff_members.grants IS 'what a member may do beyond the role';

--
-- Name: subscriptions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.subscriptions (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    plan_slug text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    current_period_start timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    current_period_end timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT subscriptions_status_check CHECK ((status = ANY (ARRAY['trialing'::text, 'active'::text, 'past_due'::text, 'suspended'::text, 'canceled'::text])))
);

ALTER TABLE ONLY public.subscriptions FORCE ROW LEVEL SECURITY;

--
-- Name: suppression_lifts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.suppression_lifts (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    email character varying(255) NOT NULL COLLATE pg_catalog."C",
    reason text NOT NULL,
    consent_note text NOT NULL,
    lifted_by uuid,
    lifted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT suppression_lifts_email_check CHECK (((email)::text = lower((email)::text))),
    CONSTRAINT suppression_lifts_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.suppression_lifts FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE suppression_lifts; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.suppression_lifts IS 'the proof that somebody agreed to be written to again, kept until the person is erased';

--
-- Name: COLUMN suppression_lifts.id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.suppression_lifts.id IS 'of the entry that was lifted; the audit log names it';

--
-- Name: COLUMN suppression_lifts.reason; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.suppression_lifts.reason IS 'why the address was suppressed';

--
-- Name: suppression_list; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.suppression_list (
    id uuid NOT NULL,
    tenant_id uuid,
    mode text DEFAULT 'live'::text NOT NULL,
    email character varying(255) NOT NULL COLLATE pg_catalog."C",
    reason text NOT NULL,
    source text NOT NULL,
    scope text DEFAULT 'tenant'::text NOT NULL,
    workspace_id uuid,
    added_by uuid,
    added_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamp with time zone,
    campaign_type text,
    CONSTRAINT suppression_list_campaign_type_check CHECK ((campaign_type = ANY (ARRAY['broadcast'::text, 'drip'::text, 'triggered'::text, 'ab_test'::text]))),
    CONSTRAINT suppression_list_campaign_type_check1 CHECK (((scope = 'campaign_type'::text) = (campaign_type IS NOT NULL))),
    CONSTRAINT suppression_list_check CHECK (((scope = 'global'::text) = (tenant_id IS NULL))),
    CONSTRAINT suppression_list_email_check CHECK (((email)::text = lower((email)::text))),
    CONSTRAINT suppression_list_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT suppression_list_reason_check CHECK ((reason = ANY (ARRAY['user_request'::text, 'spam_complaint'::text, 'hard_bounce'::text, 'soft_bounces'::text, 'manual'::text]))),
    CONSTRAINT suppression_list_scope_check CHECK ((scope = ANY (ARRAY['global'::text, 'tenant'::text, 'workspace'::text, 'campaign_type'::text]))),
    CONSTRAINT suppression_list_workspace_check CHECK (((scope = 'workspace'::text) = (workspace_id IS NOT NULL)))
);

ALTER TABLE ONLY public.suppression_list FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN suppression_list.tenant_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.suppression_list.tenant_id IS 'null is the platform-wide list against abuse';

--
-- Name: tags; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tags (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    name character varying(50) NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT tags_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.tags FORCE ROW LEVEL SECURITY;

--
-- Name: templates; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.templates (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    workspace_id uuid,
    name character varying(100) NOT NULL,
    subject character varying(998) NOT NULL,
    html_body text,
    text_body text,
    variables text[] NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT templates_check CHECK ((num_nonnulls(html_body, text_body) > 0)),
    CONSTRAINT templates_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.templates FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN templates.variables; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.templates.variables IS 'names that subject and bodies read, found when they were stored';

--
-- Name: tenant_overrides; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tenant_overrides (
    tenant_id uuid NOT NULL,
    limits jsonb DEFAULT '{}'::jsonb NOT NULL,
    reason text NOT NULL,
    set_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY public.tenant_overrides FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN tenant_overrides.limits; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.tenant_overrides.limits IS 'any of api_rate_limit, api_burst_limit, send_rate_per_second, max_contacts, max_emails_per_month, max_webhooks, max_daily_limit, max_domains; wins over the plan';

--
-- Name: tenant_limits; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.tenant_limits WITH (security_invoker='true') AS
 SELECT s.tenant_id,
    s.plan_slug,
    s.status AS subscription_status,
    p.api_access,
    COALESCE(((o.limits ->> 'api_rate_limit'::text))::integer, p.api_rate_limit) AS api_rate_limit,
    COALESCE(((o.limits ->> 'api_burst_limit'::text))::integer, p.api_burst_limit) AS api_burst_limit,
    COALESCE(((o.limits ->> 'send_rate_per_second'::text))::integer, p.send_rate_per_second) AS send_rate_per_second,
    COALESCE(((o.limits ->> 'max_contacts'::text))::integer, p.max_contacts) AS max_contacts,
    COALESCE(((o.limits ->> 'max_emails_per_month'::text))::integer, p.max_emails_per_month) AS max_emails_per_month,
    COALESCE(((o.limits ->> 'max_webhooks'::text))::integer, p.max_webhooks) AS max_webhooks,
    COALESCE(((o.limits ->> 'max_daily_limit'::text))::integer, 500) AS max_daily_limit,
    COALESCE(((o.limits ->> 'max_domains'::text))::integer, p.max_domains) AS max_domains
   FROM ((public.subscriptions s
     JOIN public.plans p ON ((p.slug = s.plan_slug)))
     LEFT JOIN public.tenant_overrides o ON ((o.tenant_id = s.tenant_id)));

--
-- Name: tenants; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tenants (
    id uuid NOT NULL,
    name text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    status_reason text,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    deleted_at timestamp with time zone,
    closes_at timestamp with time zone,
    closing_requested_by uuid,
    status_before_closing text,
    erased_at timestamp with time zone,
    erased jsonb,
    CONSTRAINT tenants_closing CHECK (((closes_at IS NULL) = (status_before_closing IS NULL))),
    CONSTRAINT tenants_erased CHECK (((erased_at IS NULL) = (erased IS NULL))),
    CONSTRAINT tenants_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
    CONSTRAINT tenants_status_before_closing_check CHECK ((status_before_closing = ANY (ARRAY['active'::text, 'suspended'::text]))),
    CONSTRAINT tenants_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text, 'canceled'::text])))
);

ALTER TABLE ONLY public.tenants FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN tenants.closes_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.tenants.closes_at IS 'when everything of the account is erased; null while nobody has asked for that';

--
-- Name: COLUMN tenants.erased; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.tenants.erased IS 'the confirmation: how many rows, files and secrets were removed, nothing about what they held';

--
-- Name: usage_counters; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.usage_counters (
    tenant_id uuid NOT NULL,
    metric text NOT NULL,
    period_start date NOT NULL,
    value bigint NOT NULL
);

ALTER TABLE ONLY public.usage_counters FORCE ROW LEVEL SECURITY;

--
-- Name: user_credentials; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.user_credentials (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    password_hash text NOT NULL,
    failed_attempts integer DEFAULT 0 NOT NULL,
    locked_until timestamp with time zone,
    totp_confirmed_at timestamp with time zone,
    totp_last_step bigint DEFAULT 0 NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    totp_version integer,
    CONSTRAINT user_credentials_check CHECK (((totp_confirmed_at IS NULL) OR (totp_version IS NOT NULL)))
);

ALTER TABLE ONLY public.user_credentials FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN user_credentials.totp_last_step; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.user_credentials.totp_last_step IS 'the last time step whose code was used: a code works once';

--
-- Name: COLUMN user_credentials.totp_version; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.user_credentials.totp_version IS 'version of the seed in Vault; not in force before totp_confirmed_at';

--
-- Name: users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.users (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    email character varying(255) NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    email_verified_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT users_email_check CHECK (((email)::text = lower((email)::text))),
    CONSTRAINT users_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
    CONSTRAINT users_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'developer'::text, 'member'::text])))
);

ALTER TABLE ONLY public.users FORCE ROW LEVEL SECURITY;

--
-- Name: webhook_attempts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.webhook_attempts (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    delivery_id uuid NOT NULL,
    event_created_at timestamp with time zone NOT NULL,
    attempt_number integer NOT NULL,
    attempted_at timestamp with time zone NOT NULL,
    duration_ms integer NOT NULL,
    status_code integer,
    request_headers jsonb NOT NULL,
    response_headers jsonb,
    response_body text,
    error_message text,
    timing jsonb,
    batch_id uuid,
    CONSTRAINT webhook_attempts_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
)
PARTITION BY RANGE (event_created_at);
ALTER TABLE ONLY public.webhook_attempts ALTER COLUMN tenant_id SET STATISTICS 1;

ALTER TABLE ONLY public.webhook_attempts FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE webhook_attempts; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.webhook_attempts IS 'no foreign key to deliveries: it would keep their old months from being dropped';

--
-- Name: COLUMN webhook_attempts.timing; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_attempts.timing IS 'dns_ms, connect_ms, tls_ms, first_byte_ms; null for a step that was not taken, as on a kept connection';

--
-- Name: COLUMN webhook_attempts.batch_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_attempts.batch_id IS 'the post that several deliveries shared, whose answer each of them has; null for a post of one';

--
-- Name: webhook_deliveries; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.webhook_deliveries (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    webhook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    event_created_at timestamp with time zone NOT NULL,
    status text DEFAULT 'queued'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_retry_at timestamp with time zone,
    next_sweep_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    parked_at timestamp with time zone,
    is_test boolean DEFAULT false NOT NULL,
    replay_id uuid,
    traceparent text,
    sequence bigint,
    order_key uuid,
    CONSTRAINT webhook_deliveries_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT webhook_deliveries_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'sending'::text, 'pending_retry'::text, 'success'::text, 'failed'::text, 'held'::text, 'dropped'::text])))
)
PARTITION BY RANGE (event_created_at);
ALTER TABLE ONLY public.webhook_deliveries ALTER COLUMN tenant_id SET STATISTICS 1;
ALTER TABLE ONLY public.webhook_deliveries ALTER COLUMN webhook_id SET STATISTICS 1;

ALTER TABLE ONLY public.webhook_deliveries FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN webhook_deliveries.status; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_deliveries.status IS 'dropped: given up when the webhook was resumed without it, by a cancelled replay, or after being held for 30 days';

--
-- Name: COLUMN webhook_deliveries.parked_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_deliveries.parked_at IS 'its place among those that wait for a free slot, null when it waits for none; retries stand some minutes further back';

--
-- Name: COLUMN webhook_deliveries.is_test; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_deliveries.is_test IS 'posted once because somebody asked for it; has no event, counts nowhere';

--
-- Name: COLUMN webhook_deliveries.replay_id; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_deliveries.replay_id IS 'the replay that sends the event again; null for the delivery that it first made';

--
-- Name: COLUMN webhook_deliveries.traceparent; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_deliveries.traceparent IS 'https://www.w3.org/TR/trace-context/; null when nothing was traced';

--
-- Name: COLUMN webhook_deliveries.sequence; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_deliveries.sequence IS 'place among the deliveries of its webhook, from 1 on; null for those made before there were numbers';

--
-- Name: COLUMN webhook_deliveries.order_key; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_deliveries.order_key IS 'the contact or campaign whose earlier deliveries to the webhook are waited for; null for none';

--
-- Name: webhook_figure_changes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.webhook_figure_changes (
    id bigint NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    webhook_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    is_replay boolean NOT NULL,
    pending bigint DEFAULT 0 NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    success bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL,
    dropped bigint DEFAULT 0 NOT NULL,
    first_sequence bigint,
    last_sequence bigint,
    posts bigint DEFAULT 0 NOT NULL,
    posts_ms bigint DEFAULT 0 NOT NULL,
    buckets smallint[] DEFAULT '{}'::smallint[] NOT NULL,
    bucket_posts bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    CONSTRAINT webhook_figure_changes_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.webhook_figure_changes FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE webhook_figure_changes; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.webhook_figure_changes IS 'what is not yet in webhook_quarters; append only, so that workers never wait for each other, and emptied each minute. Without a key to webhooks, as that would lock their rows';

--
-- Name: webhook_figure_changes_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.webhook_figure_changes ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.webhook_figure_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: webhook_quarters; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.webhook_quarters (
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    webhook_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    is_replay boolean NOT NULL,
    pending bigint NOT NULL,
    held bigint NOT NULL,
    success bigint NOT NULL,
    failed bigint NOT NULL,
    dropped bigint NOT NULL,
    first_sequence bigint,
    last_sequence bigint,
    posts bigint NOT NULL,
    posts_ms bigint NOT NULL,
    buckets smallint[] NOT NULL,
    bucket_posts bigint[] NOT NULL,
    CONSTRAINT webhook_quarters_check CHECK ((cardinality(bucket_posts) = cardinality(buckets))),
    CONSTRAINT webhook_quarters_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
);

ALTER TABLE ONLY public.webhook_quarters FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE webhook_quarters; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.webhook_quarters IS 'deliveries by the quarter of an hour of their event, or, sent again by a replay, of that; posts by the quarter in which they were made. Without test posts';

--
-- Name: COLUMN webhook_quarters.buckets; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_quarters.buckets IS 'of response_time_bucket, those that posts fell into; bucket_posts has how many, place by place';

--
-- Name: webhook_replays; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.webhook_replays (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    webhook_id uuid NOT NULL,
    from_at timestamp with time zone NOT NULL,
    to_at timestamp with time zone NOT NULL,
    event_types text[] NOT NULL,
    event_filters jsonb,
    only_undelivered boolean NOT NULL,
    per_second integer NOT NULL,
    status text DEFAULT 'running'::text NOT NULL,
    total integer NOT NULL,
    done integer DEFAULT 0 NOT NULL,
    position_at timestamp with time zone,
    position_id uuid,
    next_run_at timestamp with time zone,
    created_by uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT webhook_replays_check CHECK ((to_at > from_at)),
    CONSTRAINT webhook_replays_event_types_check CHECK ((cardinality(event_types) > 0)),
    CONSTRAINT webhook_replays_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT webhook_replays_per_second_check CHECK (((per_second >= 1) AND (per_second <= 50))),
    CONSTRAINT webhook_replays_status_check CHECK ((status = ANY (ARRAY['running'::text, 'completed'::text, 'cancelled'::text])))
);

ALTER TABLE ONLY public.webhook_replays FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN webhook_replays.total; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_replays.total IS 'events that matched when it was asked for';

--
-- Name: COLUMN webhook_replays.done; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_replays.done IS 'deliveries that were made so far';

--
-- Name: COLUMN webhook_replays.position_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_replays.position_at IS 'with position_id: the last event that was looked at';

--
-- Name: COLUMN webhook_replays.next_run_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_replays.next_run_at IS 'when it goes on; null when it has ended';

--
-- Name: COLUMN webhook_replays.created_by; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhook_replays.created_by IS 'user or API key';

--
-- Name: webhook_sequences; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.webhook_sequences (
    webhook_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    last_number bigint DEFAULT 0 NOT NULL,
    CONSTRAINT webhook_sequences_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text])))
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.webhook_sequences FORCE ROW LEVEL SECURITY;

--
-- Name: TABLE webhook_sequences; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.webhook_sequences IS 'apart from webhooks, whose rows the dispatcher writes too: who gives numbers waits for nobody but the like';

--
-- Name: webhooks; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.webhooks (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    mode text NOT NULL,
    name character varying(255) NOT NULL,
    description text,
    endpoint_url character varying(2048) NOT NULL,
    secret_ref text NOT NULL,
    secret_last3 character(3) NOT NULL,
    event_types text[] NOT NULL,
    api_version text DEFAULT 'v1'::text NOT NULL,
    retry_enabled boolean DEFAULT true NOT NULL,
    max_retries integer DEFAULT 5 NOT NULL,
    timeout_seconds integer DEFAULT 5 NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    is_failing boolean DEFAULT false NOT NULL,
    consecutive_failures integer DEFAULT 0 NOT NULL,
    paused_reason text,
    last_success_at timestamp with time zone,
    last_failure_at timestamp with time zone,
    created_by uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    deleted_at timestamp with time zone,
    failing_since timestamp with time zone,
    warned_percent integer DEFAULT 0 NOT NULL,
    exhaustion_told_at timestamp with time zone,
    is_probing boolean DEFAULT false NOT NULL,
    event_filters jsonb,
    secret_version integer DEFAULT 1 NOT NULL,
    previous_secret_until timestamp with time zone,
    custom_header_names text[] DEFAULT '{}'::text[] NOT NULL,
    max_per_second integer,
    ordering text DEFAULT 'none'::text NOT NULL,
    batch_size integer DEFAULT 1 NOT NULL,
    batch_wait_seconds integer DEFAULT 0 NOT NULL,
    held_due_at timestamp with time zone,
    held_dropped_before timestamp with time zone,
    paced_until timestamp with time zone,
    secret_changed_at timestamp with time zone,
    CONSTRAINT webhooks_batch_size_check CHECK (((batch_size >= 1) AND (batch_size <= 100))),
    CONSTRAINT webhooks_batch_wait_seconds_check CHECK (((batch_wait_seconds >= 0) AND (batch_wait_seconds <= 60))),
    CONSTRAINT webhooks_event_types_check CHECK ((cardinality(event_types) > 0)),
    CONSTRAINT webhooks_max_per_second_check CHECK (((max_per_second >= 1) AND (max_per_second <= 1000))),
    CONSTRAINT webhooks_max_retries_check CHECK (((max_retries >= 1) AND (max_retries <= 10))),
    CONSTRAINT webhooks_mode_check CHECK ((mode = ANY (ARRAY['live'::text, 'test'::text]))),
    CONSTRAINT webhooks_ordering_check CHECK ((ordering = ANY (ARRAY['none'::text, 'contact'::text, 'campaign'::text]))),
    CONSTRAINT webhooks_timeout_seconds_check CHECK (((timeout_seconds >= 1) AND (timeout_seconds <= 30))),
    CONSTRAINT webhooks_warned_percent_check CHECK ((warned_percent = ANY (ARRAY[0, 50, 70, 90])))
);
ALTER TABLE ONLY public.webhooks ALTER COLUMN tenant_id SET STATISTICS 1;
ALTER TABLE ONLY public.webhooks ALTER COLUMN tenant_id SET (n_distinct=1);

ALTER TABLE ONLY public.webhooks FORCE ROW LEVEL SECURITY;

--
-- Name: COLUMN webhooks.secret_ref; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.secret_ref IS 'path of the signing secret in Vault';

--
-- Name: COLUMN webhooks.paused_reason; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.paused_reason IS 'null: by a user; failures: after many in a row; gone: the receiver answered 410';

--
-- Name: COLUMN webhooks.created_by; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.created_by IS 'user or API key';

--
-- Name: COLUMN webhooks.failing_since; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.failing_since IS 'the first failure since the last success';

--
-- Name: COLUMN webhooks.warned_percent; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.warned_percent IS 'how near to being switched off its owners were last told it is';

--
-- Name: COLUMN webhooks.is_probing; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.is_probing IS 'resumed after it was switched off: one post at a time until one succeeds, off again when one fails';

--
-- Name: COLUMN webhooks.event_filters; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.event_filters IS 'as webhook_filters.py describes it; null takes every event of the types';

--
-- Name: COLUMN webhooks.secret_version; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.secret_version IS 'the version of the record in Vault that holds; a later one belongs to a change that was not completed';

--
-- Name: COLUMN webhooks.previous_secret_until; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.previous_secret_until IS 'until then posts are signed with the secret before this one too';

--
-- Name: COLUMN webhooks.custom_header_names; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.custom_header_names IS 'their values are in Vault, in the record of the secret';

--
-- Name: COLUMN webhooks.ordering; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.ordering IS 'whose events wait for each other';

--
-- Name: COLUMN webhooks.batch_wait_seconds; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.batch_wait_seconds IS 'how long deliveries are parked for others to share a post with';

--
-- Name: COLUMN webhooks.held_due_at; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.held_due_at IS 'when the next piece of what was held goes out; null when nothing is left of it';

--
-- Name: COLUMN webhooks.held_dropped_before; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.held_dropped_before IS 'what was held and whose event is older is given up first';

--
-- Name: COLUMN webhooks.paced_until; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.webhooks.paced_until IS 'until then the dispatcher leaves what is parked for it alone, as it has had its posts of the second';

--
-- Name: workspace_members; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.workspace_members (
    tenant_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL,
    CONSTRAINT workspace_members_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'member'::text, 'viewer'::text])))
);

ALTER TABLE ONLY public.workspace_members FORCE ROW LEVEL SECURITY;

--
-- Name: workspaces; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.workspaces (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    is_default boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT workspaces_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
    CONSTRAINT workspaces_slug_check CHECK (((slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text) AND (length(slug) <= 255)))
);

ALTER TABLE ONLY public.workspaces FORCE ROW LEVEL SECURITY;

--
-- Name: slices slices_pkey; Type: CONSTRAINT; Schema: import_staging; Owner: -
--

ALTER TABLE ONLY import_staging.slices
    ADD CONSTRAINT slices_pkey PRIMARY KEY (job_id, number);

--
-- Name: account_export_parts account_export_parts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account_export_parts
    ADD CONSTRAINT account_export_parts_pkey PRIMARY KEY (tenant_id, export_id, number);

--
-- Name: account_exports account_exports_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account_exports
    ADD CONSTRAINT account_exports_pkey PRIMARY KEY (id);

--
-- Name: account_exports account_exports_tenant_id_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account_exports
    ADD CONSTRAINT account_exports_tenant_id_id_key UNIQUE (tenant_id, id);

--
-- Name: api_key_usage_daily api_key_usage_daily_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_key_usage_daily
    ADD CONSTRAINT api_key_usage_daily_pkey PRIMARY KEY (tenant_id, api_key_id, day, endpoint, method);

--
-- Name: api_key_usage api_key_usage_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_key_usage
    ADD CONSTRAINT api_key_usage_pkey PRIMARY KEY (tenant_id, id, created_at);

--
-- Name: api_key_usage_sources api_key_usage_sources_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_key_usage_sources
    ADD CONSTRAINT api_key_usage_sources_pkey PRIMARY KEY (tenant_id, api_key_id, day, network, country);

--
-- Name: api_keys api_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

--
-- Name: api_keys api_keys_tenant_id_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_tenant_id_id_key UNIQUE (tenant_id, id);

--
-- Name: audit_log audit_log_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);

--
-- Name: campaign_contacts campaign_contacts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaign_contacts
    ADD CONSTRAINT campaign_contacts_pkey PRIMARY KEY (tenant_id, mode, contact_id, campaign_id);

--
-- Name: campaign_stats campaign_stats_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaign_stats
    ADD CONSTRAINT campaign_stats_pkey PRIMARY KEY (tenant_id, mode, campaign_id, step_id, variant);

--
-- Name: campaign_steps campaign_steps_order_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaign_steps
    ADD CONSTRAINT campaign_steps_order_unique UNIQUE (tenant_id, mode, campaign_id, step_order) DEFERRABLE INITIALLY DEFERRED;

--
-- Name: campaign_steps campaign_steps_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaign_steps
    ADD CONSTRAINT campaign_steps_pkey PRIMARY KEY (id);

--
-- Name: campaign_steps campaign_steps_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaign_steps
    ADD CONSTRAINT campaign_steps_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: campaigns campaigns_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_pkey PRIMARY KEY (id);

--
-- Name: campaigns campaigns_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: contact_counts contact_counts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_counts
    ADD CONSTRAINT contact_counts_pkey PRIMARY KEY (tenant_id, mode);

--
-- Name: contact_field_values contact_field_values_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_field_values
    ADD CONSTRAINT contact_field_values_pkey PRIMARY KEY (tenant_id, mode, contact_id, field_id);

--
-- Name: contact_fields contact_fields_key_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_fields
    ADD CONSTRAINT contact_fields_key_unique UNIQUE (tenant_id, mode, key);

--
-- Name: contact_fields contact_fields_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_fields
    ADD CONSTRAINT contact_fields_pkey PRIMARY KEY (id);

--
-- Name: contact_fields contact_fields_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_fields
    ADD CONSTRAINT contact_fields_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: contact_lists contact_lists_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_lists
    ADD CONSTRAINT contact_lists_pkey PRIMARY KEY (tenant_id, mode, contact_id, list_id);

--
-- Name: contact_search contact_search_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_search
    ADD CONSTRAINT contact_search_pkey PRIMARY KEY (contact_id);

--
-- Name: contact_spans contact_spans_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_spans
    ADD CONSTRAINT contact_spans_pkey PRIMARY KEY (tenant_id, mode, starts_at, starts_id);

--
-- Name: contact_tags contact_tags_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_tags
    ADD CONSTRAINT contact_tags_pkey PRIMARY KEY (tenant_id, mode, contact_id, tag_id);

--
-- Name: contact_workspaces contact_workspaces_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_workspaces
    ADD CONSTRAINT contact_workspaces_pkey PRIMARY KEY (tenant_id, mode, contact_id, workspace_id);

--
-- Name: contacts contacts_email_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_email_unique UNIQUE (tenant_id, mode, email);

--
-- Name: contacts contacts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_pkey PRIMARY KEY (id);

--
-- Name: contacts contacts_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: content_objects content_objects_of_tenant; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.content_objects
    ADD CONSTRAINT content_objects_of_tenant UNIQUE (tenant_id, mode, storage_key);

--
-- Name: content_objects content_objects_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.content_objects
    ADD CONSTRAINT content_objects_pkey PRIMARY KEY (storage_key);

--
-- Name: domains domains_name_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.domains
    ADD CONSTRAINT domains_name_unique UNIQUE (tenant_id, mode, domain);

--
-- Name: domains domains_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.domains
    ADD CONSTRAINT domains_pkey PRIMARY KEY (id);

--
-- Name: domains domains_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.domains
    ADD CONSTRAINT domains_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: email_attachments email_attachments_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_attachments
    ADD CONSTRAINT email_attachments_pkey PRIMARY KEY (tenant_id, mode, content_key, "position");

--
-- Name: email_events email_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_events
    ADD CONSTRAINT email_events_pkey PRIMARY KEY (id);

--
-- Name: email_figure_changes email_figure_changes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_figure_changes
    ADD CONSTRAINT email_figure_changes_pkey PRIMARY KEY (id);

--
-- Name: email_rollups email_rollups_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_rollups
    ADD CONSTRAINT email_rollups_pkey PRIMARY KEY (tenant_id, mode, slice, slice_key, grain, starts_at, email_type, step_id, variant);

--
-- Name: email_tags email_tags_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_tags
    ADD CONSTRAINT email_tags_pkey PRIMARY KEY (tenant_id, mode, email_id, tag);

--
-- Name: email_uploads email_uploads_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_uploads
    ADD CONSTRAINT email_uploads_pkey PRIMARY KEY (id);

--
-- Name: email_uploads email_uploads_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_uploads
    ADD CONSTRAINT email_uploads_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: emails emails_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.emails
    ADD CONSTRAINT emails_pkey PRIMARY KEY (id);

--
-- Name: emails emails_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.emails
    ADD CONSTRAINT emails_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (tenant_id, mode, id, created_at);

--
-- Name: export_jobs export_jobs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.export_jobs
    ADD CONSTRAINT export_jobs_pkey PRIMARY KEY (id);

--
-- Name: export_jobs export_jobs_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.export_jobs
    ADD CONSTRAINT export_jobs_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: idempotency_keys idempotency_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_id, mode, principal_id, route, key);

--
-- Name: import_events import_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.import_events
    ADD CONSTRAINT import_events_pkey PRIMARY KEY (tenant_id, mode, job_id, line);

--
-- Name: import_jobs import_jobs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.import_jobs
    ADD CONSTRAINT import_jobs_pkey PRIMARY KEY (id);

--
-- Name: import_jobs import_jobs_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.import_jobs
    ADD CONSTRAINT import_jobs_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: inbox_attachments inbox_attachments_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_attachments
    ADD CONSTRAINT inbox_attachments_pkey PRIMARY KEY (id);

--
-- Name: inbox_attachments inbox_attachments_tenant_id_mode_message_id_position_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_attachments
    ADD CONSTRAINT inbox_attachments_tenant_id_mode_message_id_position_key UNIQUE (tenant_id, mode, message_id, "position");

--
-- Name: inbox_messages inbox_messages_of_tenant; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_messages
    ADD CONSTRAINT inbox_messages_of_tenant UNIQUE (tenant_id, mode, id);

--
-- Name: inbox_messages inbox_messages_once; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_messages
    ADD CONSTRAINT inbox_messages_once UNIQUE (tenant_id, mode, message_id);

--
-- Name: inbox_messages inbox_messages_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_messages
    ADD CONSTRAINT inbox_messages_pkey PRIMARY KEY (id);

--
-- Name: inbox_threads inbox_threads_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_threads
    ADD CONSTRAINT inbox_threads_pkey PRIMARY KEY (id);

--
-- Name: inbox_threads inbox_threads_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_threads
    ADD CONSTRAINT inbox_threads_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: invitations invitations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_pkey PRIMARY KEY (id);

--
-- Name: invitations invitations_tenant_id_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_tenant_id_id_key UNIQUE (tenant_id, id);

--
-- Name: invitations invitations_token_hash_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_token_hash_key UNIQUE (token_hash);

--
-- Name: link_tokens link_tokens_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_tokens
    ADD CONSTRAINT link_tokens_pkey PRIMARY KEY (id);

--
-- Name: link_tokens link_tokens_token_hash_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_tokens
    ADD CONSTRAINT link_tokens_token_hash_key UNIQUE (token_hash);

--
-- Name: lists lists_name_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.lists
    ADD CONSTRAINT lists_name_unique UNIQUE (tenant_id, mode, name);

--
-- Name: lists lists_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.lists
    ADD CONSTRAINT lists_pkey PRIMARY KEY (id);

--
-- Name: lists lists_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.lists
    ADD CONSTRAINT lists_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: mail_outbox mail_outbox_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.mail_outbox
    ADD CONSTRAINT mail_outbox_pkey PRIMARY KEY (id);

--
-- Name: mail_outbox mail_outbox_tenant_id_dedupe_key_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.mail_outbox
    ADD CONSTRAINT mail_outbox_tenant_id_dedupe_key_key UNIQUE (tenant_id, dedupe_key);

--
-- Name: mail_servers mail_servers_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.mail_servers
    ADD CONSTRAINT mail_servers_pkey PRIMARY KEY (tenant_id);

--
-- Name: mailbox_days mailbox_days_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.mailbox_days
    ADD CONSTRAINT mailbox_days_pkey PRIMARY KEY (tenant_id, mode, mailbox, day);

--
-- Name: monthly_reports monthly_reports_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.monthly_reports
    ADD CONSTRAINT monthly_reports_pkey PRIMARY KEY (month);

--
-- Name: outbox outbox_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

--
-- Name: partitioned_tables partitioned_tables_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.partitioned_tables
    ADD CONSTRAINT partitioned_tables_pkey PRIMARY KEY (table_name);

--
-- Name: pending_removals pending_removals_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pending_removals
    ADD CONSTRAINT pending_removals_pkey PRIMARY KEY (tenant_id, kind, id);

--
-- Name: plans plans_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.plans
    ADD CONSTRAINT plans_pkey PRIMARY KEY (slug);

--
-- Name: privacy_requests privacy_requests_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.privacy_requests
    ADD CONSTRAINT privacy_requests_pkey PRIMARY KEY (id);

--
-- Name: privacy_requests privacy_requests_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.privacy_requests
    ADD CONSTRAINT privacy_requests_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: provider_accounts provider_accounts_endpoint_hash_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.provider_accounts
    ADD CONSTRAINT provider_accounts_endpoint_hash_key UNIQUE (endpoint_hash);

--
-- Name: provider_accounts provider_accounts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.provider_accounts
    ADD CONSTRAINT provider_accounts_pkey PRIMARY KEY (tenant_id, provider);

--
-- Name: provider_events provider_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.provider_events
    ADD CONSTRAINT provider_events_pkey PRIMARY KEY (tenant_id, mode, provider, event_key);

--
-- Name: reauth_tokens reauth_tokens_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.reauth_tokens
    ADD CONSTRAINT reauth_tokens_pkey PRIMARY KEY (id);

--
-- Name: reauth_tokens reauth_tokens_token_hash_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.reauth_tokens
    ADD CONSTRAINT reauth_tokens_token_hash_key UNIQUE (token_hash);

--
-- Name: recovery_codes recovery_codes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_pkey PRIMARY KEY (tenant_id, user_id, code_digest);

--
-- Name: response_time_windows response_time_windows_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.response_time_windows
    ADD CONSTRAINT response_time_windows_pkey PRIMARY KEY (starts_at);

--
-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);

--
-- Name: segments segments_name_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.segments
    ADD CONSTRAINT segments_name_unique UNIQUE (tenant_id, mode, name);

--
-- Name: segments segments_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.segments
    ADD CONSTRAINT segments_pkey PRIMARY KEY (id);

--
-- Name: segments segments_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.segments
    ADD CONSTRAINT segments_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: send_paces send_paces_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.send_paces
    ADD CONSTRAINT send_paces_pkey PRIMARY KEY (tenant_id);

--
-- Name: sessions sessions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

--
-- Name: sessions sessions_tenant_id_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_tenant_id_id_key UNIQUE (tenant_id, id);

--
-- Name: soft_bounces soft_bounces_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.soft_bounces
    ADD CONSTRAINT soft_bounces_pkey PRIMARY KEY (tenant_id, mode, email);

--
-- Name: staff_members staff_members_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_members
    ADD CONSTRAINT staff_members_pkey PRIMARY KEY (user_id);

--
-- Name: subscriptions subscriptions_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_pkey PRIMARY KEY (id);

--
-- Name: subscriptions subscriptions_tenant_id_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_tenant_id_id_key UNIQUE (tenant_id, id);

--
-- Name: subscriptions subscriptions_tenant_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_tenant_id_key UNIQUE (tenant_id);

--
-- Name: suppression_lifts suppression_lifts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.suppression_lifts
    ADD CONSTRAINT suppression_lifts_pkey PRIMARY KEY (id);

--
-- Name: suppression_lifts suppression_lifts_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.suppression_lifts
    ADD CONSTRAINT suppression_lifts_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: suppression_list suppression_list_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.suppression_list
    ADD CONSTRAINT suppression_list_pkey PRIMARY KEY (id);

--
-- Name: suppression_list suppression_list_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.suppression_list
    ADD CONSTRAINT suppression_list_unique UNIQUE NULLS NOT DISTINCT (email, tenant_id, mode, scope, workspace_id, campaign_type);

--
-- Name: tags tags_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (id);

--
-- Name: tags tags_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: tags tags_tenant_id_mode_name_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_tenant_id_mode_name_key UNIQUE (tenant_id, mode, name);

--
-- Name: templates templates_name_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_name_unique UNIQUE (tenant_id, mode, name);

--
-- Name: templates templates_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_pkey PRIMARY KEY (id);

--
-- Name: templates templates_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: tenant_overrides tenant_overrides_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tenant_overrides
    ADD CONSTRAINT tenant_overrides_pkey PRIMARY KEY (tenant_id);

--
-- Name: tenants tenants_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (id);

--
-- Name: usage_counters usage_counters_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_counters
    ADD CONSTRAINT usage_counters_pkey PRIMARY KEY (tenant_id, metric, period_start);

--
-- Name: user_credentials user_credentials_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.user_credentials
    ADD CONSTRAINT user_credentials_pkey PRIMARY KEY (tenant_id, user_id);

--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

--
-- Name: users users_tenant_id_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_tenant_id_id_key UNIQUE (tenant_id, id);

--
-- Name: webhook_attempts webhook_attempts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_attempts
    ADD CONSTRAINT webhook_attempts_pkey PRIMARY KEY (tenant_id, mode, delivery_id, attempt_number, event_created_at);

--
-- Name: webhook_deliveries webhook_deliveries_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (tenant_id, mode, id, event_created_at);

--
-- Name: webhook_figure_changes webhook_figure_changes_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_figure_changes
    ADD CONSTRAINT webhook_figure_changes_pkey PRIMARY KEY (id);

--
-- Name: webhook_quarters webhook_quarters_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_quarters
    ADD CONSTRAINT webhook_quarters_pkey PRIMARY KEY (tenant_id, mode, webhook_id, starts_at, is_replay);

--
-- Name: webhook_replays webhook_replays_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_replays
    ADD CONSTRAINT webhook_replays_pkey PRIMARY KEY (id);

--
-- Name: webhook_replays webhook_replays_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_replays
    ADD CONSTRAINT webhook_replays_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: webhook_sequences webhook_sequences_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_sequences
    ADD CONSTRAINT webhook_sequences_pkey PRIMARY KEY (webhook_id);

--
-- Name: webhooks webhooks_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (id);

--
-- Name: webhooks webhooks_tenant_id_mode_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_tenant_id_mode_id_key UNIQUE (tenant_id, mode, id);

--
-- Name: workspace_members workspace_members_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workspace_members
    ADD CONSTRAINT workspace_members_pkey PRIMARY KEY (tenant_id, workspace_id, user_id);

--
-- Name: workspaces workspaces_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT workspaces_pkey PRIMARY KEY (id);

--
-- Name: workspaces workspaces_tenant_id_id_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT workspaces_tenant_id_id_key UNIQUE (tenant_id, id);

--
-- Name: workspaces workspaces_tenant_id_slug_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT workspaces_tenant_id_slug_key UNIQUE (tenant_id, slug);

--
-- Name: account_exports_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX account_exports_by_created ON public.account_exports USING btree (tenant_id, created_at, id);

--
-- Name: account_exports_by_expiry; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX account_exports_by_expiry ON public.account_exports USING btree (expires_at) WHERE (status = 'completed'::text);

--
-- Name: account_exports_one_at_a_time; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX account_exports_one_at_a_time ON public.account_exports USING btree (tenant_id) WHERE (status = ANY (ARRAY['pending'::text, 'processing'::text]));

--
-- Name: account_exports_open; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX account_exports_open ON public.account_exports USING btree (created_at) WHERE (status = ANY (ARRAY['pending'::text, 'processing'::text]));

--
-- Name: api_key_usage_by_key; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX api_key_usage_by_key ON ONLY public.api_key_usage USING btree (tenant_id, api_key_id, created_at DESC);

--
-- Name: api_key_usage_by_time; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX api_key_usage_by_time ON ONLY public.api_key_usage USING btree (created_at DESC);

--
-- Name: api_key_usage_daily_by_day; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX api_key_usage_daily_by_day ON public.api_key_usage_daily USING btree (tenant_id, day);

--
-- Name: api_keys_active_by_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX api_keys_active_by_age ON public.api_keys USING btree (COALESCE(regenerated_at, created_at)) WHERE (status = 'active'::text);

--
-- Name: api_keys_active_by_expiry; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX api_keys_active_by_expiry ON public.api_keys USING btree (expires_at) WHERE ((status = 'active'::text) AND (expires_at IS NOT NULL));

--
-- Name: api_keys_by_digest; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX api_keys_by_digest ON public.api_keys USING btree (lookup_digest);

--
-- Name: api_keys_by_tenant; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX api_keys_by_tenant ON public.api_keys USING btree (tenant_id, status, created_at DESC, id DESC);

--
-- Name: api_keys_to_record; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX api_keys_to_record ON public.api_keys USING btree (COALESCE(recorded_at, created_at));

--
-- Name: audit_log_by_event; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX audit_log_by_event ON public.audit_log USING btree (event, created_at);

--
-- Name: audit_log_by_tenant; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX audit_log_by_tenant ON public.audit_log USING btree (tenant_id, created_at DESC);

--
-- Name: campaign_contacts_by_enrolment; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaign_contacts_by_enrolment ON public.campaign_contacts USING btree (tenant_id, mode, campaign_id, enrolled_at, contact_id);

--
-- Name: campaign_contacts_by_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaign_contacts_by_status ON public.campaign_contacts USING btree (tenant_id, mode, campaign_id, status, enrolled_at, contact_id);

--
-- Name: campaign_contacts_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaign_contacts_due ON public.campaign_contacts USING btree (tenant_id, mode, campaign_id, next_email_at, contact_id) WHERE (next_email_at IS NOT NULL);

--
-- Name: campaigns_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_created ON public.campaigns USING btree (tenant_id, mode, created_at, id);

--
-- Name: campaigns_by_end; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_end ON public.campaigns USING btree (completed_at) WHERE (status = 'completed'::text);

--
-- Name: campaigns_by_list; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_list ON public.campaigns USING btree (tenant_id, mode, list_id) WHERE (list_id IS NOT NULL);

--
-- Name: campaigns_by_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_name ON public.campaigns USING btree (tenant_id, mode, name, id);

--
-- Name: campaigns_by_search; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_search ON public.campaigns USING btree (tenant_id, mode, name_lower, id);

--
-- Name: campaigns_by_segment; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_segment ON public.campaigns USING btree (tenant_id, mode, segment_id) WHERE (segment_id IS NOT NULL);

--
-- Name: campaigns_by_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_status ON public.campaigns USING btree (tenant_id, mode, status, created_at, id);

--
-- Name: campaigns_by_status_and_change; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_status_and_change ON public.campaigns USING btree (tenant_id, mode, status, updated_at, id);

--
-- Name: campaigns_by_status_and_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_status_and_name ON public.campaigns USING btree (tenant_id, mode, status, name, id);

--
-- Name: campaigns_by_updated; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_updated ON public.campaigns USING btree (tenant_id, mode, updated_at, id);

--
-- Name: campaigns_by_workspace; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_workspace ON public.campaigns USING btree (tenant_id, mode, workspace_id, created_at, id);

--
-- Name: campaigns_by_workspace_and_change; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_workspace_and_change ON public.campaigns USING btree (tenant_id, mode, workspace_id, updated_at, id);

--
-- Name: campaigns_by_workspace_and_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_workspace_and_name ON public.campaigns USING btree (tenant_id, mode, workspace_id, name, id);

--
-- Name: campaigns_by_workspace_and_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_workspace_and_status ON public.campaigns USING btree (tenant_id, mode, workspace_id, status, created_at, id);

--
-- Name: campaigns_by_workspace_status_and_change; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_workspace_status_and_change ON public.campaigns USING btree (tenant_id, mode, workspace_id, status, updated_at, id);

--
-- Name: campaigns_by_workspace_status_and_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_by_workspace_status_and_name ON public.campaigns USING btree (tenant_id, mode, workspace_id, status, name, id);

--
-- Name: campaigns_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX campaigns_due ON public.campaigns USING btree (next_plan_at) WHERE (next_plan_at IS NOT NULL);

--
-- Name: contact_field_values_by_date; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contact_field_values_by_date ON public.contact_field_values USING btree (tenant_id, mode, field_id, date_value) WHERE (date_value IS NOT NULL);

--
-- Name: contact_field_values_by_field; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contact_field_values_by_field ON public.contact_field_values USING btree (tenant_id, mode, field_id);

--
-- Name: contact_field_values_by_number; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contact_field_values_by_number ON public.contact_field_values USING btree (tenant_id, mode, field_id, number_value) WHERE (number_value IS NOT NULL);

--
-- Name: contact_field_values_by_text; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contact_field_values_by_text ON public.contact_field_values USING btree (tenant_id, mode, field_id, text_value) WHERE (text_value IS NOT NULL);

--
-- Name: contact_fields_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contact_fields_by_created ON public.contact_fields USING btree (tenant_id, mode, created_at, id);

--
-- Name: contact_fields_to_prepare; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contact_fields_to_prepare ON public.contact_fields USING btree (created_at) WHERE ((NOT is_ready) AND (error_message IS NULL));

--
-- Name: contact_lists_by_assigned; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contact_lists_by_assigned ON public.contact_lists USING btree (tenant_id, mode, list_id, assigned_at, contact_id);

--
-- Name: contact_lists_by_list; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contact_lists_by_list ON public.contact_lists USING btree (tenant_id, mode, list_id, contact_created_at, contact_id);

--
-- Name: contact_search_by_tenant; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contact_search_by_tenant ON public.contact_search USING btree (tenant_id, mode);

--
-- Name: contact_search_by_words; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contact_search_by_words ON public.contact_search USING gin (words);

--
-- Name: contact_spans_by_number; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contact_spans_by_number ON public.contact_spans USING btree (number, tenant_id, mode);

--
-- Name: contact_tags_by_tag; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contact_tags_by_tag ON public.contact_tags USING btree (tenant_id, mode, tag_id, contact_created_at, contact_id);

--
-- Name: contact_workspaces_by_workspace; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contact_workspaces_by_workspace ON public.contact_workspaces USING btree (tenant_id, mode, workspace_id, contact_created_at, contact_id);

--
-- Name: contacts_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contacts_by_created ON public.contacts USING btree (tenant_id, mode, created_at, id);

--
-- Name: contacts_by_external_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contacts_by_external_id ON public.contacts USING btree (tenant_id, mode, lower((external_id)::text)) WHERE (external_id IS NOT NULL);

--
-- Name: contacts_by_falling_score; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contacts_by_falling_score ON public.contacts USING btree (lead_score_falls_at) WHERE (lead_score_falls_at IS NOT NULL);

--
-- Name: contacts_by_phone; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contacts_by_phone ON public.contacts USING btree (tenant_id, mode, lower((phone)::text)) WHERE (phone IS NOT NULL);

--
-- Name: contacts_by_updated; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contacts_by_updated ON public.contacts USING btree (tenant_id, mode, updated_at, id);

--
-- Name: contacts_external_id_unique; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX contacts_external_id_unique ON public.contacts USING btree (tenant_id, mode, external_id) WHERE (external_id IS NOT NULL);

--
-- Name: contacts_to_erase; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX contacts_to_erase ON public.contacts USING btree (status_since) WHERE ((status = 'unsubscribed'::text) AND ((fields_erased_at IS NULL) OR (attributes <> '{}'::jsonb) OR (num_nonnulls(first_name, last_name, company, job_title, phone, city, state, country, lead_source, external_id) > 0)));

--
-- Name: content_objects_by_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX content_objects_by_age ON public.content_objects USING btree (created_at);

--
-- Name: domains_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX domains_by_created ON public.domains USING btree (tenant_id, mode, created_at, id);

--
-- Name: domains_by_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX domains_by_status ON public.domains USING btree (tenant_id, mode, verification_status, created_at, id);

--
-- Name: domains_by_status_and_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX domains_by_status_and_name ON public.domains USING btree (tenant_id, mode, verification_status, domain, id);

--
-- Name: domains_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX domains_due ON public.domains USING btree (next_check_at) WHERE (next_check_at IS NOT NULL);

--
-- Name: domains_verified_once; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX domains_verified_once ON public.domains USING btree (mode, domain) WHERE (verification_status = 'verified'::text);

--
-- Name: email_attachments_by_upload; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX email_attachments_by_upload ON public.email_attachments USING btree (tenant_id, mode, upload_id) WHERE (upload_id IS NOT NULL);

--
-- Name: email_events_by_email; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX email_events_by_email ON public.email_events USING btree (tenant_id, mode, email_id, occurred_at);

--
-- Name: email_figure_changes_by_slice; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX email_figure_changes_by_slice ON public.email_figure_changes USING btree (tenant_id, mode, slice, slice_key, starts_at);

--
-- Name: email_tags_by_campaign; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX email_tags_by_campaign ON public.email_tags USING btree (tenant_id, mode, tag, campaign_id, email_created_at, email_id) WHERE (campaign_id IS NOT NULL);

--
-- Name: email_tags_by_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX email_tags_by_status ON public.email_tags USING btree (tenant_id, mode, tag, status, email_created_at, email_id);

--
-- Name: email_tags_by_tag; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX email_tags_by_tag ON public.email_tags USING btree (tenant_id, mode, tag, email_created_at, email_id);

--
-- Name: email_uploads_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX email_uploads_due ON public.email_uploads USING btree (look_at);

--
-- Name: emails_by_campaign; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX emails_by_campaign ON public.emails USING btree (tenant_id, mode, campaign_id, created_at, id) WHERE (campaign_id IS NOT NULL);

--
-- Name: emails_by_campaign_and_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX emails_by_campaign_and_status ON public.emails USING btree (tenant_id, mode, campaign_id, status, created_at, id) WHERE (campaign_id IS NOT NULL);

--
-- Name: emails_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX emails_by_created ON public.emails USING btree (tenant_id, mode, created_at, id);

--
-- Name: emails_by_recipient; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX emails_by_recipient ON public.emails USING btree (tenant_id, mode, to_email, created_at, id);

--
-- Name: emails_by_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX emails_by_status ON public.emails USING btree (tenant_id, mode, status, created_at, id);

--
-- Name: emails_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX emails_due ON public.emails USING btree (next_sweep_at) WHERE (next_sweep_at IS NOT NULL);

--
-- Name: emails_once_per_step; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX emails_once_per_step ON public.emails USING btree (tenant_id, mode, campaign_id, contact_id, step_id) WHERE (step_id IS NOT NULL);

--
-- Name: events_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_by_created ON ONLY public.events USING btree (tenant_id, mode, created_at, id);

--
-- Name: events_by_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_by_id ON ONLY public.events USING btree (id);

--
-- Name: events_by_subject; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_by_subject ON ONLY public.events USING btree (tenant_id, mode, subject_id) WHERE (subject_id IS NOT NULL);

--
-- Name: events_by_type; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_by_type ON ONLY public.events USING btree (tenant_id, mode, type, created_at, id);

--
-- Name: events_erased; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_erased ON ONLY public.events USING btree (tenant_id, mode, erased_at) WHERE (erased_at IS NOT NULL);

--
-- Name: export_jobs_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX export_jobs_by_created ON public.export_jobs USING btree (tenant_id, mode, created_at, id);

--
-- Name: export_jobs_by_expiry; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX export_jobs_by_expiry ON public.export_jobs USING btree (expires_at) WHERE (status = 'completed'::text);

--
-- Name: idempotency_keys_by_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (created_at);

--
-- Name: import_events_by_contact; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX import_events_by_contact ON public.import_events USING btree (tenant_id, mode, contact_id) WHERE (type = 'updated'::text);

--
-- Name: import_events_undone; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX import_events_undone ON public.import_events USING btree (tenant_id, mode, contact_id) WHERE (type = 'undone'::text);

--
-- Name: import_jobs_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX import_jobs_by_created ON public.import_jobs USING btree (tenant_id, mode, created_at, id);

--
-- Name: import_jobs_by_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX import_jobs_by_status ON public.import_jobs USING btree (tenant_id, mode, status, created_at, id);

--
-- Name: import_jobs_with_files; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX import_jobs_with_files ON public.import_jobs USING btree (created_at) WHERE (files_removed_at IS NULL);

--
-- Name: inbox_messages_by_email; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX inbox_messages_by_email ON public.inbox_messages USING btree (tenant_id, mode, email_id) WHERE (email_id IS NOT NULL);

--
-- Name: inbox_messages_by_sender; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX inbox_messages_by_sender ON public.inbox_messages USING btree (tenant_id, mode, from_email);

--
-- Name: inbox_messages_by_thread; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX inbox_messages_by_thread ON public.inbox_messages USING btree (tenant_id, mode, thread_id, received_at, id);

--
-- Name: inbox_threads_by_correspondent; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX inbox_threads_by_correspondent ON public.inbox_threads USING btree (tenant_id, mode, correspondent);

--
-- Name: inbox_threads_by_reading; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX inbox_threads_by_reading ON public.inbox_threads USING btree (tenant_id, mode, is_unread, last_message_at, id);

--
-- Name: inbox_threads_by_reading_and_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX inbox_threads_by_reading_and_status ON public.inbox_threads USING btree (tenant_id, mode, is_unread, status, last_message_at, id);

--
-- Name: inbox_threads_by_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX inbox_threads_by_status ON public.inbox_threads USING btree (tenant_id, mode, status, last_message_at, id);

--
-- Name: inbox_threads_by_time; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX inbox_threads_by_time ON public.inbox_threads USING btree (tenant_id, mode, last_message_at, id);

--
-- Name: inbox_threads_snoozed; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX inbox_threads_snoozed ON public.inbox_threads USING btree (tenant_id, mode, snoozed_until) WHERE (snoozed_until IS NOT NULL);

--
-- Name: invitations_by_time; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX invitations_by_time ON public.invitations USING btree (tenant_id, created_at DESC, id DESC);

--
-- Name: invitations_open; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX invitations_open ON public.invitations USING btree (tenant_id, email) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));

--
-- Name: link_tokens_by_expiry; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX link_tokens_by_expiry ON public.link_tokens USING btree (expires_at);

--
-- Name: link_tokens_by_user; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX link_tokens_by_user ON public.link_tokens USING btree (tenant_id, user_id, purpose);

--
-- Name: lists_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX lists_by_created ON public.lists USING btree (tenant_id, mode, created_at, id);

--
-- Name: lists_by_segment; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX lists_by_segment ON public.lists USING btree (tenant_id, mode, segment_id) WHERE (segment_id IS NOT NULL);

--
-- Name: lists_by_type; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX lists_by_type ON public.lists USING btree (tenant_id, mode, type, created_at, id);

--
-- Name: lists_by_type_and_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX lists_by_type_and_name ON public.lists USING btree (tenant_id, mode, type, name, id);

--
-- Name: mail_outbox_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX mail_outbox_due ON public.mail_outbox USING btree (next_attempt_at) WHERE (status = ANY (ARRAY['queued'::text, 'sending'::text]));

--
-- Name: outbox_by_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX outbox_by_age ON public.outbox USING btree (created_at);

--
-- Name: outbox_by_tenant; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX outbox_by_tenant ON public.outbox USING btree (tenant_id, mode, queue, created_at);

--
-- Name: pending_removals_by_time; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX pending_removals_by_time ON public.pending_removals USING btree (deleted_at);

--
-- Name: privacy_requests_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX privacy_requests_by_created ON public.privacy_requests USING btree (tenant_id, mode, created_at, id);

--
-- Name: privacy_requests_by_email; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX privacy_requests_by_email ON public.privacy_requests USING btree (tenant_id, mode, email, created_at, id);

--
-- Name: privacy_requests_by_expiry; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX privacy_requests_by_expiry ON public.privacy_requests USING btree (expires_at) WHERE (file_key IS NOT NULL);

--
-- Name: privacy_requests_open; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX privacy_requests_open ON public.privacy_requests USING btree (created_at) WHERE (status = ANY (ARRAY['pending'::text, 'processing'::text]));

--
-- Name: provider_events_by_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX provider_events_by_age ON public.provider_events USING btree (received_at);

--
-- Name: reauth_tokens_by_expiry; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX reauth_tokens_by_expiry ON public.reauth_tokens USING btree (expires_at);

--
-- Name: segments_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX segments_by_created ON public.segments USING btree (tenant_id, mode, created_at, id);

--
-- Name: segments_to_count; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX segments_to_count ON public.segments USING btree (count_due_at) WHERE (count_due_at IS NOT NULL);

--
-- Name: sessions_by_previous_refresh; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX sessions_by_previous_refresh ON public.sessions USING btree (previous_refresh_hash) WHERE (previous_refresh_hash IS NOT NULL);

--
-- Name: sessions_by_refresh; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX sessions_by_refresh ON public.sessions USING btree (refresh_hash);

--
-- Name: sessions_by_user; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX sessions_by_user ON public.sessions USING btree (tenant_id, user_id, last_used_at) WHERE (ended_at IS NULL);

--
-- Name: suppression_lifts_by_email; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX suppression_lifts_by_email ON public.suppression_lifts USING btree (tenant_id, mode, email);

--
-- Name: suppression_list_by_reason; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX suppression_list_by_reason ON public.suppression_list USING btree (tenant_id, mode, reason, added_at, id);

--
-- Name: suppression_list_by_tenant; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX suppression_list_by_tenant ON public.suppression_list USING btree (tenant_id, mode, added_at, id);

--
-- Name: suppression_list_by_workspace; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX suppression_list_by_workspace ON public.suppression_list USING btree (tenant_id, workspace_id) WHERE (workspace_id IS NOT NULL);

--
-- Name: tags_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX tags_by_created ON public.tags USING btree (tenant_id, mode, created_at, id);

--
-- Name: templates_by_created; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX templates_by_created ON public.templates USING btree (tenant_id, mode, created_at, id);

--
-- Name: templates_by_updated; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX templates_by_updated ON public.templates USING btree (tenant_id, mode, updated_at, id);

--
-- Name: templates_by_workspace_and_change; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX templates_by_workspace_and_change ON public.templates USING btree (tenant_id, mode, workspace_id, updated_at, id);

--
-- Name: templates_by_workspace_and_creation; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX templates_by_workspace_and_creation ON public.templates USING btree (tenant_id, mode, workspace_id, created_at, id);

--
-- Name: templates_by_workspace_and_name; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX templates_by_workspace_and_name ON public.templates USING btree (tenant_id, mode, workspace_id, name, id);

--
-- Name: tenants_closing_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX tenants_closing_at ON public.tenants USING btree (closes_at) WHERE ((closes_at IS NOT NULL) AND (erased_at IS NULL));

--
-- Name: users_email_key; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX users_email_key ON public.users USING btree (email) WHERE (deleted_at IS NULL);

--
-- Name: webhook_attempts_by_batch; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_attempts_by_batch ON ONLY public.webhook_attempts USING btree (tenant_id, mode, batch_id) WHERE (batch_id IS NOT NULL);

--
-- Name: webhook_deliveries_by_end; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_by_end ON ONLY public.webhook_deliveries USING brin (finished_at) WITH (autosummarize='on');

--
-- Name: webhook_deliveries_by_event; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX webhook_deliveries_by_event ON ONLY public.webhook_deliveries USING btree (tenant_id, mode, webhook_id, event_id, event_created_at, replay_id) NULLS NOT DISTINCT;

--
-- Name: webhook_deliveries_by_event_type; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_by_event_type ON ONLY public.webhook_deliveries USING btree (tenant_id, mode, webhook_id, event_type, created_at, id);

--
-- Name: webhook_deliveries_by_event_type_and_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_by_event_type_and_status ON ONLY public.webhook_deliveries USING btree (tenant_id, mode, webhook_id, event_type, status, created_at, id);

--
-- Name: webhook_deliveries_by_replay; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_by_replay ON ONLY public.webhook_deliveries USING btree (tenant_id, mode, replay_id, status) WHERE (replay_id IS NOT NULL);

--
-- Name: webhook_deliveries_by_sequence; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_by_sequence ON ONLY public.webhook_deliveries USING btree (sequence, tenant_id, mode, webhook_id) WHERE (sequence IS NOT NULL);

--
-- Name: webhook_deliveries_by_status; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_by_status ON ONLY public.webhook_deliveries USING btree (tenant_id, mode, webhook_id, status, created_at, id);

--
-- Name: webhook_deliveries_by_webhook; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_by_webhook ON ONLY public.webhook_deliveries USING btree (tenant_id, mode, webhook_id, created_at, id);

--
-- Name: webhook_deliveries_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_due ON ONLY public.webhook_deliveries USING btree (next_sweep_at) WHERE (next_sweep_at IS NOT NULL);

--
-- Name: webhook_deliveries_due_by_tenant; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_due_by_tenant ON ONLY public.webhook_deliveries USING btree (tenant_id, mode, next_sweep_at) WHERE (next_sweep_at IS NOT NULL);

--
-- Name: webhook_deliveries_given_up; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_given_up ON ONLY public.webhook_deliveries USING btree (tenant_id, mode, webhook_id, event_created_at, event_id, created_at, id) WHERE ((status = ANY (ARRAY['failed'::text, 'dropped'::text])) AND (NOT is_test));

--
-- Name: webhook_deliveries_held; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_held ON ONLY public.webhook_deliveries USING btree (event_created_at) WHERE (status = 'held'::text);

--
-- Name: webhook_deliveries_in_order; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_in_order ON ONLY public.webhook_deliveries USING btree (tenant_id, mode, webhook_id, order_key, sequence) WHERE ((order_key IS NOT NULL) AND (status = ANY (ARRAY['queued'::text, 'sending'::text, 'pending_retry'::text, 'held'::text])));

--
-- Name: webhook_deliveries_parked; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_parked ON ONLY public.webhook_deliveries USING btree (tenant_id, mode, webhook_id, parked_at) WHERE (parked_at IS NOT NULL);

--
-- Name: webhook_deliveries_replayed; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_deliveries_replayed ON ONLY public.webhook_deliveries USING btree (tenant_id, mode, webhook_id, event_created_at, event_id) WHERE (replay_id IS NOT NULL);

--
-- Name: webhook_figure_changes_by_webhook; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_figure_changes_by_webhook ON public.webhook_figure_changes USING btree (tenant_id, mode, webhook_id, starts_at);

--
-- Name: webhook_quarters_by_time; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_quarters_by_time ON public.webhook_quarters USING btree (starts_at);

--
-- Name: webhook_replays_by_webhook; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_replays_by_webhook ON public.webhook_replays USING btree (tenant_id, mode, webhook_id, created_at, id);

--
-- Name: webhook_replays_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhook_replays_due ON public.webhook_replays USING btree (next_run_at) WHERE (next_run_at IS NOT NULL);

--
-- Name: webhook_replays_running; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX webhook_replays_running ON public.webhook_replays USING btree (tenant_id, mode, webhook_id) WHERE (status = 'running'::text);

--
-- Name: webhooks_by_tenant; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhooks_by_tenant ON public.webhooks USING btree (tenant_id, mode, created_at, id) WHERE (deleted_at IS NULL);

--
-- Name: webhooks_failing; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhooks_failing ON public.webhooks USING btree (tenant_id) WHERE (is_failing AND is_active);

--
-- Name: webhooks_held_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX webhooks_held_due ON public.webhooks USING btree (held_due_at) WHERE (held_due_at IS NOT NULL);

--
-- Name: workspace_members_by_user; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX workspace_members_by_user ON public.workspace_members USING btree (tenant_id, user_id);

--
-- Name: email_events add_email_figures; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER add_email_figures AFTER INSERT ON public.email_events REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.add_email_figures();

--
-- Name: webhooks begin_sequence; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER begin_sequence AFTER INSERT ON public.webhooks FOR EACH ROW EXECUTE FUNCTION public.begin_webhook_sequence();

--
-- Name: emails carry_status; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER carry_status AFTER UPDATE ON public.emails REFERENCING OLD TABLE AS before NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.carry_status_to_tags();

--
-- Name: email_events count_campaign_answers; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER count_campaign_answers AFTER INSERT ON public.email_events REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.count_campaign_answers();

--
-- Name: emails count_campaign_mails; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER count_campaign_mails AFTER UPDATE ON public.emails REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION public.count_campaign_mails();

--
-- Name: contact_lists count_deleted; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER count_deleted AFTER DELETE ON public.contact_lists REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.count_listed();

--
-- Name: contacts count_deleted; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER count_deleted AFTER DELETE ON public.contacts REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.count_contacts();

--
-- Name: contact_lists count_inserted; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER count_inserted AFTER INSERT ON public.contact_lists REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.count_listed();

--
-- Name: contacts count_inserted; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER count_inserted AFTER INSERT ON public.contacts REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.count_contacts();

--
-- Name: webhook_deliveries count_new_webhook_deliveries; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER count_new_webhook_deliveries AFTER INSERT ON public.webhook_deliveries REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION public.count_new_webhook_deliveries();

--
-- Name: webhook_deliveries count_webhook_deliveries; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER count_webhook_deliveries AFTER UPDATE ON public.webhook_deliveries REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION public.count_webhook_deliveries();

--
-- Name: contacts forget_imported_values; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER forget_imported_values AFTER DELETE ON public.contacts REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.forget_imported_values();

--
-- Name: contacts index_added; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER index_added AFTER INSERT ON public.contacts REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.index_added_contacts();

--
-- Name: contacts index_changed; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER index_changed AFTER UPDATE ON public.contacts REFERENCING OLD TABLE AS before NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.index_changed_contacts();

--
-- Name: contact_field_values index_delete; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER index_delete AFTER DELETE ON public.contact_field_values REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.index_linked_contacts('''k'' || n.field_id || field_word(n.text_value, n.number_value, n.date_value, n.boolean_value)');

--
-- Name: contact_lists index_delete; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER index_delete AFTER DELETE ON public.contact_lists REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.index_linked_contacts('''m'' || n.list_id');

--
-- Name: contact_tags index_delete; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER index_delete AFTER DELETE ON public.contact_tags REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.index_linked_contacts('''t'' || n.tag_id');

--
-- Name: contact_workspaces index_delete; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER index_delete AFTER DELETE ON public.contact_workspaces REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.index_linked_contacts('''w'' || n.workspace_id');

--
-- Name: contacts index_engaged; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER index_engaged AFTER UPDATE OF total_opens, total_clicks, last_email_opened_at ON public.contacts FOR EACH ROW WHEN ((((old.total_opens IS DISTINCT FROM new.total_opens) OR (old.total_clicks IS DISTINCT FROM new.total_clicks)) OR (old.last_email_opened_at IS DISTINCT FROM new.last_email_opened_at))) EXECUTE FUNCTION public.index_engaged_contacts();

--
-- Name: contact_field_values index_insert; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER index_insert AFTER INSERT ON public.contact_field_values REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.index_linked_contacts('''k'' || n.field_id || field_word(n.text_value, n.number_value, n.date_value, n.boolean_value)');

--
-- Name: contact_lists index_insert; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER index_insert AFTER INSERT ON public.contact_lists REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.index_linked_contacts('''m'' || n.list_id');

--
-- Name: contact_tags index_insert; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER index_insert AFTER INSERT ON public.contact_tags REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.index_linked_contacts('''t'' || n.tag_id');

--
-- Name: contact_workspaces index_insert; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER index_insert AFTER INSERT ON public.contact_workspaces REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.index_linked_contacts('''w'' || n.workspace_id');

--
-- Name: contacts index_removed; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER index_removed AFTER DELETE ON public.contacts REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.forget_searched_contacts();

--
-- Name: webhook_attempts keep_no_answer_about_the_erased; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER keep_no_answer_about_the_erased AFTER INSERT ON public.webhook_attempts REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION public.keep_no_answer_about_the_erased();

--
-- Name: contacts note_status; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER note_status BEFORE UPDATE OF status ON public.contacts FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION public.note_contact_status();

--
-- Name: campaign_contacts require_referenced; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER require_referenced AFTER INSERT ON public.campaign_contacts REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.require_referenced('campaigns', 'campaign_id');

--
-- Name: contact_field_values require_referenced; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER require_referenced AFTER INSERT ON public.contact_field_values REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.require_referenced('contact_fields', 'field_id');

--
-- Name: contact_lists require_referenced; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER require_referenced AFTER INSERT ON public.contact_lists REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.require_referenced('lists', 'list_id');

--
-- Name: contact_tags require_referenced; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER require_referenced AFTER INSERT ON public.contact_tags REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.require_referenced('tags', 'tag_id');

--
-- Name: contact_workspaces require_referenced; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER require_referenced AFTER INSERT ON public.contact_workspaces REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.require_referenced('workspaces', 'workspace_id');

--
-- Name: contacts score_contact; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER score_contact BEFORE UPDATE OF status, total_opens, total_clicks, total_replies, last_engaged_at, lead_score_falls_at ON public.contacts FOR EACH ROW EXECUTE FUNCTION public.score_contact();

--
-- Name: api_keys set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.api_keys FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: campaign_steps set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.campaign_steps FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: campaigns set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE OF name, description, goal, campaign_type, status, segment_id, list_id, from_email, from_name, reply_to_email, start_date, end_date, timezone, send_strategy, settings, workspace_id ON public.campaigns FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: contact_fields set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE OF label ON public.contact_fields FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: contacts set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.contacts FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: domains set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.domains FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: lists set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE OF name, description, segment_id ON public.lists FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: mail_servers set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.mail_servers FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: provider_accounts set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.provider_accounts FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: segments set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE OF name, definition ON public.segments FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: staff_members set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.staff_members FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: subscriptions set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.subscriptions FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: tags set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.tags FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: templates set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.templates FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: tenants set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.tenants FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: users set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: workspaces set_updated_at; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.workspaces FOR EACH ROW EXECUTE FUNCTION public.set_updated_at();

--
-- Name: account_export_parts account_export_parts_tenant_id_export_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account_export_parts
    ADD CONSTRAINT account_export_parts_tenant_id_export_id_fkey FOREIGN KEY (tenant_id, export_id) REFERENCES public.account_exports(tenant_id, id);

--
-- Name: account_exports account_exports_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.account_exports
    ADD CONSTRAINT account_exports_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: api_key_usage_daily api_key_usage_daily_tenant_id_api_key_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_key_usage_daily
    ADD CONSTRAINT api_key_usage_daily_tenant_id_api_key_id_fkey FOREIGN KEY (tenant_id, api_key_id) REFERENCES public.api_keys(tenant_id, id);

--
-- Name: api_key_usage_daily api_key_usage_daily_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_key_usage_daily
    ADD CONSTRAINT api_key_usage_daily_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: api_key_usage_sources api_key_usage_sources_tenant_id_api_key_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_key_usage_sources
    ADD CONSTRAINT api_key_usage_sources_tenant_id_api_key_id_fkey FOREIGN KEY (tenant_id, api_key_id) REFERENCES public.api_keys(tenant_id, id);

--
-- Name: api_key_usage_sources api_key_usage_sources_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_key_usage_sources
    ADD CONSTRAINT api_key_usage_sources_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: api_key_usage api_key_usage_tenant_id_api_key_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE public.api_key_usage
    ADD CONSTRAINT api_key_usage_tenant_id_api_key_id_fkey FOREIGN KEY (tenant_id, api_key_id) REFERENCES public.api_keys(tenant_id, id);

--
-- Name: api_key_usage api_key_usage_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE public.api_key_usage
    ADD CONSTRAINT api_key_usage_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: api_keys api_keys_tenant_id_created_by_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_tenant_id_created_by_fkey FOREIGN KEY (tenant_id, created_by) REFERENCES public.users(tenant_id, id);

--
-- Name: api_keys api_keys_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: api_keys api_keys_tenant_id_revoked_by_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_tenant_id_revoked_by_fkey FOREIGN KEY (tenant_id, revoked_by) REFERENCES public.users(tenant_id, id);

--
-- Name: audit_log audit_log_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: campaign_contacts campaign_contacts_tenant_id_mode_contact_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaign_contacts
    ADD CONSTRAINT campaign_contacts_tenant_id_mode_contact_id_fkey FOREIGN KEY (tenant_id, mode, contact_id) REFERENCES public.contacts(tenant_id, mode, id) ON DELETE CASCADE;

--
-- Name: campaign_stats campaign_stats_tenant_id_mode_campaign_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaign_stats
    ADD CONSTRAINT campaign_stats_tenant_id_mode_campaign_id_fkey FOREIGN KEY (tenant_id, mode, campaign_id) REFERENCES public.campaigns(tenant_id, mode, id) ON DELETE CASCADE;

--
-- Name: campaign_steps campaign_steps_tenant_id_mode_campaign_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaign_steps
    ADD CONSTRAINT campaign_steps_tenant_id_mode_campaign_id_fkey FOREIGN KEY (tenant_id, mode, campaign_id) REFERENCES public.campaigns(tenant_id, mode, id) ON DELETE CASCADE;

--
-- Name: campaigns campaigns_list; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_list FOREIGN KEY (tenant_id, mode, list_id) REFERENCES public.lists(tenant_id, mode, id);

--
-- Name: campaigns campaigns_segment; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_segment FOREIGN KEY (tenant_id, mode, segment_id) REFERENCES public.segments(tenant_id, mode, id);

--
-- Name: campaigns campaigns_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: campaigns campaigns_workspace; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.campaigns
    ADD CONSTRAINT campaigns_workspace FOREIGN KEY (tenant_id, workspace_id) REFERENCES public.workspaces(tenant_id, id);

--
-- Name: contact_counts contact_counts_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_counts
    ADD CONSTRAINT contact_counts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: contact_field_values contact_field_values_tenant_id_mode_contact_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_field_values
    ADD CONSTRAINT contact_field_values_tenant_id_mode_contact_id_fkey FOREIGN KEY (tenant_id, mode, contact_id) REFERENCES public.contacts(tenant_id, mode, id) ON DELETE CASCADE;

--
-- Name: contact_fields contact_fields_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_fields
    ADD CONSTRAINT contact_fields_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: contact_lists contact_lists_tenant_id_mode_contact_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_lists
    ADD CONSTRAINT contact_lists_tenant_id_mode_contact_id_fkey FOREIGN KEY (tenant_id, mode, contact_id) REFERENCES public.contacts(tenant_id, mode, id) ON DELETE CASCADE;

--
-- Name: contact_tags contact_tags_tenant_id_mode_contact_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_tags
    ADD CONSTRAINT contact_tags_tenant_id_mode_contact_id_fkey FOREIGN KEY (tenant_id, mode, contact_id) REFERENCES public.contacts(tenant_id, mode, id) ON DELETE CASCADE;

--
-- Name: contact_workspaces contact_workspaces_tenant_id_mode_contact_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contact_workspaces
    ADD CONSTRAINT contact_workspaces_tenant_id_mode_contact_id_fkey FOREIGN KEY (tenant_id, mode, contact_id) REFERENCES public.contacts(tenant_id, mode, id) ON DELETE CASCADE;

--
-- Name: contacts contacts_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.contacts
    ADD CONSTRAINT contacts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: content_objects content_objects_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.content_objects
    ADD CONSTRAINT content_objects_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: domains domains_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.domains
    ADD CONSTRAINT domains_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: domains domains_tenant_id_workspace_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.domains
    ADD CONSTRAINT domains_tenant_id_workspace_id_fkey FOREIGN KEY (tenant_id, workspace_id) REFERENCES public.workspaces(tenant_id, id);

--
-- Name: email_attachments email_attachments_tenant_id_mode_content_key_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_attachments
    ADD CONSTRAINT email_attachments_tenant_id_mode_content_key_fkey FOREIGN KEY (tenant_id, mode, content_key) REFERENCES public.content_objects(tenant_id, mode, storage_key) ON DELETE CASCADE;

--
-- Name: email_attachments email_attachments_upload; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_attachments
    ADD CONSTRAINT email_attachments_upload FOREIGN KEY (tenant_id, mode, upload_id) REFERENCES public.email_uploads(tenant_id, mode, id) ON DELETE SET NULL (upload_id);

--
-- Name: email_events email_events_tenant_id_mode_email_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_events
    ADD CONSTRAINT email_events_tenant_id_mode_email_id_fkey FOREIGN KEY (tenant_id, mode, email_id) REFERENCES public.emails(tenant_id, mode, id) ON DELETE CASCADE;

--
-- Name: email_figure_changes email_figure_changes_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_figure_changes
    ADD CONSTRAINT email_figure_changes_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: email_rollups email_rollups_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_rollups
    ADD CONSTRAINT email_rollups_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: email_tags email_tags_tenant_id_mode_email_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_tags
    ADD CONSTRAINT email_tags_tenant_id_mode_email_id_fkey FOREIGN KEY (tenant_id, mode, email_id) REFERENCES public.emails(tenant_id, mode, id) ON DELETE CASCADE;

--
-- Name: email_uploads email_uploads_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.email_uploads
    ADD CONSTRAINT email_uploads_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: emails emails_tenant_id_api_key_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.emails
    ADD CONSTRAINT emails_tenant_id_api_key_id_fkey FOREIGN KEY (tenant_id, api_key_id) REFERENCES public.api_keys(tenant_id, id);

--
-- Name: emails emails_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.emails
    ADD CONSTRAINT emails_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: export_jobs export_jobs_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.export_jobs
    ADD CONSTRAINT export_jobs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: idempotency_keys idempotency_keys_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: import_jobs import_jobs_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.import_jobs
    ADD CONSTRAINT import_jobs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: inbox_attachments inbox_attachments_tenant_id_mode_message_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_attachments
    ADD CONSTRAINT inbox_attachments_tenant_id_mode_message_id_fkey FOREIGN KEY (tenant_id, mode, message_id) REFERENCES public.inbox_messages(tenant_id, mode, id) ON DELETE CASCADE;

--
-- Name: inbox_messages inbox_messages_tenant_id_mode_thread_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_messages
    ADD CONSTRAINT inbox_messages_tenant_id_mode_thread_id_fkey FOREIGN KEY (tenant_id, mode, thread_id) REFERENCES public.inbox_threads(tenant_id, mode, id) ON DELETE CASCADE;

--
-- Name: inbox_threads inbox_threads_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.inbox_threads
    ADD CONSTRAINT inbox_threads_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: invitations invitations_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: invitations invitations_tenant_id_invited_by_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_tenant_id_invited_by_fkey FOREIGN KEY (tenant_id, invited_by) REFERENCES public.users(tenant_id, id);

--
-- Name: link_tokens link_tokens_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_tokens
    ADD CONSTRAINT link_tokens_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: link_tokens link_tokens_tenant_id_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.link_tokens
    ADD CONSTRAINT link_tokens_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id);

--
-- Name: lists lists_segment; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.lists
    ADD CONSTRAINT lists_segment FOREIGN KEY (tenant_id, mode, segment_id) REFERENCES public.segments(tenant_id, mode, id);

--
-- Name: lists lists_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.lists
    ADD CONSTRAINT lists_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: mail_outbox mail_outbox_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.mail_outbox
    ADD CONSTRAINT mail_outbox_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: mail_outbox mail_outbox_tenant_id_invitation_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.mail_outbox
    ADD CONSTRAINT mail_outbox_tenant_id_invitation_id_fkey FOREIGN KEY (tenant_id, invitation_id) REFERENCES public.invitations(tenant_id, id) ON DELETE CASCADE;

--
-- Name: mail_outbox mail_outbox_tenant_id_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.mail_outbox
    ADD CONSTRAINT mail_outbox_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id);

--
-- Name: mail_servers mail_servers_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.mail_servers
    ADD CONSTRAINT mail_servers_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: mailbox_days mailbox_days_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.mailbox_days
    ADD CONSTRAINT mailbox_days_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: outbox outbox_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: pending_removals pending_removals_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.pending_removals
    ADD CONSTRAINT pending_removals_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: privacy_requests privacy_requests_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.privacy_requests
    ADD CONSTRAINT privacy_requests_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: provider_accounts provider_accounts_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.provider_accounts
    ADD CONSTRAINT provider_accounts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: provider_events provider_events_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.provider_events
    ADD CONSTRAINT provider_events_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: reauth_tokens reauth_tokens_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.reauth_tokens
    ADD CONSTRAINT reauth_tokens_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: reauth_tokens reauth_tokens_tenant_id_session_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.reauth_tokens
    ADD CONSTRAINT reauth_tokens_tenant_id_session_id_fkey FOREIGN KEY (tenant_id, session_id) REFERENCES public.sessions(tenant_id, id) ON DELETE CASCADE;

--
-- Name: reauth_tokens reauth_tokens_tenant_id_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.reauth_tokens
    ADD CONSTRAINT reauth_tokens_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id);

--
-- Name: recovery_codes recovery_codes_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: recovery_codes recovery_codes_tenant_id_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id);

--
-- Name: segments segments_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.segments
    ADD CONSTRAINT segments_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: send_paces send_paces_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.send_paces
    ADD CONSTRAINT send_paces_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: sessions sessions_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: sessions sessions_tenant_id_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id);

--
-- Name: soft_bounces soft_bounces_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.soft_bounces
    ADD CONSTRAINT soft_bounces_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: staff_members staff_members_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_members
    ADD CONSTRAINT staff_members_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: staff_members staff_members_tenant_id_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.staff_members
    ADD CONSTRAINT staff_members_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id);

--
-- Name: subscriptions subscriptions_plan_slug_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_plan_slug_fkey FOREIGN KEY (plan_slug) REFERENCES public.plans(slug);

--
-- Name: subscriptions subscriptions_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: suppression_lifts suppression_lifts_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.suppression_lifts
    ADD CONSTRAINT suppression_lifts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: suppression_list suppression_list_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.suppression_list
    ADD CONSTRAINT suppression_list_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: suppression_list suppression_list_tenant_id_workspace_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.suppression_list
    ADD CONSTRAINT suppression_list_tenant_id_workspace_id_fkey FOREIGN KEY (tenant_id, workspace_id) REFERENCES public.workspaces(tenant_id, id);

--
-- Name: tags tags_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: templates templates_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: templates templates_tenant_id_workspace_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_tenant_id_workspace_id_fkey FOREIGN KEY (tenant_id, workspace_id) REFERENCES public.workspaces(tenant_id, id);

--
-- Name: tenant_overrides tenant_overrides_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tenant_overrides
    ADD CONSTRAINT tenant_overrides_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: usage_counters usage_counters_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.usage_counters
    ADD CONSTRAINT usage_counters_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: user_credentials user_credentials_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.user_credentials
    ADD CONSTRAINT user_credentials_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: user_credentials user_credentials_tenant_id_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.user_credentials
    ADD CONSTRAINT user_credentials_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id);

--
-- Name: users users_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: webhook_deliveries webhook_deliveries_tenant_id_mode_webhook_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_tenant_id_mode_webhook_id_fkey FOREIGN KEY (tenant_id, mode, webhook_id) REFERENCES public.webhooks(tenant_id, mode, id);

--
-- Name: webhook_quarters webhook_quarters_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_quarters
    ADD CONSTRAINT webhook_quarters_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: webhook_replays webhook_replays_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_replays
    ADD CONSTRAINT webhook_replays_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: webhook_replays webhook_replays_tenant_id_mode_webhook_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_replays
    ADD CONSTRAINT webhook_replays_tenant_id_mode_webhook_id_fkey FOREIGN KEY (tenant_id, mode, webhook_id) REFERENCES public.webhooks(tenant_id, mode, id);

--
-- Name: webhook_sequences webhook_sequences_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_sequences
    ADD CONSTRAINT webhook_sequences_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: webhook_sequences webhook_sequences_tenant_id_mode_webhook_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhook_sequences
    ADD CONSTRAINT webhook_sequences_tenant_id_mode_webhook_id_fkey FOREIGN KEY (tenant_id, mode, webhook_id) REFERENCES public.webhooks(tenant_id, mode, id);

--
-- Name: webhooks webhooks_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: workspace_members workspace_members_tenant_id_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workspace_members
    ADD CONSTRAINT workspace_members_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.users(tenant_id, id);

--
-- Name: workspace_members workspace_members_tenant_id_workspace_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workspace_members
    ADD CONSTRAINT workspace_members_tenant_id_workspace_id_fkey FOREIGN KEY (tenant_id, workspace_id) REFERENCES public.workspaces(tenant_id, id) ON DELETE CASCADE;

--
-- Name: workspaces workspaces_tenant_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.workspaces
    ADD CONSTRAINT workspaces_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

--
-- Name: account_export_parts; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.account_export_parts ENABLE ROW LEVEL SECURITY;

--
-- Name: account_exports; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.account_exports ENABLE ROW LEVEL SECURITY;

--
-- Name: api_key_usage; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.api_key_usage ENABLE ROW LEVEL SECURITY;

--
-- Name: api_key_usage_daily; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.api_key_usage_daily ENABLE ROW LEVEL SECURITY;

--
-- Name: api_key_usage_sources; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.api_key_usage_sources ENABLE ROW LEVEL SECURITY;

--
-- Name: api_keys; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY;

--
-- Name: audit_log; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.audit_log ENABLE ROW LEVEL SECURITY;

--
-- Name: campaign_contacts; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.campaign_contacts ENABLE ROW LEVEL SECURITY;

--
-- Name: campaign_stats; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.campaign_stats ENABLE ROW LEVEL SECURITY;

--
-- Name: campaign_steps; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.campaign_steps ENABLE ROW LEVEL SECURITY;

--
-- Name: campaigns; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.campaigns ENABLE ROW LEVEL SECURITY;

--
-- Name: contact_counts; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.contact_counts ENABLE ROW LEVEL SECURITY;

--
-- Name: contact_field_values; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.contact_field_values ENABLE ROW LEVEL SECURITY;

--
-- Name: contact_fields; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.contact_fields ENABLE ROW LEVEL SECURITY;

--
-- Name: contact_lists; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.contact_lists ENABLE ROW LEVEL SECURITY;

--
-- Name: contact_search; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.contact_search ENABLE ROW LEVEL SECURITY;

--
-- Name: contact_spans; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.contact_spans ENABLE ROW LEVEL SECURITY;

--
-- Name: contact_tags; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.contact_tags ENABLE ROW LEVEL SECURITY;

--
-- Name: contact_workspaces; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.contact_workspaces ENABLE ROW LEVEL SECURITY;

--
-- Name: contacts; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.contacts ENABLE ROW LEVEL SECURITY;

--
-- Name: content_objects; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.content_objects ENABLE ROW LEVEL SECURITY;

--
-- Name: domains; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.domains ENABLE ROW LEVEL SECURITY;

--
-- Name: email_attachments; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.email_attachments ENABLE ROW LEVEL SECURITY;

--
-- Name: email_events; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.email_events ENABLE ROW LEVEL SECURITY;

--
-- Name: email_figure_changes; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.email_figure_changes ENABLE ROW LEVEL SECURITY;

--
-- Name: email_rollups; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.email_rollups ENABLE ROW LEVEL SECURITY;

--
-- Name: email_tags; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.email_tags ENABLE ROW LEVEL SECURITY;

--
-- Name: email_uploads; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.email_uploads ENABLE ROW LEVEL SECURITY;

--
-- Name: emails; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.emails ENABLE ROW LEVEL SECURITY;

--
-- Name: events; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.events ENABLE ROW LEVEL SECURITY;

--
-- Name: export_jobs; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.export_jobs ENABLE ROW LEVEL SECURITY;

--
-- Name: idempotency_keys; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.idempotency_keys ENABLE ROW LEVEL SECURITY;

--
-- Name: import_events; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.import_events ENABLE ROW LEVEL SECURITY;

--
-- Name: import_jobs; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.import_jobs ENABLE ROW LEVEL SECURITY;

--
-- Name: inbox_attachments; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.inbox_attachments ENABLE ROW LEVEL SECURITY;

--
-- Name: inbox_messages; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.inbox_messages ENABLE ROW LEVEL SECURITY;

--
-- Name: inbox_threads; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.inbox_threads ENABLE ROW LEVEL SECURITY;

--
-- Name: invitations; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.invitations ENABLE ROW LEVEL SECURITY;

--
-- Name: link_tokens; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.link_tokens ENABLE ROW LEVEL SECURITY;

--
-- Name: lists; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.lists ENABLE ROW LEVEL SECURITY;

--
-- Name: mail_outbox; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.mail_outbox ENABLE ROW LEVEL SECURITY;

--
-- Name: mail_servers; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.mail_servers ENABLE ROW LEVEL SECURITY;

--
-- Name: mailbox_days; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.mailbox_days ENABLE ROW LEVEL SECURITY;

--
-- Name: outbox; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.outbox ENABLE ROW LEVEL SECURITY;

--
-- Name: pending_removals; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.pending_removals ENABLE ROW LEVEL SECURITY;

--
-- Name: content_objects penguinmails_erasure_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_erasure_all ON public.content_objects TO penguinmails_erasure USING (true) WITH CHECK (true);

--
-- Name: email_attachments penguinmails_erasure_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_erasure_all ON public.email_attachments TO penguinmails_erasure USING (true) WITH CHECK (true);

--
-- Name: email_events penguinmails_erasure_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_erasure_all ON public.email_events TO penguinmails_erasure USING (true) WITH CHECK (true);

--
-- Name: email_uploads penguinmails_erasure_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_erasure_all ON public.email_uploads TO penguinmails_erasure USING (true) WITH CHECK (true);

--
-- Name: emails penguinmails_erasure_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_erasure_all ON public.emails TO penguinmails_erasure USING (true) WITH CHECK (true);

--
-- Name: events penguinmails_erasure_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_erasure_all ON public.events TO penguinmails_erasure USING (true) WITH CHECK (true);

--
-- Name: webhook_attempts penguinmails_erasure_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_erasure_all ON public.webhook_attempts TO penguinmails_erasure USING (true) WITH CHECK (true);

--
-- Name: webhook_deliveries penguinmails_erasure_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_erasure_all ON public.webhook_deliveries TO penguinmails_erasure USING (true) WITH CHECK (true);

--
-- Name: webhooks penguinmails_erasure_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_erasure_all ON public.webhooks TO penguinmails_erasure USING (true) WITH CHECK (true);

--
-- Name: account_export_parts penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.account_export_parts TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: account_exports penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.account_exports TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: api_key_usage penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.api_key_usage TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: api_key_usage_daily penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.api_key_usage_daily TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: api_key_usage_sources penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.api_key_usage_sources TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: api_keys penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.api_keys TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: audit_log penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.audit_log TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: campaign_contacts penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.campaign_contacts TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: campaign_stats penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.campaign_stats TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: campaigns penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.campaigns TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: contact_fields penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.contact_fields TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: contacts penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.contacts TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: content_objects penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.content_objects TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: domains penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.domains TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: email_attachments penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.email_attachments TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: email_events penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.email_events TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: email_figure_changes penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.email_figure_changes TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: email_rollups penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.email_rollups TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: email_uploads penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.email_uploads TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: emails penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.emails TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: export_jobs penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.export_jobs TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: idempotency_keys penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.idempotency_keys TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: import_events penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.import_events TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: import_jobs penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.import_jobs TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: invitations penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.invitations TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: link_tokens penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.link_tokens TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: mail_outbox penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.mail_outbox TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: outbox penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.outbox TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: pending_removals penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.pending_removals TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: privacy_requests penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.privacy_requests TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: provider_events penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.provider_events TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: reauth_tokens penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.reauth_tokens TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: segments penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.segments TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: sessions penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.sessions TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: subscriptions penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.subscriptions TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: suppression_list penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.suppression_list TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: tenant_overrides penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.tenant_overrides TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: tenants penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.tenants TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: users penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.users TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: webhook_deliveries penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.webhook_deliveries TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: webhook_figure_changes penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.webhook_figure_changes TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: webhook_quarters penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.webhook_quarters TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: webhook_replays penguinmails_jobs_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_jobs_all ON public.webhook_replays TO penguinmails_jobs USING (true) WITH CHECK (true);

--
-- Name: api_key_usage_daily penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.api_key_usage_daily TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: api_keys penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.api_keys TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: domains penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.domains TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: emails penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.emails TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: invitations penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.invitations TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: link_tokens penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.link_tokens TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: mail_servers penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.mail_servers TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: provider_accounts penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.provider_accounts TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: sessions penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.sessions TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: staff_members penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.staff_members TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: subscriptions penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.subscriptions TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: suppression_list penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.suppression_list TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: tenant_overrides penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.tenant_overrides TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: tenants penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.tenants TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: user_credentials penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.user_credentials TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: users penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.users TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: webhooks penguinmails_lookup_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_lookup_all ON public.webhooks TO penguinmails_lookup USING (true) WITH CHECK (true);

--
-- Name: contact_search penguinmails_search_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_search_all ON public.contact_search TO penguinmails_search USING (true) WITH CHECK (true);

--
-- Name: contact_spans penguinmails_search_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_search_all ON public.contact_spans TO penguinmails_search USING (true) WITH CHECK (true);

--
-- Name: contacts penguinmails_search_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_search_all ON public.contacts FOR SELECT TO penguinmails_search USING (true);

--
-- Name: email_tags penguinmails_search_all; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY penguinmails_search_all ON public.email_tags TO penguinmails_search USING (true) WITH CHECK (true);

--
-- Name: privacy_requests; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.privacy_requests ENABLE ROW LEVEL SECURITY;

--
-- Name: provider_accounts; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.provider_accounts ENABLE ROW LEVEL SECURITY;

--
-- Name: provider_events; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.provider_events ENABLE ROW LEVEL SECURITY;

--
-- Name: reauth_tokens; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.reauth_tokens ENABLE ROW LEVEL SECURITY;

--
-- Name: recovery_codes; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.recovery_codes ENABLE ROW LEVEL SECURITY;

--
-- Name: segments; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.segments ENABLE ROW LEVEL SECURITY;

--
-- Name: send_paces; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.send_paces ENABLE ROW LEVEL SECURITY;

--
-- Name: sessions; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.sessions ENABLE ROW LEVEL SECURITY;

--
-- Name: soft_bounces; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.soft_bounces ENABLE ROW LEVEL SECURITY;

--
-- Name: staff_members; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.staff_members ENABLE ROW LEVEL SECURITY;

--
-- Name: subscriptions; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.subscriptions ENABLE ROW LEVEL SECURITY;

--
-- Name: suppression_lifts; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.suppression_lifts ENABLE ROW LEVEL SECURITY;

--
-- Name: suppression_list; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.suppression_list ENABLE ROW LEVEL SECURITY;

--
-- Name: tags; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.tags ENABLE ROW LEVEL SECURITY;

--
-- Name: templates; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.templates ENABLE ROW LEVEL SECURITY;

--
-- Name: account_export_parts tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.account_export_parts TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: account_exports tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.account_exports TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: api_key_usage tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.api_key_usage TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: api_key_usage_daily tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.api_key_usage_daily TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: api_key_usage_sources tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.api_key_usage_sources TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: api_keys tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.api_keys TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: audit_log tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.audit_log TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: campaign_contacts tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.campaign_contacts TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: campaign_stats tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.campaign_stats TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: campaign_steps tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.campaign_steps TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: campaigns tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.campaigns TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: contact_counts tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.contact_counts TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: contact_field_values tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.contact_field_values TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: contact_fields tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.contact_fields TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: contact_lists tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.contact_lists TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: contact_search tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.contact_search TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: contact_spans tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.contact_spans TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: contact_tags tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.contact_tags TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: contact_workspaces tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.contact_workspaces TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: contacts tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.contacts TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: content_objects tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.content_objects TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: domains tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.domains TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: email_attachments tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.email_attachments TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: email_events tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.email_events TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: email_figure_changes tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.email_figure_changes TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: email_rollups tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.email_rollups TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: email_tags tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.email_tags TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: email_uploads tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.email_uploads TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: emails tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.emails TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: events tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.events TO penguinmails_app USING (((tenant_id = ( SELECT (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid AS "nullif")) AND (mode = ( SELECT current_setting('app.current_mode'::text, true) AS current_setting)))) WITH CHECK (((tenant_id = ( SELECT (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid AS "nullif")) AND (mode = ( SELECT current_setting('app.current_mode'::text, true) AS current_setting))));

--
-- Name: export_jobs tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.export_jobs TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: idempotency_keys tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.idempotency_keys TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: import_events tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.import_events TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: import_jobs tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.import_jobs TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: inbox_attachments tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.inbox_attachments TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: inbox_messages tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.inbox_messages TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: inbox_threads tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.inbox_threads TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: invitations tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.invitations TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: link_tokens tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.link_tokens TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: lists tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.lists TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: mail_outbox tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.mail_outbox TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: mail_servers tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.mail_servers TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: mailbox_days tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.mailbox_days TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: outbox tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.outbox TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: pending_removals tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.pending_removals TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: privacy_requests tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.privacy_requests TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: provider_accounts tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.provider_accounts TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: provider_events tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.provider_events TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: reauth_tokens tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.reauth_tokens TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: recovery_codes tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.recovery_codes TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: segments tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.segments TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: send_paces tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.send_paces TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: sessions tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.sessions TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: soft_bounces tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.soft_bounces TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: staff_members tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.staff_members TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: subscriptions tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.subscriptions TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: suppression_lifts tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.suppression_lifts TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: suppression_list tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.suppression_list TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: tags tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.tags TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: templates tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.templates TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: tenant_overrides tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.tenant_overrides TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: tenants tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.tenants TO penguinmails_app USING ((id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: usage_counters tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.usage_counters TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: user_credentials tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.user_credentials TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: users tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.users TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: webhook_attempts tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.webhook_attempts TO penguinmails_app USING (((tenant_id = ( SELECT (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid AS "nullif")) AND (mode = ( SELECT current_setting('app.current_mode'::text, true) AS current_setting)))) WITH CHECK (((tenant_id = ( SELECT (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid AS "nullif")) AND (mode = ( SELECT current_setting('app.current_mode'::text, true) AS current_setting))));

--
-- Name: webhook_deliveries tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.webhook_deliveries TO penguinmails_app USING (((tenant_id = ( SELECT (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid AS "nullif")) AND (mode = ( SELECT current_setting('app.current_mode'::text, true) AS current_setting)))) WITH CHECK (((tenant_id = ( SELECT (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid AS "nullif")) AND (mode = ( SELECT current_setting('app.current_mode'::text, true) AS current_setting))));

--
-- Name: webhook_figure_changes tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.webhook_figure_changes TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: webhook_quarters tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.webhook_quarters TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: webhook_replays tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.webhook_replays TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: webhook_sequences tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.webhook_sequences TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: webhooks tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.webhooks TO penguinmails_app USING (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true)))) WITH CHECK (((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid) AND (mode = current_setting('app.current_mode'::text, true))));

--
-- Name: workspace_members tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.workspace_members TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: workspaces tenant_isolation; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY tenant_isolation ON public.workspaces TO penguinmails_app USING ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid)) WITH CHECK ((tenant_id = (NULLIF(current_setting('app.current_tenant_id'::text, true), ''::text))::uuid));

--
-- Name: tenant_overrides; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.tenant_overrides ENABLE ROW LEVEL SECURITY;

--
-- Name: tenants; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY;

--
-- Name: usage_counters; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.usage_counters ENABLE ROW LEVEL SECURITY;

--
-- Name: user_credentials; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.user_credentials ENABLE ROW LEVEL SECURITY;

--
-- Name: users; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;

--
-- Name: webhook_attempts; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.webhook_attempts ENABLE ROW LEVEL SECURITY;

--
-- Name: webhook_deliveries; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.webhook_deliveries ENABLE ROW LEVEL SECURITY;

--
-- Name: webhook_figure_changes; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.webhook_figure_changes ENABLE ROW LEVEL SECURITY;

--
-- Name: webhook_quarters; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.webhook_quarters ENABLE ROW LEVEL SECURITY;

--
-- Name: webhook_replays; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.webhook_replays ENABLE ROW LEVEL SECURITY;

--
-- Name: webhook_sequences; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.webhook_sequences ENABLE ROW LEVEL SECURITY;

--
-- Name: webhooks; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.webhooks ENABLE ROW LEVEL SECURITY;

--
-- Name: workspace_members; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.workspace_members ENABLE ROW LEVEL SECURITY;

--
-- Name: workspaces; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.workspaces ENABLE ROW LEVEL SECURITY;

--
-- Name: SCHEMA import_staging; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA import_staging TO penguinmails_jobs;

--
-- Name: SCHEMA public; Type: ACL; Schema: -; Owner: -
--

REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO penguinmails_app;
GRANT USAGE ON SCHEMA public TO penguinmails_jobs;
GRANT USAGE ON SCHEMA public TO penguinmails_lookup;
GRANT USAGE ON SCHEMA public TO penguinmails_erasure;
GRANT USAGE ON SCHEMA public TO penguinmails_search;

--
-- Name: FUNCTION close(job uuid); Type: ACL; Schema: import_staging; Owner: -
--

REVOKE ALL ON FUNCTION import_staging.close(job uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION import_staging.close(job uuid) TO penguinmails_jobs;

--
-- Name: FUNCTION index(job uuid); Type: ACL; Schema: import_staging; Owner: -
--

REVOKE ALL ON FUNCTION import_staging.index(job uuid) FROM PUBLIC;

--
-- Name: FUNCTION open(job uuid); Type: ACL; Schema: import_staging; Owner: -
--

REVOKE ALL ON FUNCTION import_staging.open(job uuid) FROM PUBLIC;

--
-- Name: FUNCTION addresses_of(phones text[], external_ids text[], most integer); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.addresses_of(phones text[], external_ids text[], most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.addresses_of(phones text[], external_ids text[], most integer) TO penguinmails_app;

--
-- Name: FUNCTION blank_erased_tenant(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.blank_erased_tenant() FROM PUBLIC;
GRANT ALL ON FUNCTION public.blank_erased_tenant() TO penguinmails_jobs;

--
-- Name: FUNCTION carry_status_to_tags(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.carry_status_to_tags() FROM PUBLIC;

--
-- Name: FUNCTION count_failing_webhooks(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.count_failing_webhooks() FROM PUBLIC;
GRANT ALL ON FUNCTION public.count_failing_webhooks() TO penguinmails_jobs;

--
-- Name: FUNCTION count_searched_contacts(clauses jsonb, from_at timestamp with time zone, before_at timestamp with time zone, most bigint, budget interval); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.count_searched_contacts(clauses jsonb, from_at timestamp with time zone, before_at timestamp with time zone, most bigint, budget interval) FROM PUBLIC;
GRANT ALL ON FUNCTION public.count_searched_contacts(clauses jsonb, from_at timestamp with time zone, before_at timestamp with time zone, most bigint, budget interval) TO penguinmails_app;

--
-- Name: FUNCTION count_webhooks(before timestamp with time zone); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.count_webhooks(before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.count_webhooks(before timestamp with time zone) TO penguinmails_jobs;

--
-- Name: FUNCTION erase_events_about(subjects uuid[]); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.erase_events_about(subjects uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.erase_events_about(subjects uuid[]) TO penguinmails_app;

--
-- Name: FUNCTION erase_rows_of_tenant(target text, batch integer); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.erase_rows_of_tenant(target text, batch integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.erase_rows_of_tenant(target text, batch integer) TO penguinmails_jobs;

--
-- Name: FUNCTION erase_texts_of(emails_ uuid[]); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.erase_texts_of(emails_ uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.erase_texts_of(emails_ uuid[]) TO penguinmails_app;

--
-- Name: FUNCTION extend_contact_spans(tenant uuid, data_set text, ids uuid[], moments timestamp with time zone[]); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.extend_contact_spans(tenant uuid, data_set text, ids uuid[], moments timestamp with time zone[]) FROM PUBLIC;

--
-- Name: FUNCTION find_api_key(digest bytea); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.find_api_key(digest bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_api_key(digest bytea) TO penguinmails_app;

--
-- Name: FUNCTION find_invitation(hash bytea); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.find_invitation(hash bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_invitation(hash bytea) TO penguinmails_app;

--
-- Name: FUNCTION find_link_token(hash bytea); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.find_link_token(hash bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_link_token(hash bytea) TO penguinmails_app;

--
-- Name: FUNCTION find_login(login_email text); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.find_login(login_email text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_login(login_email text) TO penguinmails_app;

--
-- Name: FUNCTION find_provider_endpoint(hash bytea); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.find_provider_endpoint(hash bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_provider_endpoint(hash bytea) TO penguinmails_app;

--
-- Name: FUNCTION find_refresh(hash bytea); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.find_refresh(hash bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_refresh(hash bytea) TO penguinmails_app;

--
-- Name: FUNCTION find_session(session uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.find_session(session uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_session(session uuid) TO penguinmails_app;

--
-- Name: FUNCTION find_tenant_of_domain(asked text); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.find_tenant_of_domain(asked text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_tenant_of_domain(asked text) TO penguinmails_app;

--
-- Name: FUNCTION find_tenant_of_email(email_id uuid); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.find_tenant_of_email(email_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_tenant_of_email(email_id uuid) TO penguinmails_app;

--
-- Name: FUNCTION forget_searched_contacts(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.forget_searched_contacts() FROM PUBLIC;

--
-- Name: FUNCTION index_added_contacts(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.index_added_contacts() FROM PUBLIC;

--
-- Name: FUNCTION index_changed_contacts(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.index_changed_contacts() FROM PUBLIC;

--
-- Name: FUNCTION index_engaged_contacts(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.index_engaged_contacts() FROM PUBLIC;

--
-- Name: FUNCTION index_linked_contacts(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.index_linked_contacts() FROM PUBLIC;

--
-- Name: FUNCTION is_to_be_erased(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.is_to_be_erased() FROM PUBLIC;
GRANT ALL ON FUNCTION public.is_to_be_erased() TO penguinmails_closing;

--
-- Name: FUNCTION keep_no_answer_about_the_erased(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.keep_no_answer_about_the_erased() FROM PUBLIC;

--
-- Name: FUNCTION live_webhooks(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.live_webhooks() FROM PUBLIC;
GRANT ALL ON FUNCTION public.live_webhooks() TO penguinmails_jobs;

--
-- Name: FUNCTION maintain_partitions(reference date); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.maintain_partitions(reference date) FROM PUBLIC;
GRANT ALL ON FUNCTION public.maintain_partitions(reference date) TO penguinmails_jobs;

--
-- Name: FUNCTION merge_search_words(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.merge_search_words() FROM PUBLIC;
GRANT ALL ON FUNCTION public.merge_search_words() TO penguinmails_search;

--
-- Name: FUNCTION oldest_secrets(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.oldest_secrets() FROM PUBLIC;
GRANT ALL ON FUNCTION public.oldest_secrets() TO penguinmails_jobs;

--
-- Name: FUNCTION refresh_webhook_statistics(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.refresh_webhook_statistics() FROM PUBLIC;
GRANT ALL ON FUNCTION public.refresh_webhook_statistics() TO penguinmails_app;

--
-- Name: FUNCTION rows_in_order(target text, after jsonb, batch integer); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.rows_in_order(target text, after jsonb, batch integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.rows_in_order(target text, after jsonb, batch integer) TO penguinmails_app;

--
-- Name: FUNCTION search_contacts(clauses jsonb, newest_first boolean, after_at timestamp with time zone, after_id uuid, from_at timestamp with time zone, before_at timestamp with time zone, wanted integer, budget interval); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.search_contacts(clauses jsonb, newest_first boolean, after_at timestamp with time zone, after_id uuid, from_at timestamp with time zone, before_at timestamp with time zone, wanted integer, budget interval) FROM PUBLIC;
GRANT ALL ON FUNCTION public.search_contacts(clauses jsonb, newest_first boolean, after_at timestamp with time zone, after_id uuid, from_at timestamp with time zone, before_at timestamp with time zone, wanted integer, budget interval) TO penguinmails_app;

--
-- Name: FUNCTION suppressed_among(addresses text[], in_workspace uuid, of_type text); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.suppressed_among(addresses text[], in_workspace uuid, of_type text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.suppressed_among(addresses text[], in_workspace uuid, of_type text) TO penguinmails_app;

--
-- Name: FUNCTION tables_of_tenants(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.tables_of_tenants() FROM PUBLIC;
GRANT ALL ON FUNCTION public.tables_of_tenants() TO penguinmails_jobs;

--
-- Name: FUNCTION webhooks_with_held_due(); Type: ACL; Schema: public; Owner: -
--

REVOKE ALL ON FUNCTION public.webhooks_with_held_due() FROM PUBLIC;
GRANT ALL ON FUNCTION public.webhooks_with_held_due() TO penguinmails_jobs;

--
-- Name: TABLE account_export_parts; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.account_export_parts TO penguinmails_closing;
GRANT SELECT,INSERT ON TABLE public.account_export_parts TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.account_export_parts TO penguinmails_jobs;

--
-- Name: TABLE account_exports; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.account_exports TO penguinmails_closing;
GRANT SELECT,INSERT,UPDATE ON TABLE public.account_exports TO penguinmails_app;
GRANT SELECT,UPDATE ON TABLE public.account_exports TO penguinmails_jobs;

--
-- Name: TABLE api_key_usage; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.api_key_usage TO penguinmails_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.api_key_usage TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.api_key_usage TO penguinmails_closing;

--
-- Name: TABLE api_key_usage_daily; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.api_key_usage_daily TO penguinmails_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.api_key_usage_daily TO penguinmails_jobs;
GRANT SELECT ON TABLE public.api_key_usage_daily TO penguinmails_lookup;
GRANT SELECT,DELETE ON TABLE public.api_key_usage_daily TO penguinmails_closing;

--
-- Name: TABLE api_key_usage_sources; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.api_key_usage_sources TO penguinmails_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.api_key_usage_sources TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.api_key_usage_sources TO penguinmails_closing;

--
-- Name: TABLE api_keys; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.api_keys TO penguinmails_app;
GRANT SELECT,UPDATE ON TABLE public.api_keys TO penguinmails_jobs;
GRANT SELECT ON TABLE public.api_keys TO penguinmails_lookup;
GRANT SELECT,DELETE ON TABLE public.api_keys TO penguinmails_closing;

--
-- Name: TABLE audit_log; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.audit_log TO penguinmails_app;
GRANT SELECT,INSERT ON TABLE public.audit_log TO penguinmails_jobs;
GRANT SELECT ON TABLE public.audit_log TO penguinmails_closing;

--
-- Name: COLUMN audit_log.ip_address; Type: ACL; Schema: public; Owner: -
--

GRANT UPDATE(ip_address) ON TABLE public.audit_log TO penguinmails_closing;

--
-- Name: COLUMN audit_log.user_agent; Type: ACL; Schema: public; Owner: -
--

GRANT UPDATE(user_agent) ON TABLE public.audit_log TO penguinmails_closing;

--
-- Name: COLUMN audit_log.details; Type: ACL; Schema: public; Owner: -
--

GRANT UPDATE(details) ON TABLE public.audit_log TO penguinmails_closing;

--
-- Name: TABLE campaign_contacts; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.campaign_contacts TO penguinmails_app;
GRANT SELECT,DELETE,MAINTAIN ON TABLE public.campaign_contacts TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.campaign_contacts TO penguinmails_closing;

--
-- Name: TABLE campaign_stats; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.campaign_stats TO penguinmails_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.campaign_stats TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.campaign_stats TO penguinmails_closing;

--
-- Name: TABLE campaign_steps; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.campaign_steps TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.campaign_steps TO penguinmails_closing;

--
-- Name: TABLE campaigns; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.campaigns TO penguinmails_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.campaigns TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.campaigns TO penguinmails_closing;

--
-- Name: TABLE contact_counts; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.contact_counts TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.contact_counts TO penguinmails_closing;

--
-- Name: TABLE contact_field_values; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_field_values TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.contact_field_values TO penguinmails_closing;

--
-- Name: TABLE contact_fields; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_fields TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.contact_fields TO penguinmails_closing;
GRANT SELECT ON TABLE public.contact_fields TO penguinmails_jobs;

--
-- Name: TABLE contact_lists; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_lists TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.contact_lists TO penguinmails_closing;

--
-- Name: TABLE contact_search; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.contact_search TO penguinmails_closing;
GRANT SELECT ON TABLE public.contact_search TO penguinmails_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_search TO penguinmails_search;
GRANT MAINTAIN ON TABLE public.contact_search TO penguinmails_import;

--
-- Name: TABLE contact_spans; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.contact_spans TO penguinmails_closing;
GRANT SELECT ON TABLE public.contact_spans TO penguinmails_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.contact_spans TO penguinmails_search;
GRANT MAINTAIN ON TABLE public.contact_spans TO penguinmails_import;

--
-- Name: TABLE contact_tags; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_tags TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.contact_tags TO penguinmails_closing;

--
-- Name: TABLE contact_workspaces; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_workspaces TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.contact_workspaces TO penguinmails_closing;

--
-- Name: TABLE contacts; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contacts TO penguinmails_app;
GRANT MAINTAIN ON TABLE public.contacts TO penguinmails_import;
GRANT SELECT,DELETE ON TABLE public.contacts TO penguinmails_closing;
GRANT SELECT,UPDATE ON TABLE public.contacts TO penguinmails_jobs;

--
-- Name: COLUMN contacts.tenant_id; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT(tenant_id) ON TABLE public.contacts TO penguinmails_search;

--
-- Name: COLUMN contacts.mode; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT(mode) ON TABLE public.contacts TO penguinmails_search;

--
-- Name: COLUMN contacts.email; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT(email) ON TABLE public.contacts TO penguinmails_search;

--
-- Name: COLUMN contacts.phone; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT(phone) ON TABLE public.contacts TO penguinmails_search;

--
-- Name: COLUMN contacts.external_id; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT(external_id) ON TABLE public.contacts TO penguinmails_search;

--
-- Name: TABLE content_objects; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.content_objects TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.content_objects TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.content_objects TO penguinmails_closing;
GRANT SELECT,DELETE ON TABLE public.content_objects TO penguinmails_erasure;

--
-- Name: TABLE domains; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.domains TO penguinmails_app;
GRANT SELECT ON TABLE public.domains TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.domains TO penguinmails_closing;
GRANT SELECT ON TABLE public.domains TO penguinmails_lookup;

--
-- Name: TABLE email_attachments; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.email_attachments TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.email_attachments TO penguinmails_closing;
GRANT SELECT ON TABLE public.email_attachments TO penguinmails_jobs;
GRANT SELECT ON TABLE public.email_attachments TO penguinmails_erasure;

--
-- Name: TABLE email_events; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.email_events TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.email_events TO penguinmails_closing;
GRANT SELECT,UPDATE ON TABLE public.email_events TO penguinmails_erasure;
GRANT SELECT,DELETE ON TABLE public.email_events TO penguinmails_jobs;

--
-- Name: TABLE email_figure_changes; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.email_figure_changes TO penguinmails_closing;
GRANT SELECT,INSERT ON TABLE public.email_figure_changes TO penguinmails_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.email_figure_changes TO penguinmails_jobs;

--
-- Name: TABLE email_rollups; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.email_rollups TO penguinmails_closing;
GRANT SELECT ON TABLE public.email_rollups TO penguinmails_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.email_rollups TO penguinmails_jobs;

--
-- Name: TABLE email_tags; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.email_tags TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.email_tags TO penguinmails_closing;
GRANT SELECT,UPDATE ON TABLE public.email_tags TO penguinmails_search;

--
-- Name: TABLE email_uploads; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.email_uploads TO penguinmails_closing;
GRANT SELECT,INSERT,UPDATE ON TABLE public.email_uploads TO penguinmails_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.email_uploads TO penguinmails_jobs;
GRANT SELECT,UPDATE ON TABLE public.email_uploads TO penguinmails_erasure;

--
-- Name: TABLE emails; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.emails TO penguinmails_app;
GRANT SELECT,MAINTAIN,UPDATE ON TABLE public.emails TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.emails TO penguinmails_closing;
GRANT SELECT ON TABLE public.emails TO penguinmails_erasure;
GRANT SELECT ON TABLE public.emails TO penguinmails_lookup;

--
-- Name: TABLE events; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.events TO penguinmails_app;
GRANT SELECT,UPDATE ON TABLE public.events TO penguinmails_erasure;
GRANT SELECT,DELETE ON TABLE public.events TO penguinmails_closing;

--
-- Name: TABLE export_jobs; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.export_jobs TO penguinmails_app;
GRANT SELECT,UPDATE ON TABLE public.export_jobs TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.export_jobs TO penguinmails_closing;

--
-- Name: TABLE idempotency_keys; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.idempotency_keys TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.idempotency_keys TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.idempotency_keys TO penguinmails_closing;

--
-- Name: TABLE import_events; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.import_events TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.import_events TO penguinmails_jobs;
GRANT MAINTAIN ON TABLE public.import_events TO penguinmails_import;
GRANT SELECT,DELETE ON TABLE public.import_events TO penguinmails_closing;

--
-- Name: TABLE import_jobs; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.import_jobs TO penguinmails_app;
GRANT SELECT,UPDATE ON TABLE public.import_jobs TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.import_jobs TO penguinmails_closing;

--
-- Name: TABLE inbox_attachments; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.inbox_attachments TO penguinmails_closing;
GRANT SELECT,INSERT ON TABLE public.inbox_attachments TO penguinmails_app;

--
-- Name: TABLE inbox_messages; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE ON TABLE public.inbox_messages TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.inbox_messages TO penguinmails_closing;

--
-- Name: TABLE inbox_threads; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.inbox_threads TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.inbox_threads TO penguinmails_closing;

--
-- Name: TABLE invitations; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.invitations TO penguinmails_app;
GRANT SELECT ON TABLE public.invitations TO penguinmails_lookup;
GRANT SELECT,DELETE ON TABLE public.invitations TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.invitations TO penguinmails_closing;

--
-- Name: TABLE link_tokens; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.link_tokens TO penguinmails_app;
GRANT SELECT ON TABLE public.link_tokens TO penguinmails_lookup;
GRANT SELECT,DELETE ON TABLE public.link_tokens TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.link_tokens TO penguinmails_closing;

--
-- Name: TABLE lists; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.lists TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.lists TO penguinmails_closing;

--
-- Name: TABLE mail_outbox; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.mail_outbox TO penguinmails_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.mail_outbox TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.mail_outbox TO penguinmails_closing;

--
-- Name: TABLE mail_servers; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.mail_servers TO penguinmails_closing;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mail_servers TO penguinmails_app;

--
-- Name: COLUMN mail_servers.created_at; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT(created_at) ON TABLE public.mail_servers TO penguinmails_lookup;

--
-- Name: COLUMN mail_servers.secret_changed_at; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT(secret_changed_at) ON TABLE public.mail_servers TO penguinmails_lookup;

--
-- Name: TABLE mailbox_days; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.mailbox_days TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.mailbox_days TO penguinmails_closing;

--
-- Name: TABLE monthly_reports; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.monthly_reports TO penguinmails_jobs;

--
-- Name: TABLE outbox; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.outbox TO penguinmails_app;
GRANT SELECT,DELETE,UPDATE ON TABLE public.outbox TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.outbox TO penguinmails_closing;

--
-- Name: TABLE partitioned_tables; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.partitioned_tables TO penguinmails_jobs;

--
-- Name: TABLE pending_removals; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.pending_removals TO penguinmails_closing;
GRANT SELECT,INSERT,DELETE ON TABLE public.pending_removals TO penguinmails_app;
GRANT SELECT ON TABLE public.pending_removals TO penguinmails_jobs;

--
-- Name: TABLE plans; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.plans TO penguinmails_app;
GRANT SELECT ON TABLE public.plans TO penguinmails_jobs;
GRANT SELECT ON TABLE public.plans TO penguinmails_lookup;

--
-- Name: TABLE privacy_requests; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.privacy_requests TO penguinmails_closing;
GRANT SELECT,INSERT,UPDATE ON TABLE public.privacy_requests TO penguinmails_app;
GRANT SELECT,UPDATE ON TABLE public.privacy_requests TO penguinmails_jobs;

--
-- Name: TABLE provider_accounts; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.provider_accounts TO penguinmails_app;
GRANT SELECT ON TABLE public.provider_accounts TO penguinmails_lookup;
GRANT SELECT,DELETE ON TABLE public.provider_accounts TO penguinmails_closing;

--
-- Name: TABLE provider_events; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.provider_events TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.provider_events TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.provider_events TO penguinmails_closing;

--
-- Name: TABLE reauth_tokens; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.reauth_tokens TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.reauth_tokens TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.reauth_tokens TO penguinmails_closing;

--
-- Name: TABLE recovery_codes; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.recovery_codes TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.recovery_codes TO penguinmails_closing;

--
-- Name: TABLE response_time_windows; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.response_time_windows TO penguinmails_jobs;

--
-- Name: TABLE segments; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.segments TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.segments TO penguinmails_closing;
GRANT SELECT ON TABLE public.segments TO penguinmails_jobs;

--
-- Name: COLUMN segments.count_due_at; Type: ACL; Schema: public; Owner: -
--

GRANT UPDATE(count_due_at) ON TABLE public.segments TO penguinmails_jobs;

--
-- Name: TABLE send_paces; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.send_paces TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.send_paces TO penguinmails_closing;

--
-- Name: TABLE sessions; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.sessions TO penguinmails_app;
GRANT SELECT ON TABLE public.sessions TO penguinmails_lookup;
GRANT SELECT,DELETE ON TABLE public.sessions TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.sessions TO penguinmails_closing;

--
-- Name: TABLE soft_bounces; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.soft_bounces TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.soft_bounces TO penguinmails_closing;

--
-- Name: TABLE staff_members; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.staff_members TO penguinmails_app;
GRANT SELECT ON TABLE public.staff_members TO penguinmails_lookup;
GRANT SELECT,DELETE ON TABLE public.staff_members TO penguinmails_closing;

--
-- Name: TABLE subscriptions; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.subscriptions TO penguinmails_app;
GRANT SELECT,UPDATE ON TABLE public.subscriptions TO penguinmails_jobs;
GRANT SELECT ON TABLE public.subscriptions TO penguinmails_lookup;
GRANT SELECT,DELETE ON TABLE public.subscriptions TO penguinmails_closing;

--
-- Name: TABLE suppression_lifts; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.suppression_lifts TO penguinmails_closing;
GRANT SELECT,INSERT,DELETE ON TABLE public.suppression_lifts TO penguinmails_app;

--
-- Name: TABLE suppression_list; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE ON TABLE public.suppression_list TO penguinmails_app;
GRANT SELECT ON TABLE public.suppression_list TO penguinmails_lookup;
GRANT SELECT,INSERT ON TABLE public.suppression_list TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.suppression_list TO penguinmails_closing;

--
-- Name: TABLE tags; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tags TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.tags TO penguinmails_closing;

--
-- Name: TABLE templates; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.templates TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.templates TO penguinmails_closing;

--
-- Name: TABLE tenant_overrides; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.tenant_overrides TO penguinmails_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tenant_overrides TO penguinmails_jobs;
GRANT SELECT ON TABLE public.tenant_overrides TO penguinmails_lookup;
GRANT SELECT,DELETE ON TABLE public.tenant_overrides TO penguinmails_closing;

--
-- Name: TABLE tenant_limits; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.tenant_limits TO penguinmails_app;
GRANT SELECT ON TABLE public.tenant_limits TO penguinmails_jobs;
GRANT SELECT ON TABLE public.tenant_limits TO penguinmails_lookup;

--
-- Name: TABLE tenants; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.tenants TO penguinmails_app;
GRANT SELECT,UPDATE ON TABLE public.tenants TO penguinmails_jobs;
GRANT SELECT ON TABLE public.tenants TO penguinmails_lookup;

--
-- Name: TABLE usage_counters; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.usage_counters TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.usage_counters TO penguinmails_closing;

--
-- Name: TABLE user_credentials; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_credentials TO penguinmails_app;
GRANT SELECT ON TABLE public.user_credentials TO penguinmails_lookup;
GRANT SELECT,DELETE ON TABLE public.user_credentials TO penguinmails_closing;

--
-- Name: TABLE users; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.users TO penguinmails_app;
GRANT SELECT ON TABLE public.users TO penguinmails_jobs;
GRANT SELECT ON TABLE public.users TO penguinmails_lookup;
GRANT SELECT,DELETE ON TABLE public.users TO penguinmails_closing;

--
-- Name: TABLE webhook_attempts; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT ON TABLE public.webhook_attempts TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.webhook_attempts TO penguinmails_closing;
GRANT SELECT,UPDATE ON TABLE public.webhook_attempts TO penguinmails_erasure;

--
-- Name: TABLE webhook_deliveries; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.webhook_deliveries TO penguinmails_app;
GRANT SELECT,UPDATE ON TABLE public.webhook_deliveries TO penguinmails_jobs;
GRANT SELECT,DELETE ON TABLE public.webhook_deliveries TO penguinmails_closing;
GRANT SELECT ON TABLE public.webhook_deliveries TO penguinmails_erasure;

--
-- Name: TABLE webhook_figure_changes; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.webhook_figure_changes TO penguinmails_closing;
GRANT SELECT,INSERT ON TABLE public.webhook_figure_changes TO penguinmails_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.webhook_figure_changes TO penguinmails_jobs;

--
-- Name: TABLE webhook_quarters; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.webhook_quarters TO penguinmails_closing;
GRANT SELECT ON TABLE public.webhook_quarters TO penguinmails_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.webhook_quarters TO penguinmails_jobs;

--
-- Name: TABLE webhook_replays; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.webhook_replays TO penguinmails_closing;
GRANT SELECT,INSERT,UPDATE ON TABLE public.webhook_replays TO penguinmails_app;
GRANT SELECT,UPDATE ON TABLE public.webhook_replays TO penguinmails_jobs;

--
-- Name: TABLE webhook_sequences; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,DELETE ON TABLE public.webhook_sequences TO penguinmails_closing;
GRANT SELECT,INSERT,UPDATE ON TABLE public.webhook_sequences TO penguinmails_app;

--
-- Name: TABLE webhooks; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,UPDATE ON TABLE public.webhooks TO penguinmails_app;
GRANT SELECT ON TABLE public.webhooks TO penguinmails_lookup;
GRANT SELECT,DELETE ON TABLE public.webhooks TO penguinmails_closing;
GRANT SELECT ON TABLE public.webhooks TO penguinmails_erasure;

--
-- Name: TABLE workspace_members; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.workspace_members TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.workspace_members TO penguinmails_closing;

--
-- Name: TABLE workspaces; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.workspaces TO penguinmails_app;
GRANT SELECT,DELETE ON TABLE public.workspaces TO penguinmails_closing;

--
-- PostgreSQL database dump complete
--
