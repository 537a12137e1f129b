-- Searches for what contacts are linked to begin at the first contact that has the link and end at the last one.

-- A list that was filled in one run may lie far from where a page begins. The index says only whether somebody in a window has
-- the list's word, so that the run was found by halving windows: some 25 queries. The links have the order of the pages, so
-- that one look at each end of them tells between which moments the contacts were added.

CREATE FUNCTION linked_between(
  clauses jsonb, newest_first boolean, after_at timestamptz, INOUT from_at timestamptz, INOUT before_at timestamptz
) LANGUAGE plpgsql STABLE AS $$
DECLARE
  letter text;
  link uuid;
  oldest timestamptz;
  newest timestamptz;
  -- Between these are the contacts of the rest of the list.
  since timestamptz := CASE WHEN newest_first THEN '-infinity' ELSE coalesce(after_at, '-infinity') END;
  until timestamptz := CASE WHEN newest_first THEN coalesce(after_at, 'infinity') ELSE 'infinity' END;
BEGIN
  FOR letter, link IN
    SELECT c -> 'any' -> 0 ->> 0, (c -> 'any' -> 0 ->> 1)::uuid FROM jsonb_array_elements(clauses) AS c
    WHERE c @> '{"not": false}' AND jsonb_array_length(c -> 'any') = 1
      AND c -> 'any' -> 0 ->> 0 IN ('t', 'm', 'w') AND c -> 'any' -> 0 ->> 1 <> '-'
  LOOP
    CASE letter
      WHEN 't' THEN
        SELECT min(l.contact_created_at), max(l.contact_created_at) INTO oldest, newest FROM contact_tags l
        WHERE l.tag_id = link AND l.contact_created_at BETWEEN since AND until;
      WHEN 'm' THEN
        SELECT min(l.contact_created_at), max(l.contact_created_at) INTO oldest, newest FROM contact_lists l
        WHERE l.list_id = link AND l.contact_created_at BETWEEN since AND until;
      ELSE
        SELECT min(l.contact_created_at), max(l.contact_created_at) INTO oldest, newest FROM contact_workspaces l
        WHERE l.workspace_id = link AND l.contact_created_at BETWEEN since AND until;
    END CASE;
    -- Nobody is left that has the link.
    from_at := greatest(from_at, coalesce(oldest, 'infinity'));
    before_at := least(before_at, coalesce(newest + interval '1 microsecond', '-infinity'));
  END LOOP;
END
$$;
