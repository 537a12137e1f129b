-- Campaigns: what is sent to whom and when, one ledger row per recipient, and counts that are kept as mails move on.

CREATE TABLE campaigns (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  workspace_id uuid NOT NULL,
  name varchar(255) NOT NULL,
  name_lower varchar(510) COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
  description varchar(2000),
  goal text CHECK (goal IN ('awareness', 'lead_gen', 'sales')),
  campaign_type text NOT NULL CHECK (campaign_type IN ('broadcast', 'drip', 'triggered', 'ab_test')),
  status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'scheduled', 'active', 'paused', 'completed')),
  segment_id uuid,
  list_id uuid,
  from_email varchar(254),
  from_name varchar(100),
  reply_to_email varchar(254),
  start_date timestamptz,
  end_date timestamptz,
  timezone text NOT NULL DEFAULT 'UTC',
  send_strategy text NOT NULL CHECK (send_strategy IN ('immediate', 'scheduled', 'optimized')),
  settings jsonb NOT NULL,
  total_contacts bigint NOT NULL DEFAULT 0,
  audience_from_time timestamptz,
  audience_from_id uuid,
  audience_taken_at timestamptz,
  next_plan_at timestamptz,
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  launched_at timestamptz,
  completed_at timestamptz,
  UNIQUE (tenant_id, mode, id),
  CONSTRAINT campaigns_workspace FOREIGN KEY (tenant_id, workspace_id) REFERENCES workspaces (tenant_id, id),
  CONSTRAINT campaigns_segment FOREIGN KEY (tenant_id, mode, segment_id) REFERENCES segments (tenant_id, mode, id),
  CONSTRAINT campaigns_list FOREIGN KEY (tenant_id, mode, list_id) REFERENCES lists (tenant_id, mode, id),
  CHECK (num_nonnulls(segment_id, list_id) <= 1),
  CHECK (end_date > start_date),
  CHECK ((next_plan_at IS NOT NULL) = (status IN ('scheduled', 'active')))
);
COMMENT ON COLUMN campaigns.list_id IS 'neither list nor segment: all contacts of the workspace';
COMMENT ON COLUMN campaigns.total_contacts IS 'rows of campaign_contacts, counted as they are added';
COMMENT ON COLUMN campaigns.audience_from_time IS 'with audience_from_id: the last contact of the audience that was looked at';
COMMENT ON COLUMN campaigns.audience_taken_at IS 'when the whole audience had been enrolled';
COMMENT ON COLUMN campaigns.next_plan_at IS 'when the planner looks at it next; null while nothing is to be planned';
CREATE INDEX campaigns_by_created ON campaigns (tenant_id, mode, created_at, id);
CREATE INDEX campaigns_by_updated ON campaigns (tenant_id, mode, updated_at, id);
CREATE INDEX campaigns_by_name ON campaigns (tenant_id, mode, name, id);
CREATE INDEX campaigns_by_search ON campaigns (tenant_id, mode, name_lower, id);
CREATE INDEX campaigns_by_status ON campaigns (tenant_id, mode, status, created_at, id);
CREATE INDEX campaigns_by_workspace ON campaigns (tenant_id, workspace_id, created_at, id);
CREATE INDEX campaigns_by_list ON campaigns (tenant_id, mode, list_id) WHERE list_id IS NOT NULL;
CREATE INDEX campaigns_by_segment ON campaigns (tenant_id, mode, segment_id) WHERE segment_id IS NOT NULL;
CREATE INDEX campaigns_due ON campaigns (next_plan_at) WHERE next_plan_at IS NOT NULL;
CALL protect_tenant_table('campaigns', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON campaigns TO penguinmails_app;
CALL allow_across_tenants('campaigns', 'penguinmails_jobs', 'SELECT, UPDATE');
-- What the planner notes while it works is no change that a reader's ETag should notice.
CREATE TRIGGER set_updated_at
  BEFORE UPDATE OF name, description, goal, campaign_type, status, segment_id, list_id, from_email, from_name,
    reply_to_email, start_date, end_date, timezone, send_strategy, settings, workspace_id ON campaigns
  FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE campaign_steps (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  campaign_id uuid NOT NULL,
  step_order integer NOT NULL CHECK (step_order >= 1),
  name varchar(100),
  step_type text NOT NULL CHECK (step_type IN ('email', 'wait', 'condition', 'action')),
  subject varchar(998),
  html text,
  text_body text,
  variant jsonb,
  content_key uuid,
  variant_content_key uuid,
  test_started_at timestamptz,
  winner text CHECK (winner IN ('a', 'b')),
  wait_value integer CHECK (wait_value >= 1),
  wait_unit text CHECK (wait_unit IN ('minutes', 'hours', 'days', 'weeks')),
  condition jsonb,
  action jsonb,
  next_step_id uuid,
  false_next_step_id uuid,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id, mode, id),
  CONSTRAINT campaign_steps_order_unique UNIQUE (tenant_id, mode, campaign_id, step_order) DEFERRABLE INITIALLY DEFERRED,
  FOREIGN KEY (tenant_id, mode, campaign_id) REFERENCES campaigns (tenant_id, mode, id) ON DELETE CASCADE,
  CHECK ((step_type = 'email') = (subject IS NOT NULL)),
  CHECK ((step_type = 'wait') = (wait_value IS NOT NULL)),
  CHECK ((step_type = 'condition') = (condition IS NOT NULL)),
  CHECK ((step_type = 'action') = (action IS NOT NULL))
);
COMMENT ON COLUMN campaign_steps.variant IS 'the other version of an A/B test: subject, html, text_body; what is absent is as in the first';
COMMENT ON COLUMN campaign_steps.content_key IS 'the content_objects row that mails of this step share; null until the first mail after a change';
COMMENT ON COLUMN campaign_steps.next_step_id IS 'for a condition: where it holds; null ends the journey';
CALL protect_tenant_table('campaign_steps', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON campaign_steps TO penguinmails_app;
CREATE TRIGGER set_updated_at BEFORE UPDATE ON campaign_steps FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- The ledger: where each recipient stands. The key begins with the contact, whose deletion looks for its rows.
CREATE TABLE campaign_contacts (
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  campaign_id uuid NOT NULL,
  contact_id uuid NOT NULL,
  status text NOT NULL DEFAULT 'enrolled' CHECK (status IN ('enrolled', 'active', 'completed', 'exited')),
  current_step_id uuid,
  reason text,
  steps_completed integer NOT NULL DEFAULT 0,
  enrolled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  last_email_sent_at timestamptz,
  next_email_at timestamptz,
  PRIMARY KEY (tenant_id, mode, contact_id, campaign_id),
  FOREIGN KEY (tenant_id, mode, campaign_id) REFERENCES campaigns (tenant_id, mode, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, mode, contact_id) REFERENCES contacts (tenant_id, mode, id) ON DELETE CASCADE,
  CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'exited'))),
  CHECK (next_email_at IS NULL OR finished_at IS NULL)
) WITH (fillfactor = 70);
COMMENT ON COLUMN campaign_contacts.status IS 'enrolled and active recipients of a paused campaign are paused; that is read from the campaign, so that pausing a million is one change';
COMMENT ON COLUMN campaign_contacts.current_step_id IS 'the step whose turn it is; null before the first';
COMMENT ON COLUMN campaign_contacts.next_email_at IS 'when the planner takes the recipient up; null while a mail is on its way, and at the end';
COMMENT ON COLUMN campaign_contacts.reason IS 'why the recipient waits or left, as a code that the API explains';
CREATE INDEX campaign_contacts_by_enrolment ON campaign_contacts (tenant_id, mode, campaign_id, enrolled_at, contact_id);
CREATE INDEX campaign_contacts_by_status ON campaign_contacts (tenant_id, mode, campaign_id, status, enrolled_at, contact_id);
CREATE INDEX campaign_contacts_due ON campaign_contacts (tenant_id, mode, campaign_id, next_email_at, contact_id)
  WHERE next_email_at IS NOT NULL;
