-- The counts of a campaign said 0 delivered where the mail server reports no deliveries, and left out of `sent` what was refused
-- at once. Now they count as analytics do: what was taken and did not come back has arrived, and what bounced was sent.

CREATE OR REPLACE FUNCTION count_campaign_mails() RETURNS trigger
LANGUAGE plpgsql AS $$
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

CREATE FUNCTION has_arrived(status text, provider text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(status = 'delivered' OR (status = 'sent' AND provider NOT IN ('postmark', 'mailgun')), false)
$$;
COMMENT ON FUNCTION has_arrived(text, text) IS 'whether a mail counts as delivered: providers that report deliveries are waited for';

-- What the counts are of must not change while they are corrected.
LOCK TABLE emails IN SHARE ROW EXCLUSIVE MODE;
UPDATE campaign_stats s SET sent = e.sent, delivered = e.delivered
FROM (
  SELECT tenant_id, mode, campaign_id, step_id, variant,
         count(*) FILTER (WHERE sent_at IS NOT NULL OR status = 'bounced') AS sent,
         count(*) FILTER (WHERE has_arrived(status, provider)) AS delivered
  FROM emails WHERE step_id IS NOT NULL GROUP BY tenant_id, mode, campaign_id, step_id, variant
) e
WHERE s.tenant_id = e.tenant_id AND s.mode = e.mode AND s.campaign_id = e.campaign_id AND s.step_id = e.step_id
  AND s.variant = e.variant AND (s.sent, s.delivered) <> (e.sent, e.delivered);
