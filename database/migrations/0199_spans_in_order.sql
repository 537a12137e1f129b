-- Contacts that are added side by side come in another order than their times say. A span could then begin before a contact
-- that an earlier span holds already, and a page of a search that began between the two left that contact out. Now a span
-- begins after every contact that was placed so far; what comes late joins the newest span, which may have a few more for it.

ALTER TABLE contact_spans
  ADD COLUMN latest_at timestamptz NOT NULL DEFAULT '-infinity',
  ADD COLUMN latest_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
COMMENT ON COLUMN contact_spans.latest_at IS 'kept for the newest span alone: the moment, and with latest_id the contact, that the next span begins after';

UPDATE contact_spans s SET latest_at = greatest(l.created_at, s.starts_at),
  latest_id = CASE WHEN (l.created_at, l.contact_id) > (s.starts_at, s.starts_id) THEN l.contact_id ELSE s.starts_id END
FROM (SELECT DISTINCT ON (tenant_id, mode) tenant_id, mode, number FROM contact_spans
      ORDER BY tenant_id, mode, number DESC) n
CROSS JOIN LATERAL (
  SELECT c.created_at, c.id AS contact_id FROM contacts c WHERE c.tenant_id = n.tenant_id AND c.mode = n.mode
  ORDER BY c.created_at DESC, c.id DESC LIMIT 1) l
WHERE s.tenant_id = n.tenant_id AND s.mode = n.mode AND s.number = n.number;

CREATE OR REPLACE FUNCTION extend_contact_spans(tenant uuid, data_set text, ids uuid[], moments timestamptz[])
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  newest contact_spans;
  last_at timestamptz;
  last_id uuid;
  added integer;
BEGIN
  INSERT INTO contact_spans VALUES (tenant, data_set, 0, '-infinity', '00000000-0000-0000-0000-000000000000', 0)
  ON CONFLICT DO NOTHING;
  SELECT * INTO newest FROM contact_spans s WHERE s.tenant_id = tenant AND s.mode = data_set
  ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1 FOR UPDATE;
  -- Whoever had it locked may have begun further spans.
  SELECT * INTO newest FROM contact_spans s WHERE s.tenant_id = tenant AND s.mode = data_set
  ORDER BY s.starts_at DESC, s.starts_id DESC LIMIT 1 FOR UPDATE;
  SELECT n.created_at, n.id INTO last_at, last_id FROM unnest(ids, moments) AS n (id, created_at)
  WHERE (n.created_at, n.id) > (newest.latest_at, newest.latest_id)
  ORDER BY n.created_at DESC, n.id DESC LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  WITH placed AS (
    SELECT n.id, n.created_at, newest.contacts + row_number() OVER (ORDER BY n.created_at, n.id) - 1 AS place
    FROM unnest(ids, moments) AS n (id, created_at)
    WHERE (n.created_at, n.id) > (newest.latest_at, newest.latest_id)
  ), begun AS (
    INSERT INTO contact_spans
    SELECT tenant, data_set, newest.number + place / 64, created_at, id, (SELECT max(place) FROM placed) % 64 + 1,
           last_at, last_id
    FROM placed WHERE place > 0 AND place % 64 = 0
  )
  SELECT count(*) INTO added FROM placed;
  IF newest.contacts + added <= 64 THEN
    UPDATE contact_spans s SET contacts = newest.contacts + added, latest_at = last_at, latest_id = last_id
    WHERE s.tenant_id = tenant AND s.mode = data_set AND s.starts_at = newest.starts_at AND s.starts_id = newest.starts_id;
  END IF;
END
$$;
