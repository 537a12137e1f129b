-- A domain's next signing key waits until its record is published; then it takes the place of the present one.

ALTER TABLE domains
  ADD COLUMN next_dkim_selector text,
  ADD COLUMN next_dkim_public_key text,
  ADD COLUMN next_secret_ref text,
  ADD COLUMN dkim_rotation_began_at timestamptz,
  ADD COLUMN dkim_rotated_at timestamptz,
  ADD COLUMN previous_dkim_selector text,
  ADD COLUMN old_secret_ref text,
  ADD CONSTRAINT domains_next_key_is_whole
    CHECK (num_nulls(next_dkim_selector, next_dkim_public_key, next_secret_ref, dkim_rotation_began_at) IN (0, 4));
COMMENT ON COLUMN domains.dkim_rotated_at IS 'when the present key took the place of the one of previous_dkim_selector';
COMMENT ON COLUMN domains.old_secret_ref IS 'a signing key in Vault that is used no more and still to be deleted';
