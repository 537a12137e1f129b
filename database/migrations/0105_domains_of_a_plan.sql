-- How many domains a plan allows.

ALTER TABLE plans ADD COLUMN max_domains integer;
COMMENT ON COLUMN plans.max_domains IS 'per mode; null is unlimited';
UPDATE plans SET max_domains = CASE slug WHEN 'free' THEN 0 WHEN 'starter' THEN 5 WHEN 'pro' THEN 15 END;

CREATE OR REPLACE VIEW tenant_limits WITH (security_invoker = true) AS
SELECT s.tenant_id, s.plan_slug, s.status AS subscription_status, p.api_access,
       coalesce((o.limits ->> 'api_rate_limit')::integer, p.api_rate_limit) AS api_rate_limit,
       coalesce((o.limits ->> 'api_burst_limit')::integer, p.api_burst_limit) AS api_burst_limit,
       coalesce((o.limits ->> 'send_rate_per_second')::integer, p.send_rate_per_second) AS send_rate_per_second,
       coalesce((o.limits ->> 'max_contacts')::integer, p.max_contacts) AS max_contacts,
       coalesce((o.limits ->> 'max_emails_per_month')::integer, p.max_emails_per_month) AS max_emails_per_month,
       coalesce((o.limits ->> 'max_webhooks')::integer, p.max_webhooks) AS max_webhooks,
       coalesce((o.limits ->> 'max_daily_limit')::integer, 500) AS max_daily_limit,
       coalesce((o.limits ->> 'max_domains')::integer, p.max_domains) AS max_domains
FROM subscriptions s
JOIN plans p ON p.slug = s.plan_slug
LEFT JOIN tenant_overrides o ON o.tenant_id = s.tenant_id;
COMMENT ON COLUMN tenant_overrides.limits IS 'any of api_rate_limit, api_burst_limit, send_rate_per_second, max_contacts, max_emails_per_month, max_webhooks, max_daily_limit, max_domains; wins over the plan';
