-- Emails that are sent later.

ALTER TABLE emails ADD scheduled_at timestamptz;
ALTER TABLE emails ADD CHECK (status <> 'scheduled' OR scheduled_at IS NOT NULL);
