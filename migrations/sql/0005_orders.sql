-- The order's life: where each part stands, what moved it, what holds it, what it waits for, and who fulfils it from where.

CREATE TABLE order_states (            -- the canonical state of each part of an order
    subject_id bigint NOT NULL,
    machine text NOT NULL,             -- order, line, fulfilment, payment, return
    part text NOT NULL,                -- line id, tender, origin:id; empty for the order itself
    state text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    account text NOT NULL DEFAULT '',  -- who brought it about
    event_id bigint,
    PRIMARY KEY (subject_id, machine, part)
);
CREATE TABLE order_moves (             -- every move of every part, for people and for measuring
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id bigint NOT NULL,
    machine text NOT NULL,
    part text NOT NULL,
    before text NOT NULL,
    moves text[] NOT NULL,             -- the machine's events, in order
    after text NOT NULL,
    account text NOT NULL DEFAULT '',
    event_id bigint,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX order_moves_subject ON order_moves (subject_id, id);

CREATE TABLE holds (                   -- why an order must not go on, who frees it, and until when
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id bigint NOT NULL,
    reason text NOT NULL CHECK (reason IN ('payment', 'fraud', 'address', 'stock', 'manual')),
    rule text NOT NULL DEFAULT '',     -- the rule that placed it; empty when a person did
    note text NOT NULL DEFAULT '',
    owner text NOT NULL,
    placed_by text NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now(),
    deadline_at timestamptz NOT NULL,
    released_at timestamptz,
    released_by text NOT NULL DEFAULT '',
    release_note text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX holds_open ON holds (subject_id, reason, rule) WHERE released_at IS NULL;
CREATE INDEX holds_subject ON holds (subject_id, id);
CREATE INDEX holds_due ON holds (deadline_at, id) WHERE released_at IS NULL;

CREATE TABLE held_work (               -- differences of a held order: rows, not open runs; started in this order when it is free
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id bigint NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    facets text[] NOT NULL DEFAULT '{}',
    child jsonb,
    event_id bigint,
    event_at timestamptz,
    lane smallint NOT NULL DEFAULT 0,
    at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (subject_id, kind, key)
);

CREATE TABLE deadlines (               -- what the hub waits for in the world, and what happens when it does not come
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id bigint NOT NULL,
    kind text NOT NULL,                -- hold, answer, pickup, return
    part text NOT NULL,
    due_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'met', 'passed', 'void')),
    ended_at timestamptz
);
CREATE UNIQUE INDEX deadlines_open ON deadlines (subject_id, kind, part) WHERE state = 'open';
CREATE INDEX deadlines_due ON deadlines (due_at) WHERE state = 'open';

CREATE TABLE fulfilments (             -- one request to one location for some of an order's pieces
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id bigint NOT NULL,
    number text NOT NULL UNIQUE,       -- what the location calls it by: waybill-F1
    location text NOT NULL,
    account text NOT NULL DEFAULT '',  -- who is asked; empty where the location is told by our own API
    method text NOT NULL,              -- ship, pickup
    state text NOT NULL,
    round integer NOT NULL DEFAULT 1,  -- how often these pieces have been sourced
    lines jsonb NOT NULL,              -- [{"line_id", "sku", "quantity"}]
    rules text NOT NULL DEFAULT '',    -- name@version of the rule set that chose it
    why text NOT NULL DEFAULT '',
    verify text NOT NULL DEFAULT '',   -- the code that the customer shows
    trackings jsonb NOT NULL DEFAULT '[]',
    pending boolean NOT NULL DEFAULT false,  -- something follows from its state that a worker does
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX fulfilments_subject ON fulfilments (subject_id, id);
CREATE INDEX fulfilments_pending ON fulfilments (id) WHERE pending;
CREATE INDEX fulfilments_location ON fulfilments (location, state);

CREATE TABLE rule_sets (               -- sourcing rules as they were read, never changed afterwards
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    version integer NOT NULL,
    content text NOT NULL,
    fingerprint text NOT NULL,
    kept_by text NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, version),
    UNIQUE (name, fingerprint)
);
CREATE TABLE rule_activations (        -- which set holds since when; the newest row is in force
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule_set_id bigint NOT NULL REFERENCES rule_sets,
    by text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE return_requests (         -- a return from the request to the money
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id bigint NOT NULL,
    number text NOT NULL UNIQUE,       -- waybill-R1
    state text NOT NULL,
    lines jsonb NOT NULL,              -- [{"line_id", "quantity", "reason", "received", "disposition"}]
    location text NOT NULL DEFAULT '',
    gift boolean NOT NULL DEFAULT false,
    exchange jsonb NOT NULL DEFAULT '[]',
    refunds jsonb NOT NULL DEFAULT '[]',  -- [{"tender", "amount"}], decided once
    refused text NOT NULL DEFAULT '',
    key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (subject_id, key)
);

CREATE TABLE customers (               -- who buys, by the rule of each account
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule text NOT NULL,
    match_key text,                    -- a hash of what they are known by; NULL under "always new"
    merged_into bigint REFERENCES customers,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX customers_match ON customers (match_key) WHERE match_key IS NOT NULL;  -- a merged one still leads to the other
CREATE TABLE customer_orders (
    subject_id bigint PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers,
    rule text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX customer_orders_customer ON customer_orders (customer_id);
CREATE TABLE customer_names (          -- every hash a customer is known by; one told for two customers is a duplicate
    customer_id bigint NOT NULL REFERENCES customers,
    kind text NOT NULL,                -- email, external
    hash text NOT NULL,
    PRIMARY KEY (customer_id, kind, hash)
);
CREATE INDEX customer_names_hash ON customer_names (kind, hash);
