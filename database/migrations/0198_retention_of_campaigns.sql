-- A campaign is kept for 36 months after it has ended. Its recipients go first, a batch at a time: there may be millions.

CREATE INDEX campaigns_by_end ON campaigns (completed_at) WHERE status = 'completed';
CALL allow_across_tenants('campaign_contacts', 'penguinmails_jobs', 'SELECT, DELETE');
GRANT DELETE ON campaigns TO penguinmails_jobs;
