"""A channel without a connector tells its orders by the API, and they go the way of every other order."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.api.conftest import Market, money, order


def test_an_order_is_kept_answered_with_its_waybill_and_carried_on(market: Market) -> None:
    answer = market.mine.ask("POST", "/orders", order(), key="first")
    assert answer.status_code == 202
    waybill = answer.json["waybill"]
    assert answer.headers["Location"] == f"/api/v1/orders/{waybill}"
    assert market.world.one("SELECT door || ' ' || state FROM events") == "api accepted"
    before = market.mine.ask("GET", f"/orders/{waybill}").json
    assert (before["state"], before["id"]) == ("accepted", "M-1")
    market.world.pump()
    assert market.world.effects("erp")["bookings"] == {"market-M-1": 1}
    assert len(market.world.effects("warehouse")["requests"]) == 1
    states = market.world.states()
    assert states["order_placed.acknowledge_order"] == "skipped"  # it asks for itself
    now = market.mine.ask("GET", f"/orders/{waybill}").json
    assert (now["state"], now["number"]) == ("received", "#M-1")
    assert now["sentence"]
    assert now["next"]
    assert {"machine": "order", "part": "", "state": "released"}.items() <= now["parts"][-1].items() or any(
        part["machine"] == "order" and part["state"] in ("booked", "released") for part in now["parts"]
    )


def test_what_has_left_is_seen_with_its_tracking(market: Market) -> None:
    waybill = market.mine.place(order())
    market.world.pump()
    parcel = market.world.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={})
    market.world.deliver("shipment.sent", parcel, account="warehouse")
    market.world.pump()
    now = market.mine.ask("GET", f"/orders/{waybill}").json
    assert now["state"] == "shipped"
    (sent,) = now["parcels"]
    assert sent["number"] == parcel["trackings"][0]["number"]
    assert sorted((piece["quantity"], piece["title"]) for piece in sent["pieces"]) == [("1", "Mug"), ("2", "Tee")]
    by_id = market.mine.ask("GET", "/orders?id=M-1").json["orders"]
    assert [one["waybill"] for one in by_id] == [waybill]
    late = market.mine.ask("POST", f"/orders/{waybill}/cancellations", {})
    assert (late.status_code, late.json["type"]) == (409, "urn:waybill:problem:shipped")


def test_a_refund_that_names_pieces_needs_no_other_quantity_beside_it(market: Market) -> None:
    """The lines are told as they were sold: what came back is credited once, and nothing is taken for an edit."""
    waybill = market.mine.place(order())
    market.world.pump()
    parcel = market.world.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={})
    market.world.deliver("shipment.sent", parcel, account="warehouse")
    market.world.pump()
    line = order()["lines"][0]
    worth = line["unit_price"]
    piece = {"line_id": line["id"], "quantity": "1", "subtotal": worth, "tax": money("0.00")}
    paid = {"id": "back-0", "kind": "refund", "tender": "card", "gateway": "card", "amount": worth}
    refund = {"id": "back", "total": worth, "lines": [piece], "payments": [paid]}
    market.mine.place(order(updated_at=datetime.now(UTC).isoformat(), refunds=[refund]))
    market.world.pump()
    assert market.world.one("SELECT count(*) FROM runs WHERE flow = 'order_changed'") == 0
    assert market.world.states()["order_refunded.record_refund"] == "done"
    assert not market.world.effects("erp")["amended"]


def test_the_same_request_fifty_times_is_one_order(market: Market) -> None:
    """Under one key, under many keys, at the same instant: one event, one booking; every answer names one waybill."""
    with ThreadPoolExecutor(12) as crowd:
        same = [crowd.submit(market.mine.ask, "POST", "/orders", order(), "same") for _ in range(25)]
        other = [crowd.submit(market.mine.ask, "POST", "/orders", order(), f"other-{n}") for n in range(25)]
        answers = [one.result() for one in (*same, *other)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json["waybill"] for answer in answers}) == 1
    market.world.pump()
    assert market.world.one("SELECT count(*) FROM events") == 1
    assert market.world.effects("erp")["bookings"] == {"market-M-1": 1}
    reused = market.mine.ask("POST", "/orders", order("M-2"), "same")
    assert (reused.status_code, reused.json["type"]) == (422, "urn:waybill:problem:idempotency_key_reused")


def test_an_order_that_is_told_to_and_fro_ends_as_it_was_told_last(market: Market) -> None:
    """Without updated_at, and each edit carried out: A, B, A, B, A. What is said twice in a row is a duplicate, whatever its key."""
    told = {name: order(note=f"wrapped {name}") for name in ("A", "B")}
    told["B"]["lines"][0]["quantity"] = "1"
    for part, amount in (("lines", "28.40"), ("total", "33.30")):
        told["B"]["totals"][part] = money(amount)
    told["B"]["payments"][0]["amount"] = money("33.30")
    for name in ("A", "B", "A", "B", "A"):
        waybill = market.mine.place(told[name])
        again = market.mine.ask("POST", "/orders", told[name]).json
        assert (again["waybill"], again["duplicate"]) == (waybill, True)
        market.world.pump()
        assert _note(market) == f"wrapped {name}"
        (booked,) = market.world.ask("erp", "GET", "/_sim/state")["bookings"].values()
        assert f"wrapped {name}" in json.dumps(booked)
        asked = market.world.ask("warehouse", "GET", "/_sim/state")["requests"].values()
        (live,) = [one for one in asked if one["state"] == "open"]
        pieces = {line["sku"]: Decimal(line["quantity"]) for line in live["body"]["lines"]}
        assert pieces["WB-TEE"] == {"A": 2, "B": 1}[name]
    assert market.world.events() == {"applied": 5}
    assert market.world.effects("erp")["bookings"] == {"market-M-1": 1}


def test_to_and_fro_before_anything_is_read_is_the_last_word(market: Market) -> None:
    for note in ("A", "B", "A"):
        market.mine.place(order(note=note))
    market.world.pump()
    assert _note(market) == "A"


def _note(market: Market) -> str:
    """What the hub knows of its one order."""
    from connectors.canonical.codec import decode
    from connectors.canonical.order import Order

    known = decode(market.world.one("SELECT d.body FROM subjects s JOIN documents d ON d.id = s.document_id"))
    assert isinstance(known, Order)
    return known.note


def test_what_is_wrong_is_refused_before_it_is_kept(market: Market) -> None:
    off = order()
    off["totals"]["total"]["shop"]["amount"] = "53.21"
    as_number = order()
    as_number["lines"][0]["unit_price"]["shop"]["amount"] = 19.9
    mixed = order()
    mixed["lines"][0]["unit_price"]["shop"]["currency"] = "USD"
    unknown = order(colour="red")
    nameless = {name: value for name, value in order().items() if name != "id"}
    naive = order(placed_at="2026-11-20T10:00:00")
    for body, code in (
        (off, "money_gate"),
        (mixed, "currencies_mixed"),
        (as_number, "invalid"),
        (unknown, "invalid"),
        (nameless, "invalid"),
        (naive, "invalid"),
        (order(lines=[]), "invalid"),
    ):
        answer = market.mine.ask("POST", "/orders", body)
        assert (answer.status_code, answer.json["type"]) == (422, f"urn:waybill:problem:{code}"), answer.json
        assert answer.content_type == "application/problem+json"
    assert market.mine.ask("POST", "/orders", off).json["difference"] == "0.01"
    assert market.world.one("SELECT count(*) FROM events") == 0
    assert market.world.one("SELECT count(*) FROM api_answers") == 0


def test_nobody_sees_or_changes_anothers_order(market: Market) -> None:
    waybill = market.mine.place(order())
    market.world.pump()
    for method, path, body in (
        ("GET", f"/orders/{waybill}", None),
        ("POST", f"/orders/{waybill}/cancellations", {}),
        ("POST", f"/returns/of/{waybill}", {"lines": [{"line_id": "M-1-1", "quantity": "1"}]}),
        ("GET", f"/returns/of/{waybill}", None),
    ):
        assert market.rival.ask(method, path, body).status_code == 404
    assert market.rival.ask("GET", "/orders?id=M-1").json == {"orders": []}
    stock_only = market.partner("stock only", "")
    assert stock_only.ask("POST", "/orders", order()).json["type"] == "urn:waybill:problem:no_channel"
    reader = market.partner("reader", "market", scopes=["orders:read"])
    assert reader.ask("GET", f"/orders/{waybill}").status_code == 200
    assert reader.ask("POST", "/orders", order()).status_code == 403


def test_an_edit_is_the_order_told_again(market: Market) -> None:
    waybill = market.mine.place(order())
    market.world.pump()
    market.mine.place(order(updated_at="2026-11-20T12:00:00+01:00", note="Ring twice"))
    market.mine.place(order(updated_at="2026-11-20T08:00:00+01:00", note="older"))
    market.world.pump()
    assert len(market.world.effects("erp")["amended"]) == 1
    note = "SELECT d.body->'body'->>'note' FROM subjects s JOIN documents d ON d.id = s.document_id WHERE waybill = :w"
    assert market.world.one(note, w=waybill) == "Ring twice"


def test_a_cancelled_order_is_undone_everywhere(market: Market) -> None:
    waybill = market.mine.place(order())
    early = market.mine.ask("POST", f"/orders/{waybill}/cancellations", {})
    assert (early.status_code, early.json["type"]) == (409, "urn:waybill:problem:not_read_yet")
    market.world.pump()
    first = market.mine.ask("POST", f"/orders/{waybill}/cancellations", {"reason": "changed my mind"}, "gone")
    again = market.mine.ask("POST", f"/orders/{waybill}/cancellations", {"reason": "changed my mind"}, "gone")
    assert (first.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (202, 202, "true")
    market.world.pump()
    assert market.mine.ask("GET", f"/orders/{waybill}").json["state"] == "cancelled"
    assert len(market.world.effects("erp")["cancelled"]) == 1
    assert len(market.world.effects("warehouse")["cancelled"]) == 1
    assert not market.world.one("SELECT count(*) FROM reservations WHERE state = 'open'")
    assert market.mine.ask("POST", f"/orders/{waybill}/cancellations", {}).status_code == 409


def test_pieces_that_were_cancelled_stay_cancelled(market: Market) -> None:
    """By the line; an older or newer word of the whole order does not bring them back."""
    waybill = market.mine.place(order())
    market.world.pump()
    one_tee = {"lines": [{"line_id": "M-1-1", "quantity": "1"}]}
    assert market.mine.ask("POST", f"/orders/{waybill}/cancellations", one_tee).status_code == 202
    market.world.pump()
    assert _open(market) == {"M-1-1": "1", "M-1-2": "1"}
    assert len(market.world.effects("erp")["amended"]) == 1
    market.mine.place(order(updated_at="2027-11-20T12:00:00+01:00", note="Ring twice"))
    market.world.pump()
    assert _open(market) == {"M-1-1": "1", "M-1-2": "1"}
    too_many = market.mine.ask(
        "POST", f"/orders/{waybill}/cancellations", {"lines": [{"line_id": "M-1-1", "quantity": "2"}]}
    )
    assert (too_many.status_code, too_many.json["lines"]) == (409, ["M-1-1"])
    rest = {"lines": [{"line_id": name, "quantity": "1"} for name in ("M-1-1", "M-1-2")]}
    market.mine.ask("POST", f"/orders/{waybill}/cancellations", rest)
    market.world.pump()
    assert market.mine.ask("GET", f"/orders/{waybill}").json["state"] == "cancelled"
    assert not _open(market)


def test_two_partners_of_a_channel_may_use_the_same_key(market: Market) -> None:
    """Each names its requests for itself: what the second asks is not taken for what the first asked."""
    waybill = market.mine.place(order())
    market.world.pump()
    other = market.partner("market service", "market")
    for who, line in ((market.mine, "M-1-1"), (other, "M-1-2")):
        asked = {"lines": [{"line_id": line, "quantity": "1"}]}
        assert who.ask("POST", f"/orders/{waybill}/cancellations", asked, "1").status_code == 202
    market.world.pump()
    assert _open(market) == {"M-1-1": "1"}
    waybill = market.mine.place(order("M-2"))
    market.world.pump()
    parcel = market.world.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={})
    market.world.deliver("shipment.sent", parcel, account="warehouse")
    market.world.pump()
    back = {"lines": [{"line_id": "M-2-1", "quantity": "1"}]}
    numbers = [who.ask("POST", f"/returns/of/{waybill}", back, "2").json["number"] for who in (market.mine, other)]
    assert len(set(numbers)) == 2


def test_an_order_takes_over_what_was_reserved_for_it(market: Market) -> None:
    """The last pieces: held, ordered, and at no moment free for somebody else; what ran out or is another's buys nothing."""
    from app.database import transaction
    from app.stock import positions
    from connectors.canonical.stock import StockLevel

    with transaction() as tx:
        for sku, many in (("WB-TEE", 2), ("WB-MUG", 1)):
            there = StockLevel(sku, "main", available=Decimal(many), as_of=datetime.now(UTC))
            positions.set_level(tx, "warehouse", there, "1")
    wanted = {"lines": [{"sku": "WB-TEE", "quantity": 2}, {"sku": "WB-MUG", "quantity": 1}]}
    held = market.mine.ask("POST", "/reservations", wanted).json["id"]
    other = market.rival.ask("POST", "/orders", order("R-1"), Waybill_Reservation=held)
    assert (other.status_code, other.json["type"]) == (404, "urn:waybill:problem:no_reservation")
    for _ in range(2):  # told again it is the same
        kept = market.mine.ask("POST", "/orders", order(), Waybill_Reservation=held)
        assert kept.status_code == 202
        assert market.mine.ask("GET", f"/reservations/{held}").json["state"] == "released"
        assert market.mine.ask("POST", "/reservations", wanted).status_code == 409
    market.world.pump()
    rows = market.world.rows("SELECT quantity, state FROM reservations WHERE subject_id IS NOT NULL ORDER BY line_id")
    assert [(int(row.quantity), row.state) for row in rows] == [(2, "open"), (1, "open")]
    assert not market.world.one("SELECT count(*) FROM shelves WHERE short > 0 OR free <> 0")
    late = market.mine.ask("POST", "/orders", order("M-2"), Waybill_Reservation=held)
    assert (late.status_code, late.json["type"]) == (409, "urn:waybill:problem:closed")
    assert market.world.one("SELECT count(*) FROM events") == 1


