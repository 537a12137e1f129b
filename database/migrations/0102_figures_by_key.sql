-- The trigger of figures finds mails and their histories by key. The planner knows how many rows a tenant has from a sample of
-- the table, so it would take a tenant that has just begun to send for one with a single row, and read all its rows to find one.
-- Without statistics of that column it takes every tenant for one with many.

ALTER TABLE emails ALTER COLUMN tenant_id SET STATISTICS 0;
ALTER TABLE email_events ALTER COLUMN tenant_id SET STATISTICS 0;
ALTER TABLE email_tags ALTER COLUMN tenant_id SET STATISTICS 0;
