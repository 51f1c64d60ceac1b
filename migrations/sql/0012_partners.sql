-- Channels without a connector and the first batch feeds: tills and their sequences, prices and where they came from, partners that are told.

CREATE TABLE tills (                   -- how far each till's own sequence has been posted without a gap
    account text NOT NULL,
    till text NOT NULL,
    posted bigint NOT NULL,            -- the last sequence number that was posted, or told to be void
    last_at timestamptz,               -- when that sale was made
    gap_since timestamptz,             -- since when a number is missing before others that wait
    PRIMARY KEY (account, till)
);
CREATE INDEX tills_gap ON tills (gap_since) WHERE gap_since IS NOT NULL;
CREATE TABLE till_sales (              -- what a till told; what was posted stands in the journal, so its body goes
    account text NOT NULL,
    till text NOT NULL,
    sequence bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'posted', 'void')),
    content text NOT NULL,
    body bytea,
    sold_at text NOT NULL DEFAULT '',  -- the till's own time, as it said it
    zone text NOT NULL DEFAULT '',
    event_id bigint,
    told_at timestamptz NOT NULL DEFAULT now(),
    posted_at timestamptz,
    PRIMARY KEY (account, till, sequence)
);
CREATE INDEX till_sales_waiting ON till_sales (account, till, sequence) WHERE state = 'waiting';

CREATE TABLE prices (                  -- the price that is in force now of each SKU, list, currency and quantity break
    price_list text NOT NULL,
    sku text NOT NULL,
    currency text NOT NULL,
    min_quantity numeric(18, 4) NOT NULL DEFAULT 1,
    amount numeric(18, 4) NOT NULL CHECK (amount >= 0),
    compare_at numeric(18, 4),
    taxes_included boolean,
    valid_from timestamptz NOT NULL,
    valid_until timestamptz,
    promotion text NOT NULL DEFAULT '',
    source text NOT NULL,              -- the account whose feed said so
    run_id bigint,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (price_list, sku, currency, min_quantity)
);
CREATE INDEX prices_sku ON prices (sku);

CREATE TABLE listeners (               -- partners that are told of events, and where
    id text PRIMARY KEY,
    account text NOT NULL,
    url text NOT NULL,
    events text[] NOT NULL,
    active boolean NOT NULL DEFAULT true,
    made_at timestamptz NOT NULL DEFAULT now(),
    made_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account, url)
);
CREATE TABLE listener_secrets (        -- what an event is signed with: sealed, several during a rotation
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    listener_id text NOT NULL REFERENCES listeners ON DELETE CASCADE,
    sealed bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz
);
CREATE INDEX listener_secrets_listener ON listener_secrets (listener_id, id);
CREATE INDEX steps_told ON steps (account, id DESC) WHERE flow = 'partner_told';

CREATE TABLE feed_files (              -- files as they were last listed: one that stands still is read
    account text NOT NULL,
    name text NOT NULL,
    size bigint NOT NULL,
    modified bigint NOT NULL,
    read boolean NOT NULL DEFAULT false,  -- it was read as it is: not again while it waits to be moved away
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, name)
);
CREATE TABLE price_runs (              -- one file of prices, from its reading to its end
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    file text NOT NULL,
    content text NOT NULL,             -- SHA-256 of the file
    body bytea,                        -- the file, until all its lines are here
    state text NOT NULL CHECK (state IN ('loading', 'held', 'ready', 'active', 'superseded', 'rejected', 'rolled_back', 'duplicate', 'unreadable')),
    total integer NOT NULL DEFAULT 0,  -- lines that the file has
    reached integer NOT NULL DEFAULT 0,-- lines that are here: a killed worker's successor goes on after them
    counts jsonb NOT NULL DEFAULT '{}',
    before jsonb NOT NULL DEFAULT '{}',-- the same figures of the run that was in force when this one was checked
    why text NOT NULL DEFAULT '',      -- why it is held, rejected, rolled back or unreadable
    began_at timestamptz NOT NULL DEFAULT now(),
    checked_at timestamptz,
    activated_at timestamptz,
    reckoned_at timestamptz,           -- up to which instant its dates have been followed
    ended_at timestamptz,
    by text NOT NULL DEFAULT '',
    UNIQUE (account, file, content)
);
CREATE INDEX price_runs_open ON price_runs (account, id) WHERE state IN ('loading', 'held', 'ready', 'active');
CREATE UNIQUE INDEX price_runs_active ON price_runs (account) WHERE state = 'active';
CREATE TABLE price_lines (
    run_id bigint NOT NULL REFERENCES price_runs ON DELETE CASCADE,
    n integer NOT NULL,                -- the line of the file; those kept from the run before count on from 100,000,000
    state text NOT NULL CHECK (state IN ('accepted', 'refused', 'kept')),
    code text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    sku text NOT NULL DEFAULT '',
    price_list text NOT NULL DEFAULT '',
    currency text NOT NULL DEFAULT '',
    min_quantity numeric(18, 4) NOT NULL DEFAULT 1,
    amount numeric(18, 4),
    compare_at numeric(18, 4),
    taxes_included boolean,
    valid_from timestamptz,
    valid_until timestamptz,
    promotion text NOT NULL DEFAULT '',
    PRIMARY KEY (run_id, n)
);
CREATE INDEX price_lines_key ON price_lines (run_id, sku, price_list, currency, min_quantity);
CREATE INDEX price_lines_refused ON price_lines (run_id, n) WHERE state = 'refused';

CREATE TABLE price_marks (             -- prices to be told: the newest wins, so a mark holds none
    account text NOT NULL,
    price_list text NOT NULL,
    sku text NOT NULL,
    currency text NOT NULL,
    min_quantity numeric(18, 4) NOT NULL,
    mark bigint NOT NULL DEFAULT 1,
    since timestamptz NOT NULL DEFAULT now(),
    refused text NOT NULL DEFAULT '',
    PRIMARY KEY (account, price_list, sku, currency, min_quantity)
);
CREATE TABLE prices_told (             -- what each channel was told last
    account text NOT NULL,
    price_list text NOT NULL,
    sku text NOT NULL,
    currency text NOT NULL,
    min_quantity numeric(18, 4) NOT NULL,
    amount numeric(18, 4) NOT NULL,
    compare_at numeric(18, 4),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, price_list, sku, currency, min_quantity)
);

CREATE TABLE alignments (              -- stock held against everybody who has some of ours: the whole of it at night, what moved each hour
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('full', 'delta')),
    account text NOT NULL,
    side text NOT NULL CHECK (side IN ('source', 'channel')),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
    since timestamptz NOT NULL,        -- of a delta: what moved since then
    reached text NOT NULL DEFAULT '',  -- the last SKU that was looked at: a killed worker's successor goes on after it
    looked integer NOT NULL DEFAULT 0, -- levels of a source, SKUs of a channel
    changed integer NOT NULL DEFAULT 0,
    before integer,                    -- what the last one of this kind that was done looked at
    tries integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    said text NOT NULL DEFAULT '',
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE UNIQUE INDEX alignments_open ON alignments (kind, account, side) WHERE state = 'waiting';
CREATE INDEX alignments_account ON alignments (account, kind, side, id DESC);
CREATE INDEX shelves_changed ON shelves (changed_at);
