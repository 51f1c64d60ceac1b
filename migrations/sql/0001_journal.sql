-- The message store. What grows with traffic (events, attempts, payloads) is partitioned by time from the first day, and no foreign key
-- points into it. Personal data stand only in payloads, documents, and the customer and search columns of subjects.

CREATE SEQUENCE event_ids;

CREATE TABLE deliveries (              -- idempotent receiver: narrow and unpartitioned
    account text NOT NULL,
    delivery_id text NOT NULL,
    event_id bigint NOT NULL,
    first_at timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now(),
    seen integer NOT NULL DEFAULT 1,
    PRIMARY KEY (account, delivery_id)
);

CREATE TABLE events (
    id bigint NOT NULL DEFAULT nextval('event_ids'),
    at timestamptz NOT NULL DEFAULT now(),
    account text NOT NULL,
    door text NOT NULL,                -- webhook, poll, queue, file, fetch
    topic text NOT NULL,
    delivery_id text NOT NULL,
    proof text NOT NULL DEFAULT '',    -- the name of the secret that matched
    state text NOT NULL DEFAULT 'accepted',
    reason text NOT NULL DEFAULT '',
    code text NOT NULL DEFAULT '',
    subject_id bigint,
    lane smallint NOT NULL DEFAULT 0,
    recovered boolean NOT NULL DEFAULT false,
    rung_at timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX events_open ON events (rung_at) WHERE state = 'accepted';
CREATE INDEX events_subject ON events (subject_id, id);
CREATE INDEX events_state ON events (state, id DESC);
CREATE INDEX events_account ON events (account, id DESC);

CREATE TABLE payloads (                -- claim check: raw bodies and exchanges
    owner text NOT NULL,               -- event, attempt
    owner_id bigint NOT NULL,
    n smallint NOT NULL DEFAULT 0,
    at timestamptz NOT NULL DEFAULT now(),
    subject_id bigint,
    head jsonb NOT NULL DEFAULT '{}',
    body bytea,
    PRIMARY KEY (owner, owner_id, n, at)
) PARTITION BY RANGE (at);
CREATE INDEX payloads_subject ON payloads (subject_id);

CREATE SEQUENCE attempt_ids;
CREATE TABLE attempts (
    id bigint NOT NULL DEFAULT nextval('attempt_ids'),
    at timestamptz NOT NULL DEFAULT now(),
    step_id bigint NOT NULL,
    run_id bigint NOT NULL,
    subject_id bigint NOT NULL,
    account text NOT NULL,
    n integer NOT NULL,
    fence integer NOT NULL,
    outcome text NOT NULL,
    code text NOT NULL DEFAULT '',
    sentence text NOT NULL DEFAULT '',
    seconds double precision NOT NULL DEFAULT 0,
    calls smallint NOT NULL DEFAULT 0,
    worker text NOT NULL DEFAULT '',
    next_at timestamptz,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE INDEX attempts_step ON attempts (step_id, id);
CREATE INDEX attempts_subject ON attempts (subject_id, id);
CREATE INDEX attempts_account ON attempts (account, at DESC);

CREATE TABLE subjects (                -- what deliveries are about: an order, a stock level, a product
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    account text NOT NULL,
    external_id text NOT NULL,
    waybill text UNIQUE,
    number text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'open',
    version text NOT NULL DEFAULT '',
    content text NOT NULL DEFAULT '',
    document_id bigint,
    pending jsonb NOT NULL DEFAULT '[]',
    roles jsonb NOT NULL DEFAULT '{}',
    customer text NOT NULL DEFAULT '',
    email text NOT NULL DEFAULT '',
    phone text NOT NULL DEFAULT '',
    amount numeric(20, 4),
    currency text NOT NULL DEFAULT '',
    placed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    erased_at timestamptz,
    UNIQUE (kind, account, external_id)
);
CREATE INDEX subjects_number ON subjects (lower(number) text_pattern_ops);
CREATE INDEX subjects_email ON subjects (lower(email) text_pattern_ops) WHERE email <> '';
CREATE INDEX subjects_recent ON subjects (kind, id DESC);
CREATE INDEX subjects_external ON subjects (external_id);

CREATE TABLE documents (               -- canonical states, immutable; erased with their subject
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    body jsonb NOT NULL
);
CREATE INDEX documents_subject ON documents (subject_id, id);

CREATE TABLE runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id bigint NOT NULL,
    event_id bigint,
    event_at timestamptz,
    flow text NOT NULL,
    flow_version integer NOT NULL,
    difference text NOT NULL,          -- the version and content that it started from: one run for each
    document_id bigint,
    child jsonb,                       -- the shipment or refund that it is about
    detail jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'open',
    reason text NOT NULL DEFAULT '',
    open_steps integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    UNIQUE (subject_id, flow, difference)
);
CREATE INDEX runs_event ON runs (event_id);
CREATE INDEX runs_open ON runs (subject_id) WHERE state = 'open';

CREATE TABLE steps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES runs,
    subject_id bigint NOT NULL,
    flow text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    account text NOT NULL,             -- `hub` for inner steps
    kind text NOT NULL,                -- outer, inner, undo
    state text NOT NULL,
    lane smallint NOT NULL DEFAULT 0,  -- 0 live, 1 bulk
    channel text NOT NULL DEFAULT '',
    key text NOT NULL,
    pending integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    armed boolean NOT NULL DEFAULT false,
    rung_at timestamptz,
    lease_until timestamptz,
    fence integer NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    losses integer NOT NULL DEFAULT 0,
    doubtful boolean NOT NULL DEFAULT false,
    sent_at timestamptz,
    job text,
    undoes bigint,
    preempted boolean NOT NULL DEFAULT false,
    result text NOT NULL DEFAULT '',
    code text NOT NULL DEFAULT '',
    sentence text NOT NULL DEFAULT '',
    remedy text NOT NULL DEFAULT '',
    owner text NOT NULL DEFAULT '',
    fact text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    UNIQUE (run_id, name)
);
-- what may be rung now, oldest order first in each lane and channel
CREATE INDEX steps_feed ON steps (account, lane, channel, subject_id, id) WHERE armed AND rung_at IS NULL;
CREATE INDEX steps_rung ON steps (account, rung_at) WHERE rung_at IS NOT NULL;
CREATE INDEX steps_running ON steps (account, lease_until) WHERE state = 'running';
CREATE INDEX steps_later ON steps (due_at) WHERE NOT armed AND state IN ('ready', 'unknown', 'submitted');
CREATE INDEX steps_fact ON steps (fact, subject_id) WHERE state = 'parked';
CREATE INDEX steps_subject ON steps (subject_id, account, id);
CREATE INDEX steps_run ON steps (run_id, id);
CREATE INDEX steps_trouble ON steps (state, id) WHERE state IN ('parked', 'dead', 'unknown');
CREATE INDEX steps_open ON steps (account, state) WHERE state IN ('waiting', 'ready', 'running', 'submitted', 'unknown', 'parked', 'dead');

