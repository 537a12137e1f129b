-- Whose a mail is that our mail server hands over: found before it is known which tenant to look into.

CALL allow_across_tenants('emails', 'penguinmails_lookup', 'SELECT');
CALL allow_across_tenants('domains', 'penguinmails_lookup', 'SELECT');

CREATE FUNCTION find_tenant_of_email(email_id uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT e.tenant_id FROM emails e JOIN tenants t ON t.id = e.tenant_id
  WHERE e.id = email_id AND e.mode = 'live' AND t.status <> 'canceled'
$$;
COMMENT ON FUNCTION find_tenant_of_email(uuid) IS 'for ids that come with a signature of ours';
ALTER FUNCTION find_tenant_of_email(uuid) OWNER TO penguinmails_lookup;
REVOKE EXECUTE ON FUNCTION find_tenant_of_email(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_tenant_of_email(uuid) TO penguinmails_app;

CREATE FUNCTION find_tenant_of_domain(asked text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT d.tenant_id FROM domains d JOIN tenants t ON t.id = d.tenant_id
  WHERE d.domain = lower(asked) AND d.mode = 'live' AND d.verification_status = 'verified' AND t.status <> 'canceled'
$$;
COMMENT ON FUNCTION find_tenant_of_domain(text) IS 'a domain is verified for one account alone';
ALTER FUNCTION find_tenant_of_domain(text) OWNER TO penguinmails_lookup;
REVOKE EXECUTE ON FUNCTION find_tenant_of_domain(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_tenant_of_domain(text) TO penguinmails_app;
