"""What a sceptical reader found in the engine: one story for each."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import nullcontext, suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import sqlalchemy.exc
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from connectors.kit.account import Account
from connectors.kit.errors import Ambiguous
from connectors.kit.http import Http
from tests.world import World


def test_a_cancellation_after_an_edit_withdraws_the_second_request(acme: World) -> None:
    """An undo is known by the flow of what it undoes: under another flow's name no worker has its task."""
    from tasks.worker import app

    order = acme.order()
    acme.pump()
    lines = [{**line, "current_quantity": "1"} for line in order["lines"]]
    edited = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"lines": lines})
    acme.deliver("order.changed", edited)
    acme.pump()
    cancelled = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/cancellation", json={})
    acme.deliver("order.cancelled", cancelled)
    acme.pump()
    assert {f"{row.flow}.{row.name}" for row in acme.rows("SELECT flow, name FROM steps")} <= set(app.tasks)
    assert acme.states()["order_changed.withdraw_again"] == "done"
    assert acme.settled()


def test_reserved_stock_is_told_to_the_channels(acme: World) -> None:
    """What is marked is the SKU, not its letters."""
    order = acme.order()
    acme.pump()
    marked = {row.sku for row in acme.rows("SELECT sku FROM dirty")}
    assert marked == {line["sku"] for line in order["lines"]}


def test_an_event_that_was_merged_ends(acme: World) -> None:
    """It has no run of its own that could end it."""
    order = acme.order()
    acme.turn()
    edited = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"note": "gift wrap"})
    acme.deliver("order.changed", edited)
    acme.pump()
    assert not acme.one("SELECT count(*) FROM runs WHERE flow = 'order_changed'")
    assert acme.settled()


def test_a_change_that_concerns_no_step_ends(acme: World) -> None:
    """A run without an open step is no run that later edits could be merged into."""
    order = acme.order(payment_status="pending")
    acme.pump()
    paid = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"payment_status": "paid"})
    acme.deliver("order.changed", paid)
    acme.pump()
    assert acme.settled()
    noted = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"note": "ring twice"})
    acme.deliver("order.changed", noted)
    acme.pump()
    assert acme.settled()
    assert len(acme.effects("erp")["amended"]) == 1


def test_two_runs_of_one_event_that_end_at_once(acme: World) -> None:
    """Each sees the other's run still open, unless they take turns at their event."""
    from threading import Thread

    from app.database import transaction
    from app.journal import steps

    acme.order()
    acme.turn()
    event = acme.rows("SELECT id, at FROM events")[0]
    with transaction() as tx:
        tx.execute(text("DELETE FROM waits"))
        tx.execute(text("UPDATE runs SET open_steps = 1"))
        tx.execute(COPY)
    runs = [row.id for row in acme.rows("SELECT id FROM runs ORDER BY id")]

    def other() -> None:
        with transaction() as tx:
            steps.close_run(tx, runs[1], 1)

    with transaction() as tx:
        steps.close_run(tx, runs[0], 1)
        late = Thread(target=other)
        late.start()
        late.join(0.5)
    late.join()
    assert acme.one("SELECT state FROM events WHERE id = :id", id=event.id) == "applied"


COPY = text("""
INSERT INTO runs (subject_id, event_id, event_at, flow, flow_version, difference, open_steps)
SELECT subject_id, event_id, event_at, flow, flow_version, 'another', 1 FROM runs
""")


def test_what_ships_is_taken_off_after_it_was_reserved(acme: World) -> None:
    """An order that comes in with its shipment: no worker may commit the stock before another has reserved it."""
    order = acme.place()
    lines = [{"line_id": line["id"], "sku": line["sku"], "quantity": line["quantity"]} for line in order["lines"]]
    parcel = {"id": "par-1", "status": "shipped", "lines": lines, "trackings": [{"number": "T1", "carrier": "dhl"}]}
    at = "2030-01-01T00:00:00.000000Z"
    acme.deliver("order.placed", {**order, "shipments": [{**parcel, "updated_at": at, "shipped_at": at}]})
    receive_all(acme)
    assert acme.states()["order_shipped.commit_stock"] == "waiting"
    acme.pump()
    assert acme.one("SELECT count(*) FROM reservations WHERE state = 'open'") == 0


def receive_all(world: World) -> None:
    from tasks.receive import receive

    for row in world.rows("SELECT id FROM events WHERE state = 'accepted' ORDER BY id"):
        receive(row.id)


