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
