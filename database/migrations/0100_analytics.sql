-- Figures about mails per hour in UTC. A statement that writes history appends what it changes about the figures; a job adds
-- that to the roll-ups. Who reads adds the two together, so an answer is exact and never waits for the job.

CREATE TABLE email_figure_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  slice text COLLATE "C" NOT NULL CHECK (slice IN ('all', 'workspace', 'campaign', 'tag')),
  slice_key text COLLATE "C" NOT NULL,
  starts_at timestamptz NOT NULL,
  email_type text COLLATE "C" NOT NULL,
  step_id uuid NOT NULL,
  variant text COLLATE "C" NOT NULL,
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
  machine_clicks bigint NOT NULL
);
COMMENT ON TABLE email_figure_changes IS 'what is not yet in email_rollups; append only, so that workers never wait for each other, and emptied each minute';
CREATE INDEX email_figure_changes_by_slice ON email_figure_changes (tenant_id, mode, slice, slice_key, starts_at);
CALL protect_tenant_table('email_figure_changes', true);
GRANT SELECT, INSERT ON email_figure_changes TO penguinmails_app;
CALL allow_across_tenants('email_figure_changes', 'penguinmails_jobs', 'SELECT, UPDATE, DELETE');

CREATE TABLE email_rollups (
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  slice text COLLATE "C" NOT NULL CHECK (slice IN ('all', 'workspace', 'campaign', 'tag')),
  slice_key text COLLATE "C" NOT NULL,
  grain text COLLATE "C" NOT NULL CHECK (grain IN ('hour', 'quarter')),
  starts_at timestamptz NOT NULL,
  email_type text COLLATE "C" NOT NULL,
  step_id uuid NOT NULL,
  variant text COLLATE "C" NOT NULL,
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
  PRIMARY KEY (tenant_id, mode, slice, slice_key, grain, starts_at, email_type, step_id, variant)
);
COMMENT ON COLUMN email_rollups.grain IS 'each figure stands here twice: per hour, and per quarter of an hour for time zones whose days begin within an hour of UTC';
COMMENT ON COLUMN email_rollups.slice_key IS 'id of the workspace or campaign, or the tag; empty for all';
COMMENT ON COLUMN email_rollups.step_id IS 'with variant: only in slices of campaigns; else zeros and empty';
COMMENT ON COLUMN email_rollups.opened IS 'mails, by the time of their first open by a person; opened_by_any counts machines too, opens every time';
CALL protect_tenant_table('email_rollups', true);
GRANT SELECT ON email_rollups TO penguinmails_app;
CALL allow_across_tenants('email_rollups', 'penguinmails_jobs', 'SELECT, INSERT, UPDATE');

