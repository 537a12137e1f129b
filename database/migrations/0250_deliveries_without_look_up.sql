-- Deliveries, their attempts and figures are stored without a look-up of their tenant, which cost some microseconds for each
-- and locked the tenant's row for all who store some at once. As with events: tenants are never deleted, the policy compares
-- a row's tenant with who writes it, and a delivery's webhook is looked up with its tenant.
ALTER TABLE webhook_deliveries DROP CONSTRAINT webhook_deliveries_tenant_id_fkey;
ALTER TABLE webhook_attempts DROP CONSTRAINT webhook_attempts_tenant_id_fkey;
ALTER TABLE webhook_figure_changes DROP CONSTRAINT webhook_figure_changes_tenant_id_fkey;

-- Rows of webhooks' numbers are written by INSERT ... ON CONFLICT, as those of deliveries are: by key, however many there are.
-- They are made with their webhooks, so none is ever inserted so.
GRANT INSERT ON webhook_sequences TO penguinmails_app;

-- Whoever reads contacts leaves out workspaces that are deleted. By the index, as there are hardly ever any: the planner would walk
-- through what others have deleted.
CREATE FUNCTION deleted_workspaces() RETURNS uuid[] LANGUAGE sql STABLE SET enable_seqscan = off AS $$
  SELECT ARRAY(SELECT id FROM pending_removals WHERE tenant_id = current_tenant_id() AND kind = 'workspace')
$$;
