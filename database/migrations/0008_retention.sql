-- What keeps old data from being removed, and who may remove it.

-- PostgreSQL refuses to drop a partition that a foreign key refers to. Attempts are written together with the change of
-- their delivery and dropped with the same month.
ALTER TABLE webhook_attempts DROP CONSTRAINT webhook_attempts_tenant_id_mode_delivery_id_event_created__fkey;
COMMENT ON TABLE webhook_attempts IS 'no foreign key to deliveries: it would keep their old months from being dropped';

CREATE INDEX content_objects_by_age ON content_objects (created_at);
CALL allow_across_tenants('content_objects', 'penguinmails_jobs', 'SELECT, DELETE');
