-- Stock by SKU and location: what the owner says, with what moved since (told), and what is claimed of it (reserved).
-- A grant only raises `reserved`; the CHECK refuses it when it is more than there is. `short` is what was promised and is not there:
-- an order that a channel has already sold, or pieces that the owner no longer has. It is a person's case, never a grant.

ALTER TABLE positions                  -- the last word of each account, kept as it was said
    ADD COLUMN on_hand numeric(18, 4),
    ADD COLUMN allocated numeric(18, 4),
    ADD COLUMN in_transit numeric(18, 4),
    ADD COLUMN safety numeric(18, 4),
    ADD COLUMN damaged numeric(18, 4),
    ADD COLUMN told_at timestamptz;

CREATE TABLE shelves (
    sku text NOT NULL,
    location text NOT NULL,            -- '' where nobody has placed it: claims of orders that no location was chosen for
    account text NOT NULL DEFAULT '',  -- whose word it is
    basis text NOT NULL DEFAULT 'available' CHECK (basis IN ('available', 'on_hand')),
    told numeric(18, 4) NOT NULL DEFAULT 0,
    held_back numeric(18, 4) NOT NULL DEFAULT 0,  -- of an on_hand: damaged and safety
    reserved numeric(18, 4) NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    covered numeric(18, 4) NOT NULL DEFAULT 0 CHECK (covered >= 0 AND covered <= reserved),  -- claims that `told` already leaves out
    short numeric(18, 4) NOT NULL DEFAULT 0 CHECK (short >= 0),
    free numeric(18, 4) GENERATED ALWAYS AS (told - held_back - reserved + covered) STORED,
    on_hand numeric(18, 4),
    allocated numeric(18, 4),
    in_transit numeric(18, 4),
    safety numeric(18, 4),
    damaged numeric(18, 4),
    as_of timestamptz NOT NULL DEFAULT 'epoch',
    version text NOT NULL DEFAULT '',
    seq bigint,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sku, location),
    CONSTRAINT never_oversold CHECK (reserved - covered - short <= told - held_back)
);
CREATE INDEX shelves_location ON shelves (location, sku);
CREATE INDEX shelves_short ON shelves (sku) WHERE short > 0;

ALTER TABLE reservations               -- the claims
    ALTER COLUMN subject_id DROP NOT NULL,
    ADD COLUMN location text NOT NULL DEFAULT '',
    ADD COLUMN claim text NOT NULL DEFAULT '',       -- what is reserved, extended, released together
    ADD COLUMN holder text NOT NULL DEFAULT '',      -- who claims it, where that is no order of a channel
    ADD COLUMN content text NOT NULL DEFAULT '',     -- what was asked under this key
    ADD COLUMN bundle text NOT NULL DEFAULT '',      -- sold as a part of this
    ADD COLUMN per numeric(18, 4) NOT NULL DEFAULT 1,  -- pieces for each one sold
    ADD COLUMN covered boolean NOT NULL DEFAULT false,
    ADD COLUMN returned numeric(18, 4) NOT NULL DEFAULT 0 CHECK (returned >= 0),
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now(),
    DROP CONSTRAINT reservations_state_check,
    ADD CONSTRAINT reservations_state_check CHECK (state IN ('open', 'released', 'committed', 'expired')),
    ADD CONSTRAINT reservations_returned CHECK (returned <= shipped);
DROP INDEX reservations_sku;
CREATE INDEX reservations_shelf ON reservations (sku, location) WHERE state = 'open';
CREATE INDEX reservations_claim ON reservations (claim) WHERE claim <> '';
CREATE INDEX reservations_expiry ON reservations (expires_at) WHERE state = 'open' AND expires_at IS NOT NULL;

CREATE TABLE movements (               -- each movement once, under its source's own number
    source text NOT NULL,
    number text NOT NULL,
    n smallint NOT NULL DEFAULT 0,     -- a transfer has two legs
    kind text NOT NULL,
    sku text NOT NULL,
    location text NOT NULL,
    quantity numeric(18, 4) NOT NULL,  -- signed: out of the location is negative
    at timestamptz NOT NULL,           -- when it happened, by its source's clock, never later than it was told
    seq bigint,                        -- the source's own sequence, where it has one
    known_at timestamptz,              -- since when the owner's `available` leaves it out
    claim text NOT NULL DEFAULT '',
    lot text NOT NULL DEFAULT '',
    lot_expires date,
    content text NOT NULL DEFAULT '',
    told_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, number, n)
);
CREATE INDEX movements_shelf ON movements (sku, location, at);
CREATE INDEX movements_lot ON movements (sku, location, lot) WHERE lot <> '';

