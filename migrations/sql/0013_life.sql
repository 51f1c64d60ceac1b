-- The order's whole life: what the hub itself asks a channel to move, and how a return is paid out.

CREATE TABLE money_moves (             -- what the hub asks a channel to take or to give back, each decided once
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_id bigint NOT NULL,
    number text NOT NULL UNIQUE,       -- waybill-M1: our own number of it, and its run's difference
    kind text NOT NULL CHECK (kind IN ('capture', 'refund', 'charge')),
    cause text NOT NULL,               -- what for: a shipment, a return, a cancellation
    tender text NOT NULL,              -- the channel's name of the tender (gateway)
    parent text NOT NULL DEFAULT '',   -- the authorisation that is taken from
    amount numeric NOT NULL CHECK (amount > 0),
    currency text NOT NULL,
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'done')),
    moved_as text NOT NULL DEFAULT '', -- the channel's id of the transaction
    pending boolean NOT NULL DEFAULT false,  -- done, and not yet noted on the order
    decided_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz,
    UNIQUE (subject_id, kind, cause, tender, parent)
);
CREATE INDEX money_moves_pending ON money_moves (id) WHERE pending;
CREATE INDEX money_moves_asked ON money_moves (subject_id, cause) WHERE state = 'asked' AND kind = 'refund';
ALTER TABLE return_requests
    ADD COLUMN payer text NOT NULL DEFAULT 'channel' CHECK (payer IN ('channel', 'hub')),  -- who gives the money back
    ADD COLUMN replaced_by text NOT NULL DEFAULT '',        -- the waybill of the order in which what is wanted instead leaves
    ADD COLUMN pending boolean NOT NULL DEFAULT false;      -- it was received, and what follows is still to be done
CREATE INDEX return_requests_pending ON return_requests (id) WHERE pending;

CREATE TABLE day_sales (               -- till sales that come before the ERP as one booking of their till's day
    subject_id bigint PRIMARY KEY,
    account text NOT NULL,
    till text NOT NULL,
    day date NOT NULL,                 -- in the policy's time zone
    currency text NOT NULL,
    taxes_included boolean NOT NULL,
    summary text NOT NULL DEFAULT '',  -- the booking's own id, once it was made
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX day_sales_open ON day_sales (account, till, day) WHERE summary = '';
CREATE INDEX day_sales_summary ON day_sales (summary) WHERE summary <> '';

ALTER TABLE fulfilments
    ADD COLUMN purchase boolean NOT NULL DEFAULT false,     -- asked for by purchase order: it is accepted when the supplier acknowledges it
    ADD COLUMN promised_at timestamptz;                     -- when the supplier means to send it
