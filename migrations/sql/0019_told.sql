-- What an order's channel told last by our API: the same content again is a duplicate only while nothing else was told since.
-- Constant defaults rewrite no rows (https://www.postgresql.org/docs/18/ddl-alter.html#DDL-ALTER-ADDING-A-COLUMN).
ALTER TABLE subjects ADD COLUMN told text NOT NULL DEFAULT '';  -- a delivery id
ALTER TABLE listeners
    ADD COLUMN failures integer NOT NULL DEFAULT 0,             -- in a row: it did not answer
    ADD COLUMN rests_until timestamptz;                         -- until then nobody calls it
ALTER TABLE api_answers
    ADD COLUMN headers jsonb NOT NULL DEFAULT '{}',             -- those of the answer that are its own (Location)
    ADD COLUMN kept jsonb NOT NULL DEFAULT '[]';                -- the deliveries that it acknowledges: id, hash of the body
