-- An event that was replayed has several deliveries to a webhook. One of them says what became of it.
CREATE FUNCTION delivery_rank(status text, replay_id uuid, attempts integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN status = 'success' THEN 1
              WHEN status NOT IN ('failed', 'dropped') THEN 2
              WHEN replay_id IS NULL OR attempts > 0 THEN 3
              ELSE 4 END
$$;
COMMENT ON FUNCTION delivery_rank(text, uuid, integer) IS 'of one event''s deliveries to a webhook, which comes first and says what became of it, the newest of a rank: what arrived, what still may, what was given up; last what a replay was to send and was given up before any post';