def test_a_read_that_fails_between_two_writes_forgets_neither(acme: World) -> None:
    """What was made is kept before anything else may fail: the next attempt does not make it again."""
    from connectors.kit.errors import Transient
    from connectors.kit.writes import Write, Writes

    work = booking(acme)

    def unanswered(customer: str) -> str:
        raise Transient(f"the look-up of {customer} between the writes was not answered")

    def looks_between() -> Writes:
        address = unanswered((yield Write("customer", lambda: "c-1", lambda: None)))
        return (yield Write("order", lambda: address, lambda: None))

    with pytest.raises(Transient):
        work.carry_out(looks_between())
    assert acme.rows("SELECT name, result FROM calls")[0] == ("customer", "c-1")


def test_like_writes_of_one_step_are_each_made(acme: World) -> None:
    """A worker died after the first of two withdrawals: the next one knows that one, and not the other by it."""
    from connectors.kit.writes import Write, Writes

    work, made = booking(acme), list[str]()

    def withdrawal(sale: str) -> Write:
        return Write("keyed", lambda: made.append(sale) or sale, lambda: None)

    def writes(dies: bool) -> Writes:
        first = yield withdrawal("s-2")
        if dies:
            raise SystemExit
        return f"{first} {(yield withdrawal('s-1'))}"

    with pytest.raises(SystemExit):
        work.carry_out(writes(dies=True))
    work.context = replace(work.context, calls=known(acme))
    assert work.carry_out(writes(dies=False)) == "s-2 s-1"
    assert made == ["s-2", "s-1"]
    assert work.rule("keyed#2") == work.rule("keyed")


def known(world: World) -> dict[str, tuple[str | None, str | None]]:
    """What a worker reads of the writes that were made."""
    return {row.name: (row.result, row.job) for row in world.rows("SELECT name, result, job FROM calls")}


def test_a_lease_that_ran_out_before_a_result_was_kept(acme: World) -> None:
    """No sweep has seen it yet, so the late word still counts: what was made is in doubt and looked up, not made again."""
    from app.database import transaction
    from connectors.kit.errors import LeaseLost
    from connectors.kit.writes import Write, Writes
    from tasks.engine.act import Acted
    from tasks.engine.loop import _concluded, _judged

    work = booking(acme)

    def writes() -> Writes:
        yield Write("customer", lambda: "c-1", lambda: None)
        return (yield Write("order", lambda: "o-1", lambda: None))

    with transaction() as tx:
        tx.execute(text("UPDATE steps SET lease_until = now() WHERE id = :id"), {"id": work.step.id})
    with pytest.raises(LeaseLost) as lost:
        work.carry_out(writes())
    _concluded(work, _judged(work, lost.value), Acted())
    row = acme.rows("SELECT state, doubtful, sent_at FROM steps WHERE id = :id", id=work.step.id)[0]
    assert (row.state, row.doubtful) == ("unknown", True)
    assert row.sent_at is not None


def booking(world: World) -> Any:
    """A booking that a worker has just claimed."""
    from tasks.engine.loop import _claimed

    world.order()
    world.pump(until=lambda: world.states().get("order_placed.book_order") == "ready")
    return _claimed(world.one("SELECT id FROM steps WHERE name = 'book_order'"), 4.0, time.monotonic())


def test_a_delivery_that_the_journal_cannot_keep_is_quarantined(acme: World) -> None:
    """Each ring would fail alike: it is shown with its cause, not rung again for ever; the next delivery goes through."""
    order = acme.place()
    acme.deliver("order.placed", {**order, "note": "a\x00b"})
    receive_all(acme)
    assert acme.events() == {"quarantined": 1}
    assert acme.one("SELECT status FROM cases") == "open"
    acme.deliver("order.placed", order, name="mended")
    acme.pump()
    assert acme.effects("erp")["bookings"] == {f"shop-{order['id']}": 1}


def test_a_fact_that_is_there_and_missed_all_the_same_is_parked(acme: World) -> None:
    """Mapped here, unknown there: a few tries, not one after the other for ever; then a person sees it."""
    from dataclasses import replace

    from tasks.engine.act import Acted
    from tasks.engine.judge import Verdict
    from tasks.engine.loop import _concluded

    work = booking(acme)
    missed = Verdict("parked", "parked", untried=True, fact=("erp", "sku", "WB-MUG"), code="missing_sku")
    work.step = replace(work.step, tries=4)
    _concluded(work, missed, Acted())
    assert acme.states()["order_placed.book_order"] == "parked"


