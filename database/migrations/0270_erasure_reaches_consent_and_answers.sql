-- With what consent a suppression was lifted stands where an erasure reaches it, and no more in the audit log, which keeps what it
-- is told. What somebody wrote is found by who wrote it. A request of which the address was erased keeps what became of it.

CREATE TABLE suppression_lifts (
  id uuid NOT NULL PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  email varchar(255) COLLATE "C" NOT NULL CHECK (email = lower(email)),
  reason text NOT NULL,
  consent_note text NOT NULL,
  lifted_by uuid,
  lifted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (tenant_id, mode, id)
);
COMMENT ON TABLE suppression_lifts IS 'the proof that somebody agreed to be written to again, kept until the person is erased';
COMMENT ON COLUMN suppression_lifts.id IS 'of the entry that was lifted; the audit log names it';
COMMENT ON COLUMN suppression_lifts.reason IS 'why the address was suppressed';
CREATE INDEX suppression_lifts_by_email ON suppression_lifts (tenant_id, mode, email);
CALL protect_tenant_table('suppression_lifts', true);
GRANT SELECT, INSERT, DELETE ON suppression_lifts TO penguinmails_app;

-- The log does not say in which data set it was: in that which knows the address. One that neither knows may have been erased since.
INSERT INTO suppression_lifts (id, tenant_id, mode, email, reason, consent_note, lifted_by, lifted_at)
SELECT a.resource_id::uuid, a.tenant_id, m.mode, a.details ->> 'email', coalesce(a.details ->> 'reason', 'manual'),
       a.details ->> 'consent_note', a.actor_id, a.created_at
FROM audit_log a CROSS JOIN (VALUES ('live'), ('test')) AS m (mode)
WHERE a.event = 'suppression_lifted' AND a.details ? 'email' AND a.details ? 'consent_note' AND a.tenant_id IS NOT NULL
  AND (EXISTS (SELECT FROM contacts c WHERE c.tenant_id = a.tenant_id AND c.mode = m.mode AND c.email = a.details ->> 'email')
       OR EXISTS (SELECT FROM emails e
                  WHERE e.tenant_id = a.tenant_id AND e.mode = m.mode AND e.to_email = a.details ->> 'email'))
ORDER BY m.mode
ON CONFLICT DO NOTHING;
UPDATE audit_log SET details = details - 'email' - 'consent_note' WHERE event = 'suppression_lifted';

CREATE INDEX inbox_messages_by_sender ON inbox_messages (tenant_id, mode, from_email);

ALTER TABLE privacy_requests
  DROP CONSTRAINT privacy_requests_check,
  ADD CONSTRAINT privacy_requests_check CHECK (email IS NOT NULL OR status IN ('completed', 'failed', 'expired'));