def _open(market: Market) -> dict[str, Any]:
    rows = market.world.rows("SELECT line_id, quantity FROM reservations WHERE state = 'open' ORDER BY line_id")
    return {row.line_id: f"{row.quantity.normalize():f}" for row in rows}


def test_cancellations_that_are_not_read_yet_are_counted_together(market: Market) -> None:
    """Two tees: what was asked a moment ago and not read yet is taken off first; all of it leaves nothing to take off."""
    waybill = market.mine.place(order())
    market.world.pump()
    path = f"/orders/{waybill}/cancellations"
    two, one = ({"lines": [{"line_id": "M-1-1", "quantity": many}]} for many in ("2", "1"))
    assert market.mine.ask("POST", path, one).status_code == 202
    over = market.mine.ask("POST", path, two)
    assert (over.status_code, over.json["type"], over.json["lines"]) == (
        409,
        "urn:waybill:problem:not_that_many",
        ["M-1-1"],
    )
    with ThreadPoolExecutor(4) as crowd:
        answers = [crowd.submit(market.mine.ask, "POST", path, one) for _ in range(4)]
        assert sorted(answer.result().status_code for answer in answers) == [202, 409, 409, 409]
    market.world.pump()
    assert _open(market) == {"M-1-2": "1"}
    assert market.mine.ask("POST", path, {}).status_code == 202
    again = market.mine.ask("POST", path, {})
    assert (again.status_code, again.json["type"]) == (409, "urn:waybill:problem:cancelled")
    market.world.pump()
    assert _open(market) == {}