def test_two_members_that_leave_a_case_at_once_close_it(acme: World) -> None:
    """Each sees the other still in it, unless they take turns."""
    from threading import Thread

    from app import cases
    from app.database import transaction

    with transaction() as tx:
        for member in ("step:1", "step:2"):
            cases.open_case(tx, "dead", "erp", "refused", "no", member=member)

    def other() -> None:
        with transaction() as tx:
            cases.leave(tx, "step:2")

    with transaction() as tx:
        cases.leave(tx, "step:1")
        late = Thread(target=other)
        late.start()
        late.join(0.5)
    late.join()
    assert acme.one("SELECT status FROM cases") == "resolved"


def test_a_step_that_loses_every_worker_is_for_a_person(acme: World) -> None:
    """Lost again and again, it ends dead with a case, and a retry begins anew."""
    from app.database import transaction

    acme.order()
    acme.pump(until=lambda: acme.states().get("order_placed.book_order") == "ready")
    with transaction() as tx:
        tx.execute(
            text("""UPDATE steps SET state = 'running', losses = 5, rung_at = NULL, armed = false,
                lease_until = now() - interval '1 second' WHERE name = 'book_order'""")
        )
    acme.turn()
    assert acme.states()["order_placed.book_order"] == "dead"
    assert acme.one("SELECT owner FROM cases WHERE code = 'lease_lost' AND status = 'open'") == "engineering"


def test_an_edit_that_is_merged_is_reserved_too(acme: World) -> None:
    """Reserved already, not booked yet: the rows follow the newer document."""
    order = acme.order()
    acme.pump(until=lambda: acme.states().get("order_placed.reserve_stock") == "done")
    lines = [{**line, "current_quantity": "1"} for line in order["lines"]]
    changed = acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"lines": lines})
    if acme.states()["order_placed.book_order"] == "ready":
        acme.deliver("order.changed", changed)
        acme.pump()
        assert acme.one("SELECT sum(quantity) FROM reservations WHERE state = 'open'") == len(lines)
        assert not acme.effects("erp")["amended"]


def test_a_dripping_answer_is_cut_off() -> None:
    """A byte now and then renews no time-out: the call ends near its own limit."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            with server.accept()[0] as wire, suppress(OSError):
                wire.recv(65536)
                wire.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
                for _ in range(100):
                    wire.sendall(b" ")
                    time.sleep(0.2)

        dripping = threading.Thread(target=drip)
        dripping.start()
        limits: Any = SimpleNamespace(leave=lambda *_: nullcontext())
        http = Http(Account("x", "acme", f"http://127.0.0.1:{server.getsockname()[1]}", timeout=1.0), limits)
        began = time.monotonic()
        with pytest.raises(Ambiguous):
            http.call("POST", "/", operation="x", write=True, json={})
        assert time.monotonic() - began < 6
        dripping.join()


def test_a_database_that_restarts_in_the_middle_of_a_step_is_no_fault_of_the_step(acme: World) -> None:
    """The failure lab: a session that ends between two writes costs no try, and what was sent is looked up."""
    from connectors.kit.writes import Write, Writes
    from tasks.engine.act import Acted
    from tasks.engine.loop import _concluded, _judged

    work = booking(acme)

    def writes() -> Writes:
        yield Write("customer", lambda: "c-1", lambda: None)
        end_all_sessions()
        return (yield Write("order", lambda: "o-1", lambda: None))

    with pytest.raises(OperationalError) as away:
        work.carry_out(writes())
    _concluded(work, _judged(work, away.value), Acted())
    row = acme.rows("SELECT state, doubtful, tries, code FROM steps WHERE id = :id", id=work.step.id)[0]
    assert (row.state, row.doubtful, row.tries, row.code) == ("unknown", True, 0, "journal_away")


def end_all_sessions() -> None:
    """What a restart does to the sessions of a database."""
    from sqlalchemy.engine import make_url

    plain = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_an_order_keeps_its_keys_when_our_numbers_go_back(acme: World) -> None:
    """The failure lab: a promoted standby that missed an order gives it another number; its effects keep their keys."""
    from tasks.reading.laying import key

    first: Any = SimpleNamespace(kind="order", account="shop", external_id="7", id=500, waybill="WB00000500")
    again: Any = SimpleNamespace(**{**vars(first), "id": 612, "waybill": "WB00000612"})
    other: Any = SimpleNamespace(**{**vars(first), "external_id": "8"})
    wanted: Any = ("order_placed", "placed", "book_order", "erp")
    assert key(again, *wanted) == key(first, *wanted)
    assert key(other, *wanted) != key(first, *wanted), "another order under a number that was given out before"


def test_numbers_are_skipped_after_a_promotion(acme: World) -> None:
    """Every sequence goes on behind what a lost primary may have given out, also beyond eight digits."""
    from app.database import transaction
    from app.journal.promoted import skip_numbers

    acme.order()
    acme.pump()
    last = acme.one("SELECT max(id) FROM subjects")
    with transaction() as tx:
        assert skip_numbers(tx, 100_000_000, "anna") >= 6
    acme.order()
    acme.pump()
    assert acme.one("SELECT max(id) FROM subjects") > last + 99_999_999
    assert acme.one("SELECT count(DISTINCT waybill) FROM subjects WHERE kind = 'order'") == 2
    assert acme.one("SELECT count(*) FROM audit WHERE action = 'skip numbers'") == 1


@pytest.mark.parametrize("how", ["refused", "silent"])
def test_a_broker_that_is_away_holds_nobody_up(acme: World, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """The failure lab: kombu's own pause of two seconds made every acknowledgement late while Redis was gone."""
    from app import bell

    took: list[float] = []

    def rings() -> None:
        assert not bell.ring_event(1), "the first one finds out, and makes the client"
        began = time.monotonic()
        for _ in range(20):
            assert not bell.ring_event(1)
            time.sleep(0.01)
        took.append(time.monotonic() - began)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if how == "refused":
            silent.close()
        monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{port}/0")
        ringer = threading.Thread(target=rings)  # a thread of its own has a producer of its own
        ringer.start()
        ringer.join()
    bell._quiet_until = 0.0
    assert took
    assert took[0] < 2.0