CALL protect_tenant_table('campaign_contacts', true);
GRANT SELECT, INSERT, UPDATE, DELETE ON campaign_contacts TO penguinmails_app;
-- Who has just enrolled a large audience tells the planner of queries so: it would go on to take the campaign for empty.
GRANT MAINTAIN ON campaign_contacts, emails TO penguinmails_jobs;

-- ---- emails of campaigns ---------------------------------------------------------------------------------------------

ALTER TABLE emails
  ADD COLUMN contact_id uuid,
  ADD COLUMN step_id uuid,
  ADD COLUMN variant text CHECK (variant IN ('a', 'b')),
  ADD CONSTRAINT emails_step_of_campaign CHECK (step_id IS NULL OR num_nonnulls(campaign_id, contact_id, variant) = 3);
COMMENT ON COLUMN emails.step_id IS 'the campaign step that it belongs to; its content is then a template for the contact. No foreign key: what was sent outlives the campaign';
-- Whatever crashes and is repeated, a second mail of a step to the same person cannot be stored.
CREATE UNIQUE INDEX emails_once_per_step ON emails (tenant_id, mode, campaign_id, contact_id, step_id)
  WHERE step_id IS NOT NULL;

-- How many mails of a mailbox were planned on a day of a campaign's time zone.
CREATE TABLE mailbox_days (
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  mailbox varchar(254) COLLATE "C" NOT NULL,
  day date NOT NULL,
  planned integer NOT NULL,
  PRIMARY KEY (tenant_id, mode, mailbox, day)
);
CALL protect_tenant_table('mailbox_days', true);
GRANT SELECT, INSERT, UPDATE ON mailbox_days TO penguinmails_app;

