-- Secrets that change, headers of the customer's own, and a pace that a receiver can keep up with.

ALTER TABLE webhooks
  ADD COLUMN secret_version integer NOT NULL DEFAULT 1,
  ADD COLUMN previous_secret_until timestamptz,
  ADD COLUMN custom_header_names text[] NOT NULL DEFAULT '{}',
  ADD COLUMN max_per_second integer CHECK (max_per_second BETWEEN 1 AND 1000);
COMMENT ON COLUMN webhooks.secret_version IS 'the version of the record in Vault that holds; a later one belongs to a change that was not completed';
COMMENT ON COLUMN webhooks.previous_secret_until IS 'until then posts are signed with the secret before this one too';
COMMENT ON COLUMN webhooks.custom_header_names IS 'their values are in Vault, in the record of the secret';
