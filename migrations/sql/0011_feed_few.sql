-- Marks the next steps of these accounts (in name order: no deadlock) as rung: live lane first, channels in turn, the oldest order first,
-- so that orders finish one by one. Of the account p_own, one step of the name p_task is not rung but left for the caller to go on with.
-- At most p_few rings of an account wait for a slot: whoever takes one goes on with others and rings the next, so that a backlog costs the
-- broker a message for many steps, while a slow account still fills its share of the slots. An account that answers at once (p_quick) is not
-- rung while p_few are at work there: they come to the next step sooner than a message would. Takes the place of feed_steps (0009), which stays
-- for workers of the version before.
CREATE FUNCTION feed_few(
    p_accounts text[], p_aheads integer[], p_quick boolean[], p_few integer, p_channels text[], p_heard double precision, p_floor double precision,
    p_own text, p_task text)
RETURNS TABLE (id bigint, account text, task text, subject_id bigint, goes_on boolean)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    whose text;
    gate record;
    room bigint;
    rung bigint;
    running bigint;
    rings bigint;
    bulk bigint;
    step record;
    spare record;
    going boolean := p_task = '';
BEGIN
    FOR at IN 1 .. cardinality(p_accounts) LOOP
        whose := p_accounts[at];
        PERFORM pg_advisory_xact_lock(7701, hashtext(whose));
        SELECT paused, drained_at, breaker, retry_at INTO gate FROM account_state WHERE account = whose;
        CONTINUE WHEN gate.paused OR (gate.breaker <> 'closed' AND gate.retry_at > now());
        rung := (SELECT count(*) FROM steps WHERE account = whose AND rung_at > now() - make_interval(secs => p_heard));
        running := (SELECT count(*) FROM steps WHERE account = whose AND state = 'running');
        room := p_aheads[at] - running;
        rings := CASE WHEN coalesce(gate.breaker, 'closed') <> 'closed' THEN 1
            ELSE least(room, p_few - CASE WHEN p_quick[at] THEN running ELSE 0 END) - rung END;
        room := CASE WHEN room > 0 AND NOT going AND whose = p_own AND coalesce(gate.breaker, 'closed') = 'closed'
            THEN greatest(rings, 0) + 1 ELSE rings END;
        CONTINUE WHEN room <= 0;
        spare := NULL;
        IF room > rings AND p_quick[at] THEN
            rings := rings - 1;  -- the caller himself will be at work there
        END IF;
        -- Where one slot becomes free at a time, bulk and channels get their share of the times.
        bulk := CASE WHEN room >= 4 THEN ceil(p_floor * room) ELSE (random() < p_floor * room)::integer END;
        FOR step IN
            SELECT s.id, s.flow || '.' || s.name AS task, s.subject_id FROM (
                SELECT f.*, row_number() OVER (PARTITION BY c.lane, c.channel ORDER BY f.subject_id, f.id) AS turn
                FROM (SELECT lane, channel FROM unnest(ARRAY[0, 1]) AS lane, unnest(p_channels) AS channel) c
                CROSS JOIN LATERAL (
                    SELECT id, subject_id, lane, flow, name FROM steps
                    WHERE account = whose AND lane = c.lane AND channel = c.channel AND armed AND rung_at IS NULL
                        AND created_at <= coalesce(gate.drained_at, 'infinity')
                    ORDER BY subject_id, id LIMIT room FOR UPDATE SKIP LOCKED) f) s
            ORDER BY CASE WHEN s.lane = 0 THEN 0 WHEN s.turn > bulk THEN 1 WHEN room >= 4 THEN 0 ELSE -1 END, s.turn,
                CASE WHEN room < 4 THEN random() END, s.subject_id, s.id
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
                IF rings <= 0 THEN
                    spare := coalesce(spare, step);
                    CONTINUE;
                END IF;
                rings := rings - 1;
                UPDATE steps SET rung_at = now() WHERE steps.id = step.id;
            END IF;
            RETURN NEXT;
        END LOOP;
        IF spare IS NOT NULL AND rings = 0 AND p_quick[at] AND whose = p_own AND NOT going THEN  -- none of that name: another is rung instead
            UPDATE steps SET rung_at = now() WHERE steps.id = spare.id;
            id := spare.id;
            account := whose;
            task := spare.task;
            subject_id := spare.subject_id;
            goes_on := false;
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;
