-- What an account with a catalogue of its own (an ERP) says of items and prices: its looks, its items, and the prices it told last.

CREATE TABLE catalogue_looks (         -- one look at an account: all of it, or what changed; a killed worker's successor goes on with it
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('whole', 'changed')),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
    since timestamptz,                 -- items changed from then on; NULL: all
    items integer NOT NULL DEFAULT 0,
    prices integer NOT NULL DEFAULT 0,
    mapped integer NOT NULL DEFAULT 0, -- cross references that came of it
    blocked integer NOT NULL DEFAULT 0,
    gone integer NOT NULL DEFAULT 0,
    unread integer NOT NULL DEFAULT 0, -- items whose prices could not be had
    before integer,                    -- items of the last look of its kind
    tries integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    said text NOT NULL DEFAULT '',
    run_id bigint,                     -- the run of prices that came of it
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE UNIQUE INDEX catalogue_looks_open ON catalogue_looks (account) WHERE state = 'open';
CREATE INDEX catalogue_looks_done ON catalogue_looks (account, kind, id DESC);
CREATE TABLE catalogue_items (
    account text NOT NULL,
    id text NOT NULL,                  -- the account's own
    sku text NOT NULL,
    code text NOT NULL,                -- what the account calls it in orders and lists
    title text NOT NULL DEFAULT '',
    barcode text NOT NULL DEFAULT '',
    unit text NOT NULL DEFAULT '',
    tax_code text NOT NULL DEFAULT '',
    state text NOT NULL CHECK (state IN ('active', 'blocked', 'gone')),
    said boolean NOT NULL DEFAULT false, -- that it was blocked or deleted is a case
    why text NOT NULL DEFAULT '',      -- what of it could not be taken
    told_at timestamptz,               -- when it was changed there, as the account says
    look bigint NOT NULL DEFAULT 0,    -- the last look that has read it whole
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, id)
);
CREATE INDEX catalogue_items_sku ON catalogue_items (sku);
CREATE TABLE catalogue_prices (        -- the prices of an item as they were told last: together they are what a file would be
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    sku text NOT NULL,
    price_list text NOT NULL,
    currency text NOT NULL,
    min_quantity numeric(18, 4) NOT NULL,
    amount numeric NOT NULL,           -- as fine as it was told: the gates refuse what cannot be paid
    compare_at numeric,
    taxes_included boolean,
    valid_from timestamptz,            -- NULL: since it was told
    valid_until timestamptz,
    since timestamptz NOT NULL         -- when it was told first
);
ALTER TABLE prices_told ADD COLUMN valid_until timestamptz;  -- until when what is reduced is reduced, as it was told: some channels end it themselves
CREATE INDEX catalogue_prices_sku ON catalogue_prices (account, sku);