def test_a_pause_until_a_date_is_read_by_their_clock() -> None:
    """The failure lab: a worker whose clock is minutes away waits as long as the vendor said."""
    from connectors.kit.verdicts import retry_after

    told = {"retry-after": "Wed, 25 Nov 2020 10:00:30 GMT", "date": "Wed, 25 Nov 2020 10:00:00 GMT"}
    assert retry_after(told) == 30
    assert retry_after({"retry-after": told["retry-after"]}) == 0


def test_a_tick_outlives_clocks_that_are_apart() -> None:
    """The failure lab: beat's clock ten minutes behind a worker's must not make every tick of its expire."""
    from tasks.feeds.clock import beat_schedule

    assert all(entry["options"]["expires"] >= 600 for entry in beat_schedule().values())


def test_work_of_a_channel_that_was_taken_out_of_the_configuration_is_done(acme: World) -> None:
    """Its steps were laid when it was known; taking it out of the file must not let them wait for ever."""
    from app.database import transaction
    from app.journal import nourish

    acme.order()
    acme.pump(until=lambda: acme.states().get("order_placed.book_order") == "ready")
    with transaction() as tx:
        tx.execute(
            text(
                "UPDATE steps SET channel = 'a shop that was closed', rung_at = NULL WHERE state IN ('ready', 'waiting')"
            )
        )
    nourish._seen.clear()
    acme.pump(30)
    assert acme.states()["order_placed.acknowledge_order"] == "done"


def test_no_transaction_takes_a_second_connection(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one connection in all, whoever asked for a second one inside a transaction would wait for himself. Limits are read anew each time."""
    from app import database
    from app.accounts import entries
    from app.journal.reading import draining

    made = database.create_engine

    def narrow(url: str, **more: Any) -> Any:
        return made(url, **{**more, "pool_size": 1, "max_overflow": 0, "pool_timeout": 1})

    database.engine().dispose()
    database.engine.cache_clear()
    monkeypatch.setattr(database, "create_engine", narrow)
    monkeypatch.setattr(entries, "FRESH", -1.0)
    order = acme.order()
    acme.pump()
    acme.deliver("order.changed", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}", json={"note": "by hand"}))
    acme.pump()
    assert acme.settled()
    with database.transaction() as tx:
        assert draining.drain(tx, "erp").waiting == 0
        assert entries.ahead("erp", tx) >= 1
        with pytest.raises(sqlalchemy.exc.TimeoutError):
            entries.limits_of("erp")  # the trap holds: this one asks for a connection beside the open one
    database.engine().dispose()
    database.engine.cache_clear()
