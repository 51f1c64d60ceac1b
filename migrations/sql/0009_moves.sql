-- The moves of a step as functions, each one round trip. A statement inside a function that is VOLATILE sees what was committed before it
-- began, so a statement after a row lock was had sees what its last holder did (docs/decisions.md 14). Plans are made once for each session:
-- all of them go by an index that their arguments name.

-- Steps that waited only for these are ready now; the accounts to feed.
CREATE FUNCTION open_what_waited(p_ids bigint[]) RETURNS text[] LANGUAGE sql SET plan_cache_mode = force_generic_plan AS $$
    WITH gone AS (DELETE FROM waits WHERE on_id = ANY(p_ids) RETURNING step_id),
    n AS (SELECT step_id, count(*) AS c FROM gone GROUP BY step_id),
    held AS (SELECT id FROM steps WHERE id IN (SELECT step_id FROM n) ORDER BY id FOR UPDATE),
    opened AS (
        UPDATE steps s SET pending = pending - n.c, updated_at = now(),
            state = CASE WHEN state = 'waiting' AND pending - n.c <= 0 THEN 'ready' ELSE state END,
            armed = armed OR (state = 'waiting' AND pending - n.c <= 0 AND due_at <= now())
        FROM n JOIN held ON held.id = n.step_id WHERE s.id = n.step_id RETURNING s.account, s.armed)
    SELECT coalesce(array_agg(DISTINCT account ORDER BY account) FILTER (WHERE armed), '{}') FROM opened
$$;

-- An event whose runs have all ended is applied, or superseded when all of them were overtaken. Locked first, by a statement of its own:
-- of two runs that end at once, the later one sees that the other has ended.
CREATE FUNCTION finish_event(p_id bigint, p_at timestamptz) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM 1 FROM events WHERE id = p_id AND at = p_at FOR UPDATE;
    UPDATE events e SET state = CASE WHEN found.done THEN 'applied' ELSE 'superseded' END, ended_at = now(),
        reason = CASE WHEN found.done THEN e.reason ELSE 'overtaken by a later event' END
    FROM (SELECT bool_and(state <> 'open') AS ended, bool_or(state = 'done') AS done FROM runs WHERE event_id = p_id) found
    WHERE e.id = p_id AND e.at = p_at AND e.state = 'running' AND found.ended;
END $$;

-- Counts ended steps off a run; the last one ends it, and with it perhaps its event.
CREATE FUNCTION close_run(p_run bigint, p_n integer, p_reason text) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE r record;
BEGIN
    UPDATE runs SET open_steps = open_steps - p_n,
        state = CASE WHEN open_steps - p_n > 0 THEN state
            WHEN p_reason = '' OR EXISTS (SELECT 1 FROM steps WHERE run_id = p_run AND state = 'done') THEN 'done' ELSE 'cancelled' END,
        reason = CASE WHEN p_reason <> '' THEN p_reason ELSE reason END,
        ended_at = CASE WHEN open_steps - p_n <= 0 THEN now() END
    WHERE id = p_run RETURNING event_id, event_at, state INTO STRICT r;
    IF r.state <> 'open' AND r.event_id IS NOT NULL THEN
        PERFORM finish_event(r.event_id, r.event_at);
    END IF;
END $$;

-- Concludes an attempt under its fence: the step, the attempt with its exchanges, the cross references, what opens next, the end of the run.
-- Answers the accounts to feed, NULL when the step is another's by now (then only the attempt is noted, as fenced).
CREATE FUNCTION conclude_step(
    p_id bigint, p_fence integer, p_state text, p_later double precision, p_again boolean, p_untried integer, p_doubtful boolean,
    p_sent boolean, p_job text, p_result text, p_code text, p_sentence text, p_remedy text, p_owner text, p_fact text,
    p_try integer, p_outcome text, p_seconds double precision, p_worker text, p_heads jsonb, p_bodies bytea[],
    p_link_kinds text[], p_link_ours text[], p_link_theirs text[])
RETURNS text[] LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    s record;
    a record;
    settled boolean;
    later timestamptz := now() + make_interval(secs => p_later);
