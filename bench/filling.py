"""A journal with a past: orders that were carried out, or wait, laid down by SQL in the millions."""

from __future__ import annotations

import psycopg

Rows = psycopg.Connection[tuple[object, ...]]
SLICE = 20_000
# One order's rows: ids follow from its number i; it ended up to 25 days ago. Documents for every hundredth (an order's page shows
# one); customers (five orders each), fulfilments and returns for every tenth.
ENDED = (
    """INSERT INTO subjects (id, kind, account, external_id, waybill, number, state, version, content, roles, customer, email, amount, currency,
        placed_at, created_at, updated_at) OVERRIDING SYSTEM VALUE
    SELECT i, 'order', 'shop', 'L' || i, 'WB' || lpad(i::text, 8, '0'), 'L' || i, 'shipped', '2026', md5(i::text), '{}', 'Person ' || i % 50000,
        'p' || i % 50000 || '@shop.example', 59.80, 'EUR', t, t, t FROM past""",
    """INSERT INTO deliveries (account, delivery_id, event_id, first_at, last_at) SELECT 'shop', 'past-' || i, i, t, t FROM past""",
    """INSERT INTO events (id, at, account, door, topic, delivery_id, state, subject_id, rung_at, ended_at)
    SELECT i, t, 'shop', 'webhook', 'order.placed', 'past-' || i, 'applied', i, t, t FROM past""",
    """INSERT INTO runs (id, subject_id, event_id, event_at, flow, flow_version, difference, state, created_at, ended_at)
    OVERRIDING SYSTEM VALUE SELECT i, i, i, t, 'bench_order', 1, 'placed', 'done', t, t FROM past""",
    """INSERT INTO steps (id, run_id, subject_id, flow, name, role, account, kind, state, channel, key, due_at, fence, tries, result,
        created_at, updated_at, ended_at) OVERRIDING SYSTEM VALUE
    SELECT 4 * i + k - 1, i, i, 'bench_order', (ARRAY['book_order', 'request_fulfilment', 'acknowledge_order', 'notify_customer'])[k],
        'any', (ARRAY['erp', 'warehouse', 'shop', 'letters'])[k], 'outer', CASE WHEN i % 1000 = 0 AND k = 4 THEN 'dead' ELSE 'done' END,
        'shop', 'past-' || i || '-' || k, t, 1, 1, '1', t, t, t FROM past, generate_series(1, 4) k""",
    """INSERT INTO attempts (id, at, step_id, run_id, subject_id, account, n, fence, outcome, seconds, calls, worker)
    SELECT 10 * i + k - 1, t, 4 * i + (k - 1) % 4, i, i, (ARRAY['erp', 'warehouse', 'shop', 'letters'])[1 + (k - 1) % 4], 1 + k / 4, 1,
        CASE WHEN k > 6 THEN 'done' ELSE 'retry' END, 0.05, 1, 'past' FROM past, generate_series(1, 10) k""",
    """INSERT INTO links (account, kind, ours, theirs, subject_id, at) SELECT 'erp', 'order', 'L' || i, 'B' || i, i, t FROM past""",
    """INSERT INTO order_states (subject_id, machine, part, state, since, account)
    SELECT i, 'order', '', 'reconciled', t, 'shop' FROM past""",
    """INSERT INTO order_moves (subject_id, machine, part, before, moves, after, account, at)
    SELECT i, 'order', '', 'placed', ARRAY['book'], 'booked', 'erp', t FROM past""",
    """INSERT INTO deadlines (subject_id, kind, part, due_at, state, ended_at) SELECT i, 'reconcile', '', t, 'passed', t FROM past""",
    """INSERT INTO reservations (key, claim, subject_id, line_id, sku, location, quantity, shipped, state, at, changed_at, closed_at)
    SELECT 'past-' || i, 'order:' || i, i, '1', 'PAST-' || i % 20000, 'main', 1, 1, 'committed', t, t, t FROM past""",
    """INSERT INTO customers (id, rule, match_key, created_at) OVERRIDING SYSTEM VALUE
    SELECT DISTINCT ON (i - i % 50) i - i % 50, 'email', 'past-' || i - i % 50, t FROM past WHERE i % 10 = 0 AND i >= 50 ON CONFLICT DO NOTHING""",
    """INSERT INTO customer_names (customer_id, kind, hash)
    SELECT DISTINCT i - i % 50, 'email', md5((i - i % 50)::text) FROM past WHERE i % 10 = 0 AND i >= 50 ON CONFLICT DO NOTHING""",
    """INSERT INTO customer_orders (subject_id, customer_id, rule, at)
    SELECT i, i - i % 50, 'email', t FROM past WHERE i % 10 = 0 AND i >= 50""",
    """INSERT INTO fulfilments (id, subject_id, number, location, method, state, lines, created_at, updated_at) OVERRIDING SYSTEM VALUE
    SELECT i, i, 'WB' || lpad(i::text, 8, '0') || '-F1', 'main', 'ship', 'shipped', '[]', t, t FROM past WHERE i % 10 = 0""",
    """INSERT INTO return_requests (id, subject_id, number, state, lines, key, created_at, updated_at) OVERRIDING SYSTEM VALUE
    SELECT i, i, 'WB' || lpad(i::text, 8, '0') || '-R1', 'closed', '[]', 'past-' || i, t, t FROM past WHERE i % 10 = 0""",
    """INSERT INTO documents (subject_id, at, body) SELECT i, t, %(body)s::jsonb FROM past WHERE i %% 100 = 0""",
)
SHOWN = "UPDATE subjects s SET document_id = d.id FROM documents d WHERE d.subject_id = s.id AND s.document_id IS NULL"
PAST = "WITH past AS MATERIALIZED (SELECT i, now() - make_interval(secs => 2160000.0 * (%(last)s - i) / %(all)s) AS t"
PAST += " FROM generate_series(%(first)s::bigint, %(until)s::bigint) i) "
SEQUENCES = {
    "subjects": ("pg_get_serial_sequence('subjects', 'id')", 1),
    "runs": ("pg_get_serial_sequence('runs', 'id')", 1),
    "customers": ("pg_get_serial_sequence('customers', 'id')", 1),
    "fulfilments": ("pg_get_serial_sequence('fulfilments', 'id')", 1),
    "return_requests": ("pg_get_serial_sequence('return_requests', 'id')", 1),
    "steps": ("pg_get_serial_sequence('steps', 'id')", 4),
    "events": ("'event_ids'", 1),
    "attempts": ("'attempt_ids'", 10),
}
# Steps that wait for their time, or that may be rung: one run and one step for each subject.
WAITING = """
WITH s AS (INSERT INTO subjects (kind, account, external_id, waybill, number, roles)
    SELECT 'order', 'shop', %(mark)s || i, 'WQ' || %(mark)s || i, %(mark)s || i, '{}' FROM generate_series(1, %(many)s) i RETURNING id),
r AS (INSERT INTO runs (subject_id, flow, flow_version, difference, open_steps) SELECT id, 'bench_order', 1, 'placed', 1 FROM s
    RETURNING id, subject_id)
INSERT INTO steps (run_id, subject_id, flow, name, role, account, kind, state, channel, key, due_at, armed)
SELECT id, subject_id, 'bench_order', 'notify_customer', 'notify', %(account)s, 'outer', 'ready', 'shop', 'q-' || id,
    now() + make_interval(secs => %(later)s::double precision), %(later)s::double precision <= 0 FROM r
"""


