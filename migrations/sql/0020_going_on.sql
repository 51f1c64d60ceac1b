-- A task that ends a step goes on with its run's next one: concluding, opening and taking it are one round trip and one commit.
-- Plans are made once for each worker's session (app/database.py), so the functions do not ask for it themselves.

-- A step that was taken, with all that it acts on; `hungry` are accounts that are to be fed after the commit.
CREATE TYPE step_taken AS (
    hungry text[], id bigint, run_id bigint, subject_id bigint, flow text, name text, role text, account text, kind text, lane smallint,
    channel text, key text, fence integer, tries integer, doubtful boolean, sent_at timestamptz, job text, undoes bigint, preempted boolean,
    losses integer, code text, claimed_at timestamptz,
    flow_version integer, child jsonb, detail jsonb, difference text, event_id bigint, event_at timestamptz, body jsonb, waybill text,
    subject_kind text, subject_account text, external_id text, roles jsonb, version text, links jsonb, calls jsonb, results jsonb,
    document_id bigint);

-- Takes a step that is due, with lease and fence; nothing when it is not, is another's, or its account may not act now (a probe may, once).
-- The document is left out when it is the one that the caller holds (p_known).
CREATE FUNCTION take_step(p_id bigint, p_lease double precision, p_probe boolean, p_known bigint) RETURNS SETOF step_taken
LANGUAGE plpgsql AS $$
DECLARE
    t record;
BEGIN
    UPDATE steps SET state = 'running', lease_until = now() + make_interval(secs => p_lease), fence = fence + 1, tries = tries + 1,
        rung_at = NULL, armed = false, updated_at = now()
    WHERE id = p_id AND state IN ('ready', 'unknown', 'submitted') AND due_at <= now()
        AND NOT EXISTS (SELECT 1 FROM account_state a WHERE a.account = steps.account
            AND (a.paused OR (a.breaker <> 'closed' AND NOT p_probe) OR a.drained_at < steps.created_at))
    RETURNING * INTO t;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT '{}'::text[], t.id, t.run_id, t.subject_id, t.flow, t.name, t.role, t.account, t.kind, t.lane, t.channel, t.key, t.fence, t.tries,
        t.doubtful, t.sent_at, t.job, t.undoes, t.preempted, t.losses, t.code, now(),
        r.flow_version, r.child, r.detail, r.difference, r.event_id, r.event_at, d.body, b.waybill, b.kind, b.account, b.external_id, b.roles,
        b.version,
        coalesce((SELECT jsonb_agg(jsonb_build_array(l.account, l.kind, l.ours, l.theirs)) FROM links l WHERE l.subject_id = t.subject_id), '[]'),
        coalesce((SELECT jsonb_object_agg(c.name, jsonb_build_array(c.result, c.job)) FROM calls c WHERE c.step_id = t.id), '{}'),
        coalesce((SELECT jsonb_object_agg(e.name, e.result) FROM steps e WHERE e.run_id = t.run_id AND e.state = 'done'), '{}'),
        r.document_id
    FROM runs r JOIN subjects b ON b.id = t.subject_id
        LEFT JOIN documents d ON d.id = r.document_id AND r.document_id IS DISTINCT FROM p_known
    WHERE r.id = t.run_id;
END $$;

