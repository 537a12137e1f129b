-- What is above a webhook's pace is parked, and looked for once when it takes posts again, instead of going round in the queue.

ALTER TABLE webhooks ADD COLUMN paced_until timestamptz;
COMMENT ON COLUMN webhooks.paced_until IS 'until then the dispatcher leaves what is parked for it alone, as it has had its posts of the second';
