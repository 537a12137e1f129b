-- Segments by a phone number or an external id find its contacts in an index. Row security keeps lower() out of index
-- conditions, so the search role looks, for the current tenant alone. What is found are addresses: contacts are searched by these.

CREATE INDEX contacts_by_phone ON contacts (tenant_id, mode, lower(phone)) WHERE phone IS NOT NULL;
CREATE INDEX contacts_by_external_id ON contacts (tenant_id, mode, lower(external_id)) WHERE external_id IS NOT NULL;
GRANT SELECT (tenant_id, mode, email, phone, external_id) ON contacts TO penguinmails_search;
CREATE POLICY penguinmails_search_all ON contacts FOR SELECT TO penguinmails_search USING (true);

-- Up to `most` addresses of those who have one of these phone numbers or external ids, in any case.
CREATE FUNCTION addresses_of(phones text[], external_ids text[], most integer) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  tenant uuid := current_tenant_id();
  data_set text := current_mode();
BEGIN
  RETURN QUERY
  SELECT c.email::text FROM unnest(phones) AS p (number)
  JOIN contacts c ON c.tenant_id = tenant AND c.mode = data_set AND c.phone IS NOT NULL AND lower(c.phone) = lower(p.number)
  UNION ALL
  SELECT c.email::text FROM unnest(external_ids) AS e (id)
  JOIN contacts c ON c.tenant_id = tenant AND c.mode = data_set AND c.external_id IS NOT NULL
   AND lower(c.external_id) = lower(e.id)
  LIMIT most;
END
$$;
ALTER FUNCTION addresses_of(text[], text[], integer) OWNER TO penguinmails_search;
REVOKE EXECUTE ON FUNCTION addresses_of(text[], text[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION addresses_of(text[], text[], integer) TO penguinmails_app;
