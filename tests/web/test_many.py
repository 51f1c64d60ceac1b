"""Many steps at once: counted before anybody presses, done by a worker slice by slice, paused, resumed and stopped on the way."""

from __future__ import annotations

import pytest

from tests.web.conftest import Hub, Person

MADE = """
WITH s AS (INSERT INTO subjects (kind, account, external_id, waybill) VALUES ('order', 'shop', 'many', 'WBMANY') RETURNING id),
e AS (INSERT INTO events (account, door, topic, delivery_id, state)
    SELECT 'shop', 'webhook', 't', 'm-' || n, 'running' FROM generate_series(1, :n) n RETURNING id, at),
r AS (INSERT INTO runs (subject_id, event_id, event_at, flow, flow_version, difference, open_steps)
    SELECT s.id, e.id, e.at, f.flow, 1, e.id || f.flow, 1 FROM s, e, (VALUES ('order_placed'), ('order_changed')) f(flow)
    RETURNING id, subject_id, flow)
INSERT INTO steps (run_id, subject_id, flow, name, role, account, kind, state, key)
SELECT r.id, r.subject_id, r.flow, 'book_order', 'erp', 'shop', 'outer', 'dead', 'k' || r.id FROM r
"""
N = 1200


@pytest.fixture
def crowded(hub: Hub) -> Hub:
    """Events with two runs each, every run with one step that a person must look at."""
    hub.write("TRUNCATE steps, runs, subjects, events, audit, bulk_actions CASCADE")
    hub.write(MADE, n=N)
    return hub


def press(person: Person, path: str, **form: str) -> str:
    answer = person.press(path, **form)
    assert answer.status_code == 302, answer.status_code
    return answer.headers["Location"]


def states(hub: Hub, table: str = "steps") -> dict[str, int]:
    return {row.state: row.n for row in hub.rows(f"SELECT state, count(*) AS n FROM {table} GROUP BY state")}


def test_a_filter_is_counted_then_given_up_and_no_event_ends_before_its_last_run(crowded: Hub) -> None:
    from tasks.feeds import bulk

    person = crowded.come_in("operator")
    assert f"<b>{2 * N:,}</b>" in person.page("/admin/bulk/plan?action=cancel&account=shop")
    assert f"<b>{N:,}</b>" in person.page("/admin/bulk/plan?action=cancel&account=shop&flow=order_changed")
    press(person, "/admin/bulk/", action="cancel", account="shop", flow="order_changed", reason="a runaway import")
    bulk.run()
    assert states(crowded) == {"dead": N, "cancelled": N}
    assert states(crowded, "events") == {"running": N}
    page = press(person, "/admin/bulk/", action="cancel", account="shop", reason="the rest of it")
    bulk.run()
    assert states(crowded) == {"cancelled": 2 * N}
    assert states(crowded, "events") == {"superseded": N}
    assert f"<b>{N:,}</b> of {N:,}" in person.page(page)
    noted = crowded.rows(
        "SELECT who, reason, after, address FROM audit WHERE action = 'cancel steps by filter' ORDER BY id"
    )
    assert [(row.who, row.reason, row.after["preview"]) for row in noted] == [
        ("operator", "a runaway import", N),
        ("operator", "the rest of it", N),
    ]
    assert noted[0].address


def test_an_action_is_paused_resumed_and_stopped(crowded: Hub) -> None:
    from app.database import transaction
    from app.journal import bulk

    person = crowded.come_in("operator")
    page = press(person, "/admin/bulk/", action="retry", account="shop", reason="the ERP is well again")
    action = int(page.rsplit("/", 1)[1])
    with transaction() as tx:
        assert bulk.advance(tx, action) is not None
    assert states(crowded) == {"dead": 2 * N - bulk.RETRY_SIZE, "ready": bulk.RETRY_SIZE}
    press(person, f"{page}/pauses", reason="too much at once", back=page)
    with transaction() as tx:
        assert bulk.advance(tx, action) is None
    press(person, f"{page}/resumptions", reason="now", back=page)
    with transaction() as tx:
        assert bulk.advance(tx, action) is not None
    press(person, f"{page}/stops", reason="enough", back=page)
    with transaction() as tx:
        assert bulk.advance(tx, action) is None
    assert states(crowded)["ready"] == 2 * bulk.RETRY_SIZE
    assert crowded.one("SELECT count(*) FROM steps WHERE state = 'ready' AND lane = 1") == 2 * bulk.RETRY_SIZE
    assert "enough" in person.page("/admin/audit/")


def test_a_held_orders_steps_are_not_retried(crowded: Hub) -> None:
    """Only the release of its hold lets an order go on."""
    from tasks.feeds import bulk

    crowded.write("UPDATE steps SET state = 'parked', fact = '@hold:1' WHERE flow = 'order_changed'")
    person = crowded.come_in("operator")
    assert f"<b>{N:,}</b>" in person.page("/admin/bulk/plan?action=retry&account=shop")
    press(person, "/admin/bulk/", action="retry", account="shop", reason="the ERP is well again")
    bulk.run()
    assert states(crowded) == {"ready": N, "parked": N}


def test_two_workers_never_take_the_same_slice(crowded: Hub) -> None:
    from app.database import transaction
    from app.journal import bulk

    with transaction() as tx:
        action = bulk.ask(tx, "retry", bulk.Filter(account="shop", states=bulk.RETRIED), "tester", "why not")
    with transaction() as one:
        assert bulk.advance(one, action) is not None
        with transaction() as two:
            assert bulk.advance(two, action) is None


@pytest.mark.parametrize("query", ["action=delete", "action=retry&state=done", "older=soon"])
def test_what_is_no_filter_is_refused(crowded: Hub, query: str) -> None:
    assert crowded.come_in("operator").get(f"/admin/bulk/plan?{query}").status_code == 400
