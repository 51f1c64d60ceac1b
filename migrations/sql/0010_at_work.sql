-- Beat's jobs: none runs beside itself, and a frozen worker holds nobody up for longer than a lease.

CREATE TABLE at_work (                 -- which of beat's jobs a worker is at, under a lease: none runs beside itself
    job text PRIMARY KEY,
    until timestamptz NOT NULL
);