CREATE TABLE parts (                   -- bundles, kits and packs: what one of them is made of
    bundle text NOT NULL,
    sku text NOT NULL,
    quantity numeric(18, 4) NOT NULL CHECK (quantity > 0),
    account text NOT NULL DEFAULT '',
    PRIMARY KEY (bundle, sku)
);
CREATE INDEX parts_sku ON parts (sku);

CREATE TABLE tellings (                -- what each channel was told and when: the newest of each SKU are kept
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    sku text NOT NULL,
    quantity numeric(18, 4) NOT NULL,
    available numeric(18, 4),          -- what was truly there when it was told
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tellings_sku ON tellings (sku, account, id DESC);

CREATE TABLE observed (                -- what an account that owns no stock says it has: evidence for drift
    account text NOT NULL,
    sku text NOT NULL,
    location text NOT NULL,
    quantity numeric(18, 4),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, sku, location)
);

CREATE TABLE drifts (                  -- both sides of what does not agree, until the next look agrees
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,                -- erp, warehouse, channel, ledger, short
    account text NOT NULL,
    sku text NOT NULL,
    location text NOT NULL,
    ours numeric(18, 4),
    theirs numeric(18, 4),
    evidence jsonb NOT NULL DEFAULT '{}',
    repair text NOT NULL DEFAULT '',   -- what mends it: tell, take, recount
    seen integer NOT NULL DEFAULT 1,
    since timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz
);
CREATE UNIQUE INDEX drifts_open ON drifts (kind, account, sku, location) WHERE closed_at IS NULL;

CREATE TABLE drift_reach (             -- how far the last look at an account came
    account text PRIMARY KEY,
    sku text NOT NULL
);

CREATE TABLE api_keys (                -- partners' keys; only a digest is kept
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,                -- the partner, who may hold several while one replaces another
    prefix text NOT NULL UNIQUE,       -- what is shown of it, and found by
    digest bytea NOT NULL,
    scopes text[] NOT NULL DEFAULT '{}',
    channel text NOT NULL DEFAULT '',  -- whose rules of availability hold
    locations text[] NOT NULL DEFAULT '{}',  -- where it may move stock
    per_minute integer NOT NULL DEFAULT 600,
    made_at timestamptz NOT NULL DEFAULT now(),
    made_by text NOT NULL DEFAULT '',
    expires_at timestamptz,
    revoked_at timestamptz,
    used_at timestamptz
);
CREATE INDEX api_keys_name ON api_keys (name);

CREATE TABLE api_answers (             -- what was answered under an idempotency key
    key_name text NOT NULL,
    idempotency_key text NOT NULL,
    content text NOT NULL,
    status smallint NOT NULL DEFAULT 0,
    body bytea NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key_name, idempotency_key)
);
CREATE INDEX api_answers_at ON api_answers (at);

-- What was known before: each position becomes a shelf; claims stand at no location; what the warehouse was asked for is covered there.
INSERT INTO shelves (sku, location, account, told, version, as_of)
SELECT DISTINCT ON (sku, location) sku, location, account, available, version, as_of FROM positions ORDER BY sku, location, as_of DESC;
INSERT INTO shelves (sku, location)
SELECT DISTINCT sku, '' FROM reservations WHERE state = 'open' ON CONFLICT DO NOTHING;
UPDATE reservations SET claim = 'order:' || subject_id;
UPDATE reservations r SET covered = true WHERE state = 'open'
AND EXISTS (SELECT 1 FROM links l WHERE l.subject_id = r.subject_id AND l.kind = 'request');
UPDATE shelves s SET reserved = c.open, covered = c.covered, short = greatest(0, c.open - c.covered - s.told)
FROM (SELECT sku, sum(quantity - shipped) AS open, coalesce(sum(quantity - shipped) FILTER (WHERE covered), 0) AS covered
    FROM reservations WHERE state = 'open' GROUP BY sku) c WHERE c.sku = s.sku AND s.location = '';