def test_a_return_is_allowed_once_it_has_left_and_declined_before(market: Market) -> None:
    waybill = market.mine.place(order())
    market.world.pump()
    wanted = {"lines": [{"line_id": "M-1-1", "quantity": "1", "reason": "too small"}]}
    before = market.mine.ask("POST", f"/returns/of/{waybill}", wanted)
    assert (before.status_code, before.json["state"]) == (201, "declined")
    assert before.json["refused"]
    parcel = market.world.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={})
    market.world.deliver("shipment.sent", parcel, account="warehouse")
    market.world.pump()
    after = market.mine.ask("POST", f"/returns/of/{waybill}", wanted, "r1")
    assert (after.status_code, after.json["state"]) == (201, "authorised")
    replayed = market.mine.ask("POST", f"/returns/of/{waybill}", wanted, "r1")
    assert (replayed.json, replayed.headers["Location"]) == (after.json, after.headers["Location"])
    assert market.mine.ask("GET", f"/returns/{after.json['number']}").json == after.json
    listed = market.mine.ask("GET", f"/returns/of/{waybill}").json["returns"]
    assert [row["state"] for row in listed] == ["declined", "authorised"]
    both = market.mine.ask("POST", f"/returns/of/{waybill}", {"lines": [{"line_id": "M-1-1", "quantity": "2"}]})
    assert both.json["state"] == "declined"  # one of the two is on its way back already


