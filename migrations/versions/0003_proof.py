"""The proof (the journal's own name, each channel's hours, every difference), errands at an account, and sessions that a logout ends."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = """
CREATE TABLE journal (                 -- the name of this database, which a log kept outside it bears
    id text PRIMARY KEY
);
INSERT INTO journal (id) VALUES (replace(gen_random_uuid()::text, '-', ''));

CREATE TABLE proofs (                  -- one row for each channel and hour, as it was last proved
    channel text NOT NULL,
    hour timestamptz NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    figures jsonb NOT NULL,
    unproved jsonb NOT NULL DEFAULT '[]',
    inputs text NOT NULL,
    differences integer NOT NULL,
    final boolean NOT NULL,
    PRIMARY KEY (channel, hour)
);
CREATE INDEX proofs_hour ON proofs (hour DESC, channel);
CREATE INDEX proofs_open ON proofs (hour) WHERE NOT final;

CREATE TABLE proof_differences (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel text NOT NULL,
    hour timestamptz NOT NULL,
    kind text NOT NULL,
    account text NOT NULL,             -- whose word disagrees with the journal's
    about text NOT NULL,               -- the delivery, order or record that it is about
    subject_id bigint,
    ours text NOT NULL,
    theirs text NOT NULL,
    first_at timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz
);
CREATE UNIQUE INDEX proof_differences_open ON proof_differences (channel, hour, kind, account, about) WHERE closed_at IS NULL;
CREATE INDEX proof_differences_hour ON proof_differences (channel, hour, id);

CREATE TABLE errands (                 -- what a person asks a worker to do at an account
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL,
    what text NOT NULL,
    by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    began_at timestamptz,
    ended_at timestamptz,
    said text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX errands_open ON errands (account, what) WHERE ended_at IS NULL;
CREATE INDEX errands_account ON errands (account, id DESC);

ALTER TABLE users ADD COLUMN mark text NOT NULL DEFAULT '';  -- changed at a logout: every session begun before it is over

CREATE INDEX events_at ON events USING brin (at) WITH (pages_per_range = 16);
CREATE INDEX subjects_placed ON subjects (account, placed_at) WHERE kind = 'order';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(STATEMENTS)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        "ALTER TABLE users DROP COLUMN mark; DROP TABLE errands, proof_differences, proofs, journal; DROP INDEX events_at, subjects_placed"
    )
