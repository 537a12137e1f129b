-- The trigger of figures finds mails and their histories by key. The planner knows how many rows a tenant has from a sample of
-- the table, so it would take a tenant that has just begun to send for one with a single row, and read all its rows to find one.
-- Told that there is one tenant, and how much the largest has, it takes every other for one with much.

ALTER TABLE emails ALTER COLUMN tenant_id SET STATISTICS 1, ALTER COLUMN tenant_id SET (n_distinct = 1);
ALTER TABLE email_events ALTER COLUMN tenant_id SET STATISTICS 1, ALTER COLUMN tenant_id SET (n_distinct = 1);
ALTER TABLE email_tags ALTER COLUMN tenant_id SET STATISTICS 1, ALTER COLUMN tenant_id SET (n_distinct = 1);