-- What a mail counts as follows from its whole history, whatever the order in which reports come: it was delivered unless it
-- bounced, it was opened when it was opened first. So each statement compares the history without its rows with that with them.
CREATE FUNCTION add_email_figures() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM new_rows WHERE type IN ('sent', 'delivered', 'bounced', 'opened', 'clicked', 'replied',
                                                     'complained', 'unsubscribed')) THEN
    RETURN NULL;
  END IF;
  -- Two reports about one mail at once would each not see the other.
  PERFORM FROM emails e
  WHERE (e.tenant_id, e.mode, e.id) IN (SELECT n.tenant_id, n.mode, n.email_id FROM new_rows n)
  ORDER BY e.id FOR NO KEY UPDATE;

  INSERT INTO email_figure_changes (
    tenant_id, mode, slice, slice_key, starts_at, email_type, step_id, variant, sent, delivered, bounced, opened,
    opened_by_any, clicked, clicked_by_any, replied, complained, unsubscribed, opens, clicks, machine_opens, machine_clicks)
  WITH touched AS MATERIALIZED (
    SELECT DISTINCT n.tenant_id, n.mode, n.email_id FROM new_rows n
    WHERE n.type IN ('sent', 'delivered', 'bounced', 'opened', 'clicked', 'replied', 'complained', 'unsubscribed')
  ), mails AS MATERIALIZED (
    SELECT e.tenant_id, e.mode, e.id, e.email_type, e.campaign_id, c.workspace_id, e.step_id, e.variant,
           -- Other ways to send tell of no delivery: what was taken and did not come back has arrived.
           e.provider IN ('postmark', 'mailgun') AS tells_of_delivery
    FROM touched t
    JOIN emails e ON e.tenant_id = t.tenant_id AND e.mode = t.mode AND e.id = t.email_id
    LEFT JOIN campaigns c ON c.tenant_id = e.tenant_id AND c.mode = e.mode AND c.id = e.campaign_id
  ), history AS MATERIALIZED (
    SELECT m.id, m.tells_of_delivery, v.type, v.occurred_at AS at, v.data ? 'is_machine' AS by_machine,
           v.id IN (SELECT n.id FROM new_rows n) AS is_new
    FROM mails m
    JOIN email_events v ON v.tenant_id = m.tenant_id AND v.mode = m.mode AND v.email_id = m.id
    WHERE v.type IN ('sent', 'delivered', 'bounced', 'opened', 'clicked', 'replied', 'complained', 'unsubscribed')
      AND NOT v.data ? 'will_retry'
  ), milestones AS (
    SELECT h.id, s.sign, bool_or(h.tells_of_delivery) AS tells_of_delivery,
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
    GROUP BY h.id, s.sign
  ), moves AS (
    SELECT s.id, s.sign, f.figure, f.at
    FROM milestones s CROSS JOIN LATERAL (VALUES
      ('sent', s.sent),
      ('delivered', CASE WHEN s.bounced IS NULL AND s.tells_of_delivery THEN s.delivered
                         WHEN s.bounced IS NULL THEN coalesce(s.delivered, s.sent) END),
      ('bounced', s.bounced), ('opened', s.opened), ('opened_by_any', s.opened_by_any), ('clicked', s.clicked),
      ('clicked_by_any', s.clicked_by_any), ('replied', s.replied), ('complained', s.complained),
      ('unsubscribed', s.unsubscribed)) f (figure, at)
    WHERE f.at IS NOT NULL
    UNION ALL
    SELECT h.id, 1, CASE WHEN h.by_machine THEN 'machine_' ELSE '' END || CASE h.type WHEN 'opened' THEN 'opens' ELSE 'clicks' END,
           h.at
    FROM history h WHERE h.is_new AND h.type IN ('opened', 'clicked')
  ), net AS (
    SELECT m.id, m.figure, date_bin('15 minutes', m.at, '2000-01-01 00:00Z') AS starts_at, sum(m.sign) AS n
    FROM moves m GROUP BY 1, 2, 3 HAVING sum(m.sign) <> 0
  )
  SELECT m.tenant_id, m.mode, s.slice, s.slice_key, n.starts_at, m.email_type, s.step_id, s.variant,
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'sent'), 0), coalesce(sum(n.n) FILTER (WHERE n.figure = 'delivered'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'bounced'), 0), coalesce(sum(n.n) FILTER (WHERE n.figure = 'opened'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'opened_by_any'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'clicked'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'clicked_by_any'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'replied'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'complained'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'unsubscribed'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'opens'), 0), coalesce(sum(n.n) FILTER (WHERE n.figure = 'clicks'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'machine_opens'), 0),
         coalesce(sum(n.n) FILTER (WHERE n.figure = 'machine_clicks'), 0)
  FROM net n JOIN mails m ON m.id = n.id
  CROSS JOIN LATERAL (
    SELECT 'all', '', '00000000-0000-0000-0000-000000000000'::uuid, ''
    UNION ALL
    SELECT 'workspace', m.workspace_id::text, '00000000-0000-0000-0000-000000000000', '' WHERE m.workspace_id IS NOT NULL
    UNION ALL
    SELECT 'campaign', m.campaign_id::text, coalesce(m.step_id, '00000000-0000-0000-0000-000000000000'),
           coalesce(m.variant, '')
    WHERE m.campaign_id IS NOT NULL
    UNION ALL
    SELECT 'tag', t.tag, '00000000-0000-0000-0000-000000000000', '' FROM email_tags t
    WHERE t.tenant_id = m.tenant_id AND t.mode = m.mode AND t.email_id = m.id
  ) s (slice, slice_key, step_id, variant)
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
  RETURN NULL;
END
$$;
-- Named to come before count_campaign_answers: whoever records a report locks the mail first and the campaign's counts then.
CREATE TRIGGER add_email_figures AFTER INSERT ON email_events
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION add_email_figures();