-- From when on a tenant may hand over further mails of campaigns: the pace that its plan sets, across all workers.
CREATE TABLE send_paces (
  tenant_id uuid NOT NULL PRIMARY KEY REFERENCES tenants,
  free_from timestamptz NOT NULL
);
CALL protect_tenant_table('send_paces', false);
GRANT SELECT, INSERT, UPDATE ON send_paces TO penguinmails_app;

-- ---- counts ----------------------------------------------------------------------------------------------------------

CREATE TABLE campaign_stats (
  tenant_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  campaign_id uuid NOT NULL,
  step_id uuid NOT NULL,
  variant text NOT NULL CHECK (variant IN ('a', 'b')),
  sent bigint NOT NULL DEFAULT 0,
  delivered bigint NOT NULL DEFAULT 0,
  opened bigint NOT NULL DEFAULT 0,
  clicked bigint NOT NULL DEFAULT 0,
  replied bigint NOT NULL DEFAULT 0,
  bounced bigint NOT NULL DEFAULT 0,
  unsubscribed bigint NOT NULL DEFAULT 0,
  complained bigint NOT NULL DEFAULT 0,
  failed bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, mode, campaign_id, step_id, variant),
  FOREIGN KEY (tenant_id, mode, campaign_id) REFERENCES campaigns (tenant_id, mode, id) ON DELETE CASCADE
);
COMMENT ON TABLE campaign_stats IS 'mails of each step and version, kept by triggers; opened and clicked count mails, not repetitions';
CALL protect_tenant_table('campaign_stats', true);
GRANT SELECT, INSERT, UPDATE ON campaign_stats TO penguinmails_app;
-- The trigger runs as whoever changes a mail, the sweep included.
CALL allow_across_tenants('campaign_stats', 'penguinmails_jobs', 'SELECT, INSERT, UPDATE');

CREATE FUNCTION count_campaign_mails() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO campaign_stats AS s (tenant_id, mode, campaign_id, step_id, variant, sent, delivered, opened, clicked,
                                   bounced, failed)
  SELECT d.tenant_id, d.mode, d.campaign_id, d.step_id, d.variant, d.sent, d.delivered, d.opened, d.clicked, d.bounced,
         d.failed
  FROM (
    SELECT a.tenant_id, a.mode, a.campaign_id, a.step_id, a.variant,
           sum((a.sent_at IS NOT NULL)::integer - (b.sent_at IS NOT NULL)::integer) AS sent,
           sum((a.status = 'delivered')::integer - (b.status = 'delivered')::integer) AS delivered,
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
CREATE TRIGGER count_campaign_mails AFTER UPDATE ON emails
  REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_campaign_mails();

CREATE FUNCTION count_campaign_answers() RETURNS trigger
LANGUAGE plpgsql AS $$
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
COMMENT ON FUNCTION count_campaign_answers() IS 'counts mails that were answered, not answers: only the first of its kind';
CREATE TRIGGER count_campaign_answers AFTER INSERT ON email_events
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_campaign_answers();

-- ---- limits ----------------------------------------------------------------------------------------------------------

CREATE OR REPLACE VIEW tenant_limits WITH (security_invoker = true) AS
SELECT s.tenant_id, s.plan_slug, s.status AS subscription_status, p.api_access,
       coalesce((o.limits ->> 'api_rate_limit')::integer, p.api_rate_limit) AS api_rate_limit,
       coalesce((o.limits ->> 'api_burst_limit')::integer, p.api_burst_limit) AS api_burst_limit,
       coalesce((o.limits ->> 'send_rate_per_second')::integer, p.send_rate_per_second) AS send_rate_per_second,
       coalesce((o.limits ->> 'max_contacts')::integer, p.max_contacts) AS max_contacts,
       coalesce((o.limits ->> 'max_emails_per_month')::integer, p.max_emails_per_month) AS max_emails_per_month,
       coalesce((o.limits ->> 'max_webhooks')::integer, p.max_webhooks) AS max_webhooks,
       coalesce((o.limits ->> 'max_daily_limit')::integer, 500) AS max_daily_limit
FROM subscriptions s
JOIN plans p ON p.slug = s.plan_slug
LEFT JOIN tenant_overrides o ON o.tenant_id = s.tenant_id;
COMMENT ON COLUMN tenant_overrides.limits IS 'any of api_rate_limit, api_burst_limit, send_rate_per_second, max_contacts, max_emails_per_month, max_webhooks, max_daily_limit; wins over the plan';
