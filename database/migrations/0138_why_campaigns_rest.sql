ALTER TABLE campaigns
  ADD COLUMN paused_at timestamptz,
  ADD COLUMN paused_reason text CHECK (paused_reason IN ('user', 'domain_lost'));
COMMENT ON COLUMN campaigns.paused_at IS 'when it was stopped; null once it is started again';
COMMENT ON COLUMN campaigns.paused_reason IS 'with paused_at: who or what stopped it';
UPDATE campaigns SET paused_reason = 'user', paused_at = updated_at WHERE status = 'paused';