def past(connection: Rows, orders: int, body: str) -> None:
    """So many orders that have ended, ten attempts each, slice by slice; then what the planner knows is brought up to date."""
    found = connection.execute(
        "SELECT greatest((SELECT max(id) FROM subjects), (SELECT last_value FROM event_ids), 0)"
    ).fetchone()
    first = int(str(found[0] if found else 0)) + 1
    last = first + orders - 1
    for start in range(first, last + 1, SLICE):
        values = {"first": start, "until": min(last, start + SLICE - 1), "last": last, "all": orders, "body": body}
        with connection.transaction():
            for statement in ENDED:
                plain = statement if "%(body)s" in statement else statement.replace("%", "%%")
                connection.execute((PAST + plain).encode(), values)
    connection.execute(SHOWN.encode())
    for name, times in SEQUENCES.values():
        connection.execute(f"SELECT setval({name}, {times * (last + 1)})".encode())
    connection.execute("VACUUM (ANALYZE, PARALLEL 0)")


def waiting(connection: Rows, many: int, account: str, later: float, mark: str) -> None:
    """So many steps of one account, due `later` seconds from now; slice by slice."""
    for n in range(0, many, SLICE):
        values = {"many": min(SLICE, many - n), "account": account, "later": later, "mark": f"{mark}{n}-"}
        connection.execute(WAITING.encode(), values)
    connection.execute("ANALYZE")
