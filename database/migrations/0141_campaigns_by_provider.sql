-- Campaigns by the account's own Postmark or Mailgun.

ALTER TABLE campaigns
  ADD COLUMN provider text CHECK (provider IN ('smtp', 'postmark', 'mailgun')),
  ADD COLUMN paused_detail text,
  DROP CONSTRAINT campaigns_paused_reason_check,
  ADD CONSTRAINT campaigns_paused_reason CHECK (paused_reason IN ('user', 'domain_lost', 'provider_refused'));
COMMENT ON COLUMN campaigns.provider IS 'who sends its mails; the built-in server when null';
COMMENT ON COLUMN campaigns.paused_detail IS 'with paused_reason provider_refused: what the provider said';
