-- Opens and clicks of machines are told apart from those of people, and each mail says what of it is followed.

ALTER TABLE content_objects
  ADD COLUMN track_opens boolean NOT NULL DEFAULT true,
  ADD COLUMN track_clicks boolean NOT NULL DEFAULT true;
ALTER TABLE emails
  ADD COLUMN machine_opens integer NOT NULL DEFAULT 0,
  ADD COLUMN machine_clicks integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN emails.opens IS 'by people, as far as one can tell';
COMMENT ON COLUMN emails.machine_opens IS 'by mail clients that load every picture ahead, and by scanners';
