-- Every list, filter and order of the API is read in an index that has it; combinations of two filters too.

-- A tag's emails are read in the order of the page, and by state or campaign besides, so the tag carries what it needs.
ALTER TABLE email_tags
  ADD COLUMN email_created_at timestamptz,
  ADD COLUMN status text,
  ADD COLUMN campaign_id uuid;
UPDATE email_tags t SET email_created_at = e.created_at, status = e.status, campaign_id = e.campaign_id
FROM emails e WHERE e.tenant_id = t.tenant_id AND e.mode = t.mode AND e.id = t.email_id;
ALTER TABLE email_tags ALTER COLUMN email_created_at SET NOT NULL, ALTER COLUMN status SET NOT NULL;
COMMENT ON COLUMN email_tags.status IS 'the email''s, kept by a trigger';
DROP INDEX email_tags_by_tag;
CREATE INDEX email_tags_by_tag ON email_tags (tenant_id, mode, tag, email_created_at, email_id);
CREATE INDEX email_tags_by_status ON email_tags (tenant_id, mode, tag, status, email_created_at, email_id);
CREATE INDEX email_tags_by_campaign ON email_tags (tenant_id, mode, tag, campaign_id, email_created_at, email_id)
  WHERE campaign_id IS NOT NULL;

-- Workers of all roles move emails on, so it is done by a role that may do nothing else.
CALL allow_across_tenants('email_tags', 'penguinmails_search', 'SELECT, UPDATE');
CREATE FUNCTION carry_status_to_tags() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  UPDATE email_tags t SET status = n.status
  FROM changed n JOIN before b ON b.id = n.id
  WHERE n.status <> b.status AND t.tenant_id = n.tenant_id AND t.mode = n.mode AND t.email_id = n.id;
  RETURN NULL;
END
$$;
ALTER FUNCTION carry_status_to_tags() OWNER TO penguinmails_search;
REVOKE EXECUTE ON FUNCTION carry_status_to_tags() FROM PUBLIC;
CREATE TRIGGER carry_status AFTER UPDATE ON emails
  REFERENCING OLD TABLE AS before NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION carry_status_to_tags();

CREATE INDEX emails_by_campaign_and_status ON emails (tenant_id, mode, campaign_id, status, created_at, id)
  WHERE campaign_id IS NOT NULL;
CREATE INDEX events_by_created ON events (tenant_id, mode, created_at, id);
CREATE INDEX webhook_deliveries_by_event_type ON webhook_deliveries (tenant_id, mode, webhook_id, event_type, created_at, id);
CREATE INDEX webhook_deliveries_by_event_type_and_status
  ON webhook_deliveries (tenant_id, mode, webhook_id, event_type, status, created_at, id);

DROP INDEX campaigns_by_workspace;
CREATE INDEX campaigns_by_workspace ON campaigns (tenant_id, mode, workspace_id, created_at, id);
CREATE INDEX campaigns_by_workspace_and_change ON campaigns (tenant_id, mode, workspace_id, updated_at, id);
CREATE INDEX campaigns_by_workspace_and_name ON campaigns (tenant_id, mode, workspace_id, name, id);
CREATE INDEX campaigns_by_status_and_change ON campaigns (tenant_id, mode, status, updated_at, id);
CREATE INDEX campaigns_by_status_and_name ON campaigns (tenant_id, mode, status, name, id);
CREATE INDEX campaigns_by_workspace_and_status ON campaigns (tenant_id, mode, workspace_id, status, created_at, id);
CREATE INDEX campaigns_by_workspace_status_and_change ON campaigns (tenant_id, mode, workspace_id, status, updated_at, id);
CREATE INDEX campaigns_by_workspace_status_and_name ON campaigns (tenant_id, mode, workspace_id, status, name, id);

CREATE INDEX lists_by_type ON lists (tenant_id, mode, type, created_at, id);
CREATE INDEX lists_by_type_and_name ON lists (tenant_id, mode, type, name, id);
CREATE INDEX templates_by_workspace_and_creation ON templates (tenant_id, mode, workspace_id, created_at, id);
CREATE INDEX templates_by_workspace_and_change ON templates (tenant_id, mode, workspace_id, updated_at, id);
CREATE INDEX templates_by_workspace_and_name ON templates (tenant_id, mode, workspace_id, name, id);
CREATE INDEX domains_by_status ON domains (tenant_id, mode, verification_status, created_at, id);
CREATE INDEX domains_by_status_and_name ON domains (tenant_id, mode, verification_status, domain, id);
CREATE INDEX inbox_threads_by_reading ON inbox_threads (tenant_id, mode, is_unread, last_message_at, id);
CREATE INDEX inbox_threads_by_reading_and_status ON inbox_threads (tenant_id, mode, is_unread, status, last_message_at, id);
-- Those whose time has come are found at once.
CREATE INDEX inbox_threads_snoozed ON inbox_threads (tenant_id, mode, snoozed_until) WHERE snoozed_until IS NOT NULL;
