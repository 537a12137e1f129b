-- The fan-out takes a tenant's events straight from the outbox: one queue message announces all that wait.

CREATE INDEX outbox_by_tenant ON outbox (tenant_id, mode, queue, created_at);
-- Taking rows past those that another worker takes locks them, which asks for the right to change them.
GRANT UPDATE ON outbox TO penguinmails_app;
