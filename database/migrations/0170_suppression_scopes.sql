-- Suppressions for one workspace, or for one type of campaign.

ALTER TABLE suppression_list
  ADD COLUMN campaign_type text CHECK (campaign_type IN ('broadcast', 'drip', 'triggered', 'ab_test')),
  ADD CONSTRAINT suppression_list_workspace_check CHECK ((scope = 'workspace') = (workspace_id IS NOT NULL)),
  ADD CONSTRAINT suppression_list_campaign_type_check1 CHECK ((scope = 'campaign_type') = (campaign_type IS NOT NULL)),
  DROP CONSTRAINT suppression_list_unique,
  ADD CONSTRAINT suppression_list_unique
    UNIQUE NULLS NOT DISTINCT (email, tenant_id, mode, scope, workspace_id, campaign_type);

-- In place of the one that knows the account's and the platform's scope alone; with the defaults it is called as that one was.
CREATE FUNCTION suppressed_among(addresses text[], in_workspace uuid DEFAULT NULL, of_type text DEFAULT NULL)
RETURNS TABLE (email text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT DISTINCT s.email::text FROM suppression_list s
  WHERE s.email = ANY(addresses)
    AND (s.tenant_id IS NULL OR (s.tenant_id = current_tenant_id() AND s.mode = current_mode()))
    AND (s.scope IN ('global', 'tenant') OR s.workspace_id = in_workspace OR s.campaign_type = of_type)
    AND (s.expires_at IS NULL OR s.expires_at > now())
$$;
ALTER FUNCTION suppressed_among(text[], uuid, text) OWNER TO penguinmails_lookup;
REVOKE EXECUTE ON FUNCTION suppressed_among(text[], uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION suppressed_among(text[], uuid, text) TO penguinmails_app;
DROP FUNCTION suppressed_among(text[]);