def test_a_return_that_names_a_line_twice_is_counted_together(market: Market) -> None:
    waybill = market.mine.place(order())
    market.world.pump()
    parcel = market.world.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={})
    market.world.deliver("shipment.sent", parcel, account="warehouse")
    market.world.pump()
    mug = {"line_id": "M-1-2", "quantity": "1"}
    twice = market.mine.ask("POST", f"/returns/of/{waybill}", {"lines": [mug, mug]})
    assert (twice.status_code, twice.json["state"]) == (201, "declined")  # one mug was sold
    tees = [{"line_id": "M-1-1", "quantity": "1", "reason": why} for why in ("too small", "torn")]
    assert market.mine.ask("POST", f"/returns/of/{waybill}", {"lines": tees}).json["state"] == "authorised"


def test_a_name_that_is_no_text_is_refused_not_stumbled_over(market: Market) -> None:
    """Half of a surrogate pair is valid JSON and no Unicode: neither the database nor an answer can hold it."""
    waybill = market.mine.place(order())
    market.world.pump()
    lines = {"lines": [{"line_id": "\ud800", "quantity": "1"}]}
    for path in (f"/orders/{waybill}/cancellations", f"/returns/of/{waybill}"):
        answer = market.mine.ask("POST", path, lines)
        assert (answer.status_code, answer.json["type"]) == (422, "urn:waybill:problem:invalid")


