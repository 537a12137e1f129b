-- Who opened what and when is kept for twelve months; counts and roll-ups stay. Ids of histories begin with the time at which
-- they were made, so the oldest are found at the beginning of the primary key.

CALL allow_across_tenants('email_events', 'penguinmails_jobs', 'SELECT, DELETE');
