-- Which queues there are is said in the code, which grows by one per consumer. A list here too was replaced by each migration
-- that added a queue, and forgot those of the others.
ALTER TABLE outbox DROP CONSTRAINT outbox_queue_check,
  ADD CONSTRAINT outbox_queue_check CHECK (queue ~ '^[a-z_]+$');
