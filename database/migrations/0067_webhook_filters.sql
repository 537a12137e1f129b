-- Which events of its types a webhook wants, and what the fan-out takes straight from the table.

ALTER TABLE webhooks ADD COLUMN event_filters jsonb;
COMMENT ON COLUMN webhooks.event_filters IS 'as webhook_filters.py describes it; null takes every event of the types';
