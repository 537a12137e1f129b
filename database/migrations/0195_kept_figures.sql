-- Figures of the platform that cannot be counted again later: what they are counted from is kept for months only, and
-- accounts that are erased take theirs along.

CREATE TABLE response_time_windows (
  starts_at timestamptz PRIMARY KEY,
  calls integer NOT NULL CHECK (calls > 0),
  p95_ms integer NOT NULL CHECK (p95_ms >= 0)
);
COMMENT ON TABLE response_time_windows IS 'within how many ms 95 % of the calls with API keys were answered, per five minutes';
GRANT SELECT, INSERT, UPDATE, DELETE ON response_time_windows TO penguinmails_jobs;

CREATE TABLE monthly_reports (
  month date PRIMARY KEY CHECK (month = date_trunc('month', month::timestamp)::date),
  figures jsonb NOT NULL,
  measured_at timestamptz NOT NULL
);
COMMENT ON TABLE monthly_reports IS 'the platform''s figures of a month, as they were measured when it was over';
GRANT SELECT, INSERT ON monthly_reports TO penguinmails_jobs;