BEGIN
    UPDATE steps SET state = p_state, due_at = later, armed = p_again AND p_later <= 0, lease_until = NULL, tries = tries - p_untried,
        doubtful = p_doubtful, sent_at = CASE WHEN p_sent THEN now() ELSE sent_at END, job = p_job, result = p_result,
        code = p_code, sentence = p_sentence, remedy = p_remedy, owner = p_owner, fact = p_fact, updated_at = now(),
        ended_at = CASE WHEN p_state IN ('done', 'skipped', 'cancelled') THEN now() END
    WHERE id = p_id AND fence = p_fence AND state = 'running' RETURNING run_id, subject_id, account INTO s;
    settled := FOUND;
    IF NOT settled THEN
        SELECT run_id, subject_id, account INTO STRICT s FROM steps WHERE id = p_id;
    END IF;
    INSERT INTO attempts (step_id, run_id, subject_id, account, n, fence, outcome, code, sentence, seconds, calls, worker, next_at)
    VALUES (p_id, s.run_id, s.subject_id, s.account, p_try, p_fence, CASE WHEN settled THEN p_outcome ELSE 'fenced' END, p_code, p_sentence,
        p_seconds, jsonb_array_length(p_heads), p_worker, CASE WHEN p_again THEN later END)
    RETURNING id, at INTO a;
    FOR n IN 1 .. jsonb_array_length(p_heads) LOOP
        INSERT INTO payloads (owner, owner_id, n, at, subject_id, head, body)
        VALUES ('attempt', a.id, n - 1, a.at, s.subject_id, p_heads -> (n - 1), p_bodies[n]);
    END LOOP;
    IF NOT settled THEN
        RETURN NULL;
    END IF;
    IF p_state = 'done' THEN
        FOR n IN 1 .. cardinality(p_link_kinds) LOOP
            INSERT INTO links (account, kind, ours, theirs, subject_id)
            VALUES (s.account, p_link_kinds[n], p_link_ours[n], p_link_theirs[n], s.subject_id)
            ON CONFLICT (account, kind, ours) DO UPDATE SET theirs = excluded.theirs, at = now() WHERE links.theirs <> excluded.theirs;
        END LOOP;
    END IF;
    IF p_state NOT IN ('done', 'skipped', 'cancelled') THEN
        RETURN '{}';
    END IF;
    DECLARE
        opened text[] := open_what_waited(ARRAY[p_id]);
    BEGIN
        PERFORM close_run(s.run_id, 1, CASE WHEN p_state = 'cancelled' THEN 'overtaken by a cancellation' ELSE '' END);
        RETURN opened;
    END;
END $$;

-- Marks the next steps of these accounts (in name order: no deadlock) as rung: live lane first, channels in turn, the oldest order first,
-- so that orders finish one by one. Of the account p_own, one step of the name p_task is not rung but left for the caller to go on with.
CREATE FUNCTION feed_steps(
    p_accounts text[], p_aheads integer[], p_channels text[], p_heard double precision, p_floor double precision, p_own text, p_task text)
RETURNS TABLE (id bigint, account text, task text, subject_id bigint, goes_on boolean)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    whose text;
    gate record;
    room bigint;
    step record;
    going boolean := p_task = '';
BEGIN
    FOR at IN 1 .. cardinality(p_accounts) LOOP
        whose := p_accounts[at];
        PERFORM pg_advisory_xact_lock(7701, hashtext(whose));
        SELECT paused, drained_at, breaker, retry_at INTO gate FROM account_state WHERE account = whose;
        room := CASE
            WHEN gate.paused OR (gate.breaker <> 'closed' AND gate.retry_at > now()) THEN 0
            WHEN gate.breaker <> 'closed' THEN 1
            ELSE p_aheads[at]
                - (SELECT count(*) FROM steps WHERE account = whose AND rung_at > now() - make_interval(secs => p_heard))
                - (SELECT count(*) FROM steps WHERE account = whose AND state = 'running') END;
        CONTINUE WHEN room <= 0;
        FOR step IN
            SELECT s.id, s.flow || '.' || s.name AS task, s.subject_id FROM (
                SELECT f.*, row_number() OVER (PARTITION BY c.lane, c.channel ORDER BY f.subject_id, f.id) AS turn
                FROM (SELECT lane, channel FROM unnest(ARRAY[0, 1]) AS lane, unnest(p_channels) AS channel) c
                CROSS JOIN LATERAL (
                    SELECT id, subject_id, lane, flow, name FROM steps
                    WHERE account = whose AND lane = c.lane AND channel = c.channel AND armed AND rung_at IS NULL
                        AND created_at <= coalesce(gate.drained_at, 'infinity')
                    ORDER BY subject_id, id LIMIT room FOR UPDATE SKIP LOCKED) f) s
            ORDER BY CASE WHEN s.lane = 1 AND s.turn <= ceil(p_floor * room) THEN 0 ELSE s.lane END, s.turn, s.subject_id, s.id
            LIMIT room
        LOOP
            id := step.id;
            account := whose;
            task := step.task;
            subject_id := step.subject_id;
            goes_on := NOT going AND whose = p_own AND step.task = p_task AND coalesce(gate.breaker, 'closed') = 'closed';
            IF goes_on THEN
                going := true;
            ELSE
                UPDATE steps SET rung_at = now() WHERE steps.id = step.id;
            END IF;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END $$;