def test_what_is_not_done_this_way_says_which_ways_there_are(market: Market) -> None:
    for method, path, status in (("DELETE", "/orders", 405), ("GET", "/nothing", 404)):
        answer = market.mine.ask(method, path)
        assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert {"GET", "POST"} <= {way.strip() for way in market.mine.ask("DELETE", "/orders").headers["Allow"].split(",")}


def test_an_error_of_the_database_tells_nobodys_data(market: Market) -> None:
    """What a statement was asked with is people and secrets; what went wrong with it goes to the log."""
    import sqlalchemy.exc
    from sqlalchemy import text

    from app.database import transaction

    with pytest.raises(sqlalchemy.exc.DBAPIError) as broken, transaction() as tx:
        tx.execute(
            text("INSERT INTO tills (account, till) VALUES (:account, :till)"),
            {"account": "ana@example.com", "till": "1"},
        )
    assert "parameters hidden" in str(broken.value).lower() or "hide_parameters" in str(broken.value)
    assert "[parameters: {" not in str(broken.value)


def test_the_door_is_in_the_acknowledgement_log(market: Market) -> None:
    """What was answered stands in the log that the journal is held against, each time that it was taken."""
    from app import acks

    market.mine.place(order(), "one")
    market.mine.place(order(), "one")
    market.mine.place(order(), "two")
    folder = acks.folder()
    assert folder is not None
    lines = [line for file in folder.glob("*.acks") for line in file.read_text().splitlines()]
    assert [json.loads(line)[-1] for line in lines if "order:M-1" in line] == [True, False, False]


def test_whoever_was_killed_before_he_noted_it_has_it_noted_when_it_is_asked_again(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed, then dead before the log and the answer: the partner sends it again, is answered what was kept, and that is in the log."""
    from app import acks
    from app.web.api import partner

    def killed(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as death:
        death.setattr(partner, "log_ack", killed)
        with pytest.raises(SystemExit):
            market.mine.ask("POST", "/orders", order(), "one")
    again = market.mine.ask("POST", "/orders", order(), "one")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
    assert again.headers["Location"] == f"/api/v1/orders/{again.json['waybill']}"
    kept = market.world.rows("SELECT e.delivery_id, p.body FROM events e JOIN payloads p ON p.owner_id = e.id")
    folder = acks.folder()
    assert folder is not None
    lines = [json.loads(line) for file in folder.glob("*.acks") for line in file.read_text().splitlines()]
    assert [line[1:4] for line in lines] == [["market", row.delivery_id, acks.content(bytes(row.body))] for row in kept]