CREATE TABLE waits (                   -- step_id waits until on_id has ended
    on_id bigint NOT NULL,
    step_id bigint NOT NULL REFERENCES steps ON DELETE CASCADE,
    PRIMARY KEY (on_id, step_id)
);

CREATE TABLE calls (                   -- each write of a step that makes several, under its own name
    step_id bigint NOT NULL REFERENCES steps ON DELETE CASCADE,
    name text NOT NULL,
    result text,
    job text,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (step_id, name)
);

CREATE TABLE links (                   -- cross references: what each account calls our things
    account text NOT NULL,
    kind text NOT NULL,
    ours text NOT NULL,
    theirs text NOT NULL,
    subject_id bigint,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, kind, ours)
);
CREATE INDEX links_theirs ON links (account, kind, theirs);
CREATE INDEX links_subject ON links (subject_id);
CREATE INDEX links_search ON links (lower(theirs) text_pattern_ops);

CREATE TABLE codes (                   -- the catalogue's cross references
    account text NOT NULL,
    kind text NOT NULL,
    ours text NOT NULL,
    theirs text NOT NULL,
    by text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, kind, ours)
);
CREATE INDEX codes_theirs ON codes (account, kind, theirs);

CREATE TABLE cases (                   -- one for each cause that a person must look at
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text NOT NULL,
    kind text NOT NULL,                -- dead, parked, quarantined, account, drift
    account text NOT NULL,
    step text NOT NULL DEFAULT '',
    code text NOT NULL,
    sentence text NOT NULL,
    remedy text NOT NULL DEFAULT '',
    owner text NOT NULL,
    assignee text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'open',
    opened_at timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    closed_by text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX cases_open ON cases (fingerprint) WHERE status <> 'resolved';
CREATE TABLE case_members (
    case_id bigint NOT NULL REFERENCES cases ON DELETE CASCADE,
    member text NOT NULL,              -- step:123, event:45
    subject_id bigint,
    at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    PRIMARY KEY (case_id, member)
);
CREATE INDEX case_members_open ON case_members (case_id) WHERE closed_at IS NULL;
CREATE INDEX case_members_member ON case_members (member) WHERE closed_at IS NULL;

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    who text NOT NULL,
    address text NOT NULL DEFAULT '',
    action text NOT NULL,
    object text NOT NULL,
    reason text NOT NULL DEFAULT '',
    before jsonb,
    after jsonb
);
CREATE INDEX audit_object ON audit (object, id DESC);

