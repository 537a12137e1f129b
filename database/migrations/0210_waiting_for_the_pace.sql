-- A mail that would leave faster than the account's plan allows waits in the ledger for its turn.

ALTER TABLE emails ADD COLUMN paced_until timestamptz;
COMMENT ON COLUMN emails.paced_until IS 'when its turn comes, or came, since the pace of the account let it wait';
COMMENT ON COLUMN send_paces.free_from IS
  'from when on the line of campaigns has turns: mails that are planned, and those that workers may not hand over yet';
