-- A run, its steps and what they wait for: one round trip, each row written once.

-- Lays out a run and all its steps, whose ids rise in the order of p_steps; NULL when this difference has its run already. One that nothing
-- concerns has ended. A step waits for those of its own run (p_on[k] for p_for[k], counted from 1), for earlier ones by id (p_before[k] for
-- p_after[k]), and, where it is `ordered`, for all that its subject had open at its account before. A predecessor that is ending just now holds
-- its row: either it sees our wait, or we see that it has ended.
CREATE FUNCTION lay_run(
    p_subject bigint, p_event bigint, p_event_at timestamptz, p_flow text, p_version integer, p_difference text, p_document bigint, p_child jsonb,
    p_detail jsonb, p_lane smallint, p_channel text, p_steps jsonb, p_on integer[], p_for integer[], p_before bigint[], p_after integer[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    many integer := jsonb_array_length(p_steps);
    live integer := (SELECT count(*) FROM jsonb_array_elements(p_steps) AS s WHERE s ->> 'skip' = '');
    run bigint;
    ids bigint[];
    held record;
    ons bigint[];
    waiting integer[] := p_for;
BEGIN
    INSERT INTO runs (subject_id, event_id, event_at, flow, flow_version, difference, document_id, child, detail, open_steps, state, ended_at)
    VALUES (p_subject, p_event, p_event_at, p_flow, p_version, p_difference, p_document, p_child, p_detail, live,
        CASE WHEN live > 0 THEN 'open' ELSE 'done' END, CASE WHEN live = 0 THEN now() END)
    ON CONFLICT (subject_id, flow, difference) DO NOTHING RETURNING id INTO run;
    IF run IS NULL OR many = 0 THEN
        RETURN run;
    END IF;
    ids := ARRAY(SELECT nextval('steps_id_seq') FROM generate_series(1, many));
    ons := ARRAY(SELECT ids[o.n] FROM unnest(p_on) WITH ORDINALITY AS o (n, k) ORDER BY o.k);
    FOR held IN
        SELECT id, subject_id, account, role FROM steps
        WHERE (subject_id = p_subject OR id = ANY(p_before)) AND state NOT IN ('done', 'skipped', 'cancelled') AND (id = ANY(p_before)
            OR role <> 'notify' AND account IN (
                SELECT s ->> 'account' FROM jsonb_array_elements(p_steps) AS s WHERE s ->> 'skip' = '' AND (s ->> 'ordered')::boolean))
        ORDER BY id FOR SHARE
    LOOP
        FOR mine IN 1 .. many LOOP
            CONTINUE WHEN p_steps -> (mine - 1) ->> 'skip' <> '';
            IF held.subject_id = p_subject AND held.role <> 'notify' AND held.account = p_steps -> (mine - 1) ->> 'account'
                    AND (p_steps -> (mine - 1) ->> 'ordered')::boolean
                OR EXISTS (SELECT 1 FROM unnest(p_before, p_after) AS b (id, n) WHERE b.id = held.id AND b.n = mine) THEN
                ons := ons || held.id;
                waiting := waiting || mine;
            END IF;
        END LOOP;
    END LOOP;
    INSERT INTO steps (id, run_id, subject_id, flow, name, role, account, kind, state, lane, channel, key, pending, armed, undoes, ended_at, sentence)
    OVERRIDING SYSTEM VALUE
    SELECT ids[s.n], run, p_subject, s.flow, s.name, s.role, s.account, s.kind,
        CASE WHEN s.skip <> '' THEN 'skipped' WHEN w.many = 0 THEN 'ready' ELSE 'waiting' END,
        p_lane, p_channel, s.key, w.many, s.skip = '' AND w.many = 0, s.undoes, CASE WHEN s.skip <> '' THEN now() END, s.skip
    FROM ROWS FROM (jsonb_to_recordset(p_steps) AS (flow text, name text, role text, account text, kind text, key text, undoes bigint, skip text))
        WITH ORDINALITY AS s (flow, name, role, account, kind, key, undoes, skip, n)
        CROSS JOIN LATERAL (SELECT count(*) AS many FROM unnest(waiting) AS w (n) WHERE w.n = s.n) w
    ORDER BY s.n;
    INSERT INTO waits (on_id, step_id) SELECT w.on_id, ids[w.n] FROM unnest(ons, waiting) AS w (on_id, n);
    RETURN run;
END $$;
ALTER FUNCTION lay_run SET enable_seqscan = off;