CREATE TABLE account_state (
    account text PRIMARY KEY,
    paused boolean NOT NULL DEFAULT false,
    drained_at timestamptz,
    why text NOT NULL DEFAULT '',
    by text NOT NULL DEFAULT '',
    since timestamptz,
    breaker text NOT NULL DEFAULT 'closed',
    failures integer NOT NULL DEFAULT 0,
    successes integer NOT NULL DEFAULT 0,
    trips integer NOT NULL DEFAULT 0,
    retry_at timestamptz,
    opened_at timestamptz,
    budget double precision NOT NULL DEFAULT 50,
    limits jsonb NOT NULL DEFAULT '{}',
    limits_until timestamptz,
    last_trouble text NOT NULL DEFAULT '',
    last_trouble_at timestamptz,
    seen_version text NOT NULL DEFAULT ''
);

CREATE TABLE cursors (
    account text NOT NULL,
    kind text NOT NULL,
    reached timestamptz NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, kind)
);

CREATE TABLE tokens (
    account text NOT NULL,
    name text NOT NULL,
    sealed bytea NOT NULL DEFAULT '',
    expires_at timestamptz NOT NULL DEFAULT '-infinity',
    refreshing_until timestamptz NOT NULL DEFAULT '-infinity',
    refreshed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, name)
);

CREATE TABLE windows (                 -- beat's jobs: one execution for each window, however many beats
    job text NOT NULL,
    starts timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'running',
    note text NOT NULL DEFAULT '',
    worker text NOT NULL DEFAULT '',
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    PRIMARY KEY (job, starts)
);
CREATE TABLE schedules (
    job text PRIMARY KEY,
    last_window timestamptz NOT NULL
);

CREATE TABLE subscriptions (
    account text NOT NULL,
    topic text NOT NULL,
    alive boolean NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT now(),
    dead_since timestamptz,
    PRIMARY KEY (account, topic)
);

CREATE TABLE heartbeats (              -- one through each queue, so that a worker that lives but does not consume is seen
    queue text PRIMARY KEY,
    sent_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz
);

CREATE TABLE refusals (                -- deliveries that were not accepted, counted; never their bodies
    account text NOT NULL,
    reason text NOT NULL,
    hour timestamptz NOT NULL,
    count bigint NOT NULL DEFAULT 0,
    last_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, reason, hour)
);

CREATE TABLE users (
    login text PRIMARY KEY,
    password text NOT NULL,
    role text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    failed integer NOT NULL DEFAULT 0,
    locked_until timestamptz
);

CREATE TABLE positions (               -- what the owner of the stock says
    account text NOT NULL,
    sku text NOT NULL,
    location text NOT NULL,
    available numeric(18, 4) NOT NULL,
    version text NOT NULL,
    as_of timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, sku, location)
);
CREATE TABLE reservations (            -- one row for each line of an order; closed once
    key text PRIMARY KEY,
    subject_id bigint NOT NULL,
    line_id text NOT NULL,
    sku text NOT NULL,
    quantity numeric(18, 4) NOT NULL CHECK (quantity >= 0),
    shipped numeric(18, 4) NOT NULL DEFAULT 0 CHECK (shipped >= 0 AND shipped <= quantity),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'released', 'committed')),
    at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz
);
CREATE INDEX reservations_sku ON reservations (sku) WHERE state = 'open';
CREATE INDEX reservations_subject ON reservations (subject_id);
CREATE TABLE dirty (                   -- stock to be told: the newest value wins, drained in batches
    account text NOT NULL,
    sku text NOT NULL,
    location text NOT NULL,
    mark bigint NOT NULL DEFAULT 1,
    since timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    refused text NOT NULL DEFAULT '',
    PRIMARY KEY (account, sku, location)
);
CREATE TABLE published (               -- what we told last, so that its echo is known
    account text NOT NULL,
    sku text NOT NULL,
    location text NOT NULL,
    quantity numeric(18, 4) NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, sku, location)
);

-- Partitions by month; the retain job makes the next ones ahead of time and drops the old.
CREATE FUNCTION make_partitions(parent text, first date, months integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE starts date;
BEGIN
    FOR n IN 0 .. months - 1 LOOP
        starts := (date_trunc('month', first) + make_interval(months => n))::date;
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
            parent || to_char(starts, '_YYYY_MM'), parent, starts, (starts + interval '1 month')::date);
    END LOOP;
END $$;
SELECT make_partitions(parent, (now() - interval '1 month')::date, 4) FROM unnest(ARRAY['events', 'payloads', 'attempts']) AS parent;
