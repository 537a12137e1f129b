-- How long a webhook has been failing, what its owners were told of it, and the trial post after it was switched off.

ALTER TABLE webhooks
  ADD COLUMN failing_since timestamptz,
  ADD COLUMN warned_percent integer NOT NULL DEFAULT 0 CHECK (warned_percent IN (0, 50, 70, 90)),
  ADD COLUMN exhaustion_told_at timestamptz,
  ADD COLUMN is_probing boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN webhooks.paused_reason IS 'null: by a user; failures: after many in a row; gone: the receiver answered 410';
COMMENT ON COLUMN webhooks.failing_since IS 'the first failure since the last success';
COMMENT ON COLUMN webhooks.warned_percent IS 'how near to being switched off its owners were last told it is';
COMMENT ON COLUMN webhooks.is_probing IS 'resumed after it was switched off: one post at a time until one succeeds, off again when one fails';
