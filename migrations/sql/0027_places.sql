-- A channel of several places is told of each by itself.
ALTER TABLE tellings ADD COLUMN location text NOT NULL DEFAULT '';
