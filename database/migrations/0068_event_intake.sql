-- The fan-out takes a tenant's events straight from the outbox: one queue message announces all that wait.

CREATE INDEX outbox_by_tenant ON outbox (tenant_id, mode, queue, created_at);
