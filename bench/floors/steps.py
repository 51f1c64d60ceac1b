"""Floor (ii), the least that a journal of steps can cost: claim, COMMIT, POST, conclude, COMMIT; psycopg and requests, no framework.

`python -m bench.floors.steps` works until no step is left. An order's next step opens when the last is concluded; the oldest order first.
"""

from __future__ import annotations

import os

import psycopg
import requests

SCHEMA = """
CREATE TABLE IF NOT EXISTS floor_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea, at timestamptz DEFAULT now());
CREATE TABLE IF NOT EXISTS floor_steps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL, n smallint NOT NULL, state text NOT NULL,
    body text NOT NULL, lease_until timestamptz, result text);
CREATE INDEX IF NOT EXISTS floor_ready ON floor_steps (order_id, n) WHERE state = 'ready';
CREATE UNIQUE INDEX IF NOT EXISTS floor_order ON floor_steps (order_id, n)
"""
CLAIM = """
UPDATE floor_steps SET state = 'running', lease_until = now() + interval '60 seconds' WHERE id = (
    SELECT id FROM floor_steps WHERE state = 'ready' ORDER BY order_id, n LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, order_id, n, body
"""
CONCLUDE = """
WITH done AS (UPDATE floor_steps SET state = 'done', result = %s WHERE id = %s AND state = 'running')
UPDATE floor_steps SET state = 'ready' WHERE order_id = %s AND n = %s
"""
LAY = """
INSERT INTO floor_steps (order_id, n, state, body)
SELECT o, n, CASE WHEN n = 1 THEN 'ready' ELSE 'waiting' END, %s FROM generate_series(1, %s) o, generate_series(1, 4) n
"""


def lay(connection: psycopg.Connection[tuple[object, ...]], orders: int, body: str) -> None:
    """So many orders of four steps each, and nothing else."""
    connection.execute("TRUNCATE floor_steps")
    connection.execute(LAY, (body, orders))
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE floor_steps")
    connection.autocommit = False


def work(connection: psycopg.Connection[tuple[object, ...]], session: requests.Session, sink: str) -> int:
    done = 0
    while True:
        step = connection.execute(CLAIM).fetchone()
        connection.commit()
        if step is None:
            return done
        name, order, n, body = step
        answer = session.post(f"{sink}/steps/{n}", data=str(body), timeout=5)
        answer.raise_for_status()
        connection.execute(CONCLUDE, (answer.json()["id"], name, order, int(str(n)) + 1))
        connection.commit()
        done += 1


def main() -> None:
    session = requests.Session()
    session.trust_env = False
    with psycopg.connect(os.environ["FLOOR_DATABASE_URL"]) as connection:
        work(connection, session, os.environ["FLOOR_SINK"])


if __name__ == "__main__":
    main()