-- Who goes first at an account that has room: live before bulk (but for bulk's share), one of these channels as it comes, its oldest order.
-- Rooms are counted without a lock: as many as ask at the same instant may stand there at once.
CREATE FUNCTION first_in_line(p_account text, p_channels text[], p_room integer, p_floor double precision) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    gate record;
    lanes smallint[] := CASE WHEN random() < p_floor THEN ARRAY[1, 0] ELSE ARRAY[0, 1] END;
    its smallint;
    found bigint;
BEGIN
    IF (SELECT count(*) FROM steps WHERE account = p_account AND state = 'running') >= coalesce(p_room, 0) THEN
        RETURN NULL;
    END IF;
    SELECT paused, breaker, drained_at INTO gate FROM account_state WHERE account = p_account;
    IF gate.paused OR gate.breaker <> 'closed' THEN
        RETURN NULL;
    END IF;
    FOREACH its IN ARRAY lanes LOOP
        SELECT f.id INTO found FROM unnest(p_channels) AS c (channel) CROSS JOIN LATERAL (
            SELECT s.id FROM steps s WHERE s.account = p_account AND s.lane = its AND s.channel = c.channel AND s.armed AND s.rung_at IS NULL
                AND s.created_at <= coalesce(gate.drained_at, 'infinity')
            ORDER BY s.subject_id, s.id LIMIT 1 FOR UPDATE SKIP LOCKED) f
        ORDER BY random() LIMIT 1;
        EXIT WHEN found IS NOT NULL;
    END LOOP;
    RETURN found;
END $$;

-- After a step of this run has ended: takes the next one (p_lease seconds; 0: none is wanted). First where a step of the run is ready now
-- (p_along): who goes first there in its channel, mostly that step itself; else at p_home, where the task was rung for.
-- Answers one row, without a step where none was taken, and who is hungry: those of the accounts p_fed where somebody waits and no ring is under way.
CREATE FUNCTION go_on(
    p_run bigint, p_fed text[], p_along boolean, p_home text, p_rooms jsonb, p_channels text[], p_quick text[], p_few integer,
    p_heard double precision, p_floor double precision, p_lease double precision, p_known bigint)
RETURNS SETOF step_taken LANGUAGE plpgsql AS $$
DECLARE
    opened record;
    next bigint;
    taken step_taken;
BEGIN
    IF p_lease > 0 AND p_along THEN
        FOR opened IN SELECT account, channel FROM steps WHERE run_id = p_run AND state = 'ready' AND armed AND rung_at IS NULL ORDER BY id LOOP
            next := first_in_line(opened.account, ARRAY[opened.channel], (p_rooms ->> opened.account)::integer, p_floor);
            EXIT WHEN next IS NOT NULL;
        END LOOP;
    END IF;
    IF p_lease > 0 AND next IS NULL AND p_home <> '' THEN
        next := first_in_line(p_home, p_channels, (p_rooms ->> p_home)::integer, p_floor);
    END IF;
    IF next IS NOT NULL THEN
        SELECT * INTO taken FROM take_step(next, p_lease, false, p_known);
    END IF;
    taken.hungry := ARRAY(
        SELECT DISTINCT a FROM unnest(p_fed) AS a
        WHERE EXISTS (SELECT 1 FROM steps w WHERE w.account = a AND w.armed AND w.rung_at IS NULL)
            AND (SELECT count(*) FROM steps w WHERE w.account = a AND w.rung_at > now() - make_interval(secs => p_heard))
                + CASE WHEN a = ANY(p_quick) THEN (SELECT count(*) FROM steps w WHERE w.account = a AND w.state = 'running') ELSE 0 END < p_few
        ORDER BY a);
    RETURN NEXT taken;
END $$;

-- One event of the hub's own in an order's part; false when its machine does not know it in the present state (then nothing changes).
-- The machine's word on this event: from p_befores[n] it leads to p_afters[n].
CREATE FUNCTION move_part(
    p_subject bigint, p_machine text, p_part text, p_event text, p_start text, p_befores text[], p_afters text[], p_account text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    was text;
    becomes text;
BEGIN
    SELECT state INTO was FROM order_states WHERE subject_id = p_subject AND machine = p_machine AND part = p_part FOR UPDATE;
    was := coalesce(was, p_start);
    becomes := p_afters[array_position(p_befores, was)];
    IF becomes IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO order_states (subject_id, machine, part, state, account) VALUES (p_subject, p_machine, p_part, becomes, p_account)
    ON CONFLICT (subject_id, machine, part) DO UPDATE SET state = excluded.state, since = now(), account = excluded.account, event_id = NULL;
    INSERT INTO order_moves (subject_id, machine, part, before, moves, after, account)
    VALUES (p_subject, p_machine, p_part, was, ARRAY[p_event], becomes, p_account);
    RETURN true;
END $$;

-- The common end of an outer step: it is done at its first try, its account is well, and nothing else follows but the order's own state
-- (p_event; empty: none). Concluded under its fence; no row when the step is another's by now, else what go_on answers.
CREATE FUNCTION conclude_done(
    p_id bigint, p_fence integer, p_result text, p_try integer, p_outcome text, p_seconds double precision, p_worker text, p_heads jsonb,
    p_bodies bytea[], p_link_kinds text[], p_link_ours text[], p_link_theirs text[],
    p_account text, p_budget double precision, p_refill double precision, p_probes integer,
    p_subject bigint, p_event text, p_start text, p_befores text[], p_afters text[],
    p_run bigint, p_along boolean, p_home text, p_rooms jsonb, p_channels text[], p_quick text[], p_few integer, p_heard double precision,
    p_floor double precision, p_lease double precision, p_known bigint)
RETURNS SETOF step_taken LANGUAGE plpgsql AS $$
DECLARE
    opened text[] := conclude_step(p_id, p_fence, 'done', 0, false, 0, false, false, NULL, p_result, '', '', '', '', '', p_try, p_outcome,
        p_seconds, p_worker, p_heads, p_bodies, p_link_kinds, p_link_ours, p_link_theirs);
BEGIN
    IF opened IS NULL THEN
        RETURN;
    END IF;
    UPDATE account_state SET failures = 0, successes = successes + 1, budget = least(p_budget, budget + p_refill),
        breaker = CASE WHEN breaker <> 'closed' AND successes + 1 >= p_probes THEN 'closed' ELSE breaker END,
        trips = CASE WHEN breaker <> 'closed' AND successes + 1 >= p_probes THEN 0 ELSE trips END,
        retry_at = CASE WHEN breaker <> 'closed' THEN now() ELSE retry_at END
    WHERE account = p_account AND (failures > 0 OR breaker <> 'closed' OR budget < p_budget);
    IF p_event <> '' THEN
        PERFORM move_part(p_subject, 'order', '', p_event, p_start, p_befores, p_afters, p_account);
    END IF;
    RETURN QUERY SELECT * FROM go_on(p_run, opened || p_account, p_along, p_home, p_rooms, p_channels, p_quick, p_few,
        p_heard, p_floor, p_lease, p_known);
END $$;

-- The waits of newly laid steps, and which of them may begin. A predecessor that is ending just now holds its row: either it sees our wait, or
-- we see that it has ended.
CREATE FUNCTION open_up(p_on bigint[], p_waiting bigint[], p_steps bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(p_on) > 0 THEN
        WITH wanted AS (SELECT * FROM unnest(p_on, p_waiting) AS w (on_id, step_id)),
        open AS (SELECT id FROM steps WHERE id = ANY(p_on) AND state NOT IN ('done', 'skipped', 'cancelled') ORDER BY id FOR SHARE)
        INSERT INTO waits (on_id, step_id) SELECT w.on_id, w.step_id FROM wanted w JOIN open ON open.id = w.on_id ON CONFLICT DO NOTHING;
    END IF;
    UPDATE steps s SET pending = w.n, state = CASE WHEN w.n = 0 THEN 'ready' ELSE 'waiting' END, armed = (w.n = 0)
    FROM (SELECT me.id, (SELECT count(*) FROM waits WHERE waits.step_id = me.id) AS n FROM unnest(p_steps) AS me (id)) w
    WHERE s.id = w.id;
END $$;

-- Steps that waited only for these are ready now; the accounts to feed. In the place of 0009's one statement, which was planned anew at each call.
CREATE OR REPLACE FUNCTION open_what_waited(p_ids bigint[]) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    w record;
    s record;
    fed text[] := '{}';
BEGIN
    FOR w IN
        WITH gone AS (DELETE FROM waits WHERE on_id = ANY(p_ids) RETURNING step_id)
        SELECT step_id, count(*) AS n FROM gone GROUP BY step_id ORDER BY step_id
    LOOP
        UPDATE steps SET pending = pending - w.n, updated_at = now(),
            state = CASE WHEN state = 'waiting' AND pending - w.n <= 0 THEN 'ready' ELSE state END,
            armed = armed OR (state = 'waiting' AND pending - w.n <= 0 AND due_at <= now())
        WHERE id = w.step_id RETURNING account, armed INTO s;
        IF s.armed AND s.account <> ALL(fed) THEN
            fed := fed || s.account;
        END IF;
    END LOOP;
    RETURN fed;
END $$;

-- All of these go by indexes. A plan that a session keeps from when a table was small would read the whole of it, however much it has grown.
ALTER FUNCTION open_what_waited SET enable_seqscan = off;
ALTER FUNCTION close_run SET enable_seqscan = off;
ALTER FUNCTION conclude_step SET enable_seqscan = off;
ALTER FUNCTION feed_few SET enable_seqscan = off;
ALTER FUNCTION take_step SET enable_seqscan = off;
ALTER FUNCTION go_on SET enable_seqscan = off;
ALTER FUNCTION conclude_done SET enable_seqscan = off;
ALTER FUNCTION open_up SET enable_seqscan = off;
