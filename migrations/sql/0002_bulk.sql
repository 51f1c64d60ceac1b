-- Actions on many steps at once, done in slices by a worker, and calls that no attempt counts.

CREATE TABLE bulk_actions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action text NOT NULL,              -- retry, cancel, replay
    wanted jsonb NOT NULL,             -- the filter
    who text NOT NULL,
    reason text NOT NULL,
    state text NOT NULL DEFAULT 'open', -- open, paused, stopped, done
    found bigint NOT NULL,             -- what the filter took when it was asked for
    done bigint NOT NULL DEFAULT 0,
    reached bigint NOT NULL DEFAULT 0, -- the last id that was looked at
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz
);
CREATE INDEX bulk_actions_open ON bulk_actions (id) WHERE state = 'open';

CREATE INDEX deliveries_last ON deliveries USING brin (last_at);

CREATE TABLE usage (                   -- calls of polls and watches, by hour, so that a daily quota can be recounted
    account text NOT NULL,
    hour timestamptz NOT NULL,
    operation text NOT NULL,
    calls bigint NOT NULL,
    PRIMARY KEY (account, hour, operation)
);
