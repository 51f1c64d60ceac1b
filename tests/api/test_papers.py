"""Somebody has a receipt or an invoice in hand and nothing else: it finds the order, and only what it is about comes back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import Market, Partner, money, order
from tests.api.test_tills import sale, tell
from tests.web.conftest import Person

PASSWORD = "comes in here and nowhere else"


def somebody(market: Market, role: str) -> Person:
    from app.database import transaction
    from app.web import people

    with transaction() as tx:
        people.keep(tx, role, PASSWORD, role)
    return Person(market.app.test_client()).log_in(role, PASSWORD)


@pytest.fixture
def store(market: Market) -> Partner:
    return market.partner("store desk", "", locations=["store"])


def in_two_parcels(market: Market, first_at: str = "") -> tuple[str, str, str]:
    """Two tees leave in one parcel and the mug in another; answers the waybill and the number of each invoice."""
    waybill = market.mine.place(order("W-1"))
    market.world.pump()
    for sku, many in (("WB-TEE", 2), ("WB-MUG", 1)):
        part = {"lines": [{"sku": sku, "quantity": str(many)}]}
        parcel = market.world.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json=part)
        if first_at and sku == "WB-TEE":
            parcel = {**parcel, "shipped_at": first_at}
        market.world.deliver("shipment.sent", parcel, account="warehouse")
        market.world.pump()
    rows = market.world.ask("erp", "GET", "/_sim/state")["deliveries"]
    names = {row["body"]["lines"][0]["sku"]: name for name, row in rows.items()}
    return waybill, names["WB-TEE"], names["WB-MUG"]


def look(who: Partner, **paper: str) -> Any:
    named = "&".join(f"{kind}={number}" for kind, number in paper.items())
    return who.ask("GET", f"/papers?{named}")


def back(who: Partner, line: str, many: int = 1, **more: Any) -> Any:
    lines = [{"line_id": line, "quantity": str(many), "reason": "too small"}]
    return who.ask("POST", "/papers/returns", {"location": "store", "lines": lines, **more})


def test_an_invoice_of_the_books_finds_the_order_and_what_it_holds_comes_back(market: Market, store: Partner) -> None:
    waybill, tees, mug = in_two_parcels(market)
    (paper,) = look(store, invoice=tees.upper()).json["papers"]
    assert (paper["waybill"], paper["sold_at"], paper["refused"]) == (waybill, "market", "")
    billed = [{"number": tees, "quantity": "2"}]
    line = {"line_id": "W-1-1", "sku": "WB-TEE", "title": "Tee", "held": "2", "returnable": "2", "invoices": billed}
    assert paper["lines"] == [line]
    assert "Ana" not in str(paper), "a store learns nothing of the customer"

    refused = back(store, "W-1-2", invoice=tees)
    assert (refused.status_code, refused.json["state"]) == (201, "declined")
    assert refused.json["refused"] == f"Invoice {tees} holds nothing of line W-1-2 (WB-MUG)."
    asked = back(store, "W-1-1", invoice=tees).json
    assert asked["state"] == "authorised"
    again = back(store, "W-1-1", 2, invoice=tees).json
    assert again["refused"] == (
        f"Invoice {tees} holds 2 of line W-1-1 (WB-TEE), of which 1 came back or are on their way."
    )
    assert back(store, "W-1-2", invoice=mug).json["state"] == "authorised"
    told = {"location": "store", "lines": [{"line_id": "W-1-1", "quantity": "1", "disposition": "restock"}]}
    got = store.ask("POST", f"/returns/{asked['number']}/receipt", told).json
    assert (got["state"], got["refunds"]) == ("restocked", [{"tender": "card", "amount": "19.90"}])
    assert look(store, invoice=tees).json["papers"][0]["lines"][0]["returnable"] == "1"
    rows = market.world.rows("SELECT who, after FROM audit WHERE action = 'ask for return' ORDER BY id")
    assert {row.who for row in rows} == {"store desk"}
    assert [row.after["paper"] for row in rows] == [f"invoice {n}" for n in (tees, tees, tees, mug)]


def test_a_tills_receipt_finds_its_sale_and_a_web_order_is_none(market: Market, store: Partner) -> None:
    at = datetime.now(UTC).isoformat()
    paid = {
        "id": "p",
        "kind": "sale",
        "tender": "card",
        "gateway": "card",
        "amount": money("48.30"),
        "reference": "hYy9",
    }
    tell(market, sale(1, at), sale(2, at, location="store", payments=[paid]), first=1)
    market.mine.place(order("W-1"))
    market.world.pump()
    assert look(store, receipt="%23W-1").json["type"].endswith("no_paper")
    assert look(store, receipt="t1-9").status_code == 404
    (paper,) = look(store, receipt="t1-2").json["papers"]
    assert [(one["sku"], one["held"], one["returnable"]) for one in paper["lines"]] == [
        ("WB-TEE", "2", "2"),
        ("WB-MUG", "1", "1"),
    ]
    assert look(store, receipt="hyy9").json["papers"] == [paper], "the number that its payment names"
    assert look(store, receipt="hyy9", invoice="1").status_code == 422
    assert back(store, "x-1", 3, receipt="T1-2").json["refused"] == "Receipt T1-2 holds 2 of line x-1 (WB-TEE)."
    assert back(store, "x-1", 2, receipt="hYy9").json["state"] == "authorised"
    assert back(store, "x-1", 1, receipt="hYy9", location="elsewhere").json["type"].endswith("not_your_location")


def test_a_number_of_two_receipts_must_say_which_and_a_late_one_is_too_late(market: Market, store: Partner) -> None:
    paid = {"id": "p", "kind": "sale", "tender": "cash", "gateway": "cash", "amount": money("48.30"), "reference": "A7"}
    old = (datetime.now(UTC) - timedelta(days=45)).isoformat()
    tell(market, sale(1, old, payments=[paid]), sale(2, datetime.now(UTC).isoformat(), payments=[paid]), first=1)
    market.world.pump()
    first, second = (
        market.world.one("SELECT waybill FROM subjects WHERE external_id = :n", n=n) for n in ("T1-1", "T1-2")
    )
    assert [one["waybill"] for one in look(store, receipt="A7").json["papers"]] == [first, second]
    which = back(store, "x-1", receipt="A7")
    assert (which.status_code, which.json["type"]) == (409, "urn:waybill:problem:several")
    assert f"{first}, {second}" in which.json["detail"]
    assert "more than 30 days ago" in back(store, "x-1", receipt="A7", waybill=first).json["refused"]
    assert "more than 30 days ago" in look(store, receipt="T1-1").json["papers"][0]["refused"]
    assert back(store, "x-1", receipt="A7", waybill=second).json["state"] == "authorised"


def test_the_days_of_an_invoice_count_from_its_own_parcel(market: Market, store: Partner) -> None:
    old = (datetime.now(UTC) - timedelta(days=45)).isoformat()
    _, tees, mug = in_two_parcels(market, old)
    assert [bool(look(store, invoice=n).json["papers"][0]["refused"]) for n in (tees, mug)] == [True, False]


def test_the_desk_takes_a_return_by_a_number_and_the_search_finds_the_order(market: Market) -> None:
    waybill, tees, _ = in_two_parcels(market)
    viewer, support = somebody(market, "viewer"), somebody(market, "support")
    assert f"/admin/orders/{waybill}?found=invoice+number" in viewer.get(f"/admin/orders/?q={tees}").headers["location"]
    page = viewer.page(f"/admin/returns/papers?number={tees}")
    assert f'2 by <span class="id">{tees}' in page
    assert "Take it back" not in page
    form = {"kind": "invoice", "number": tees, "waybill": waybill, "key": "one"}
    assert viewer.press("/admin/returns/requests", **form).status_code == 403
    address = f"/admin/returns/papers?number={tees}"
    assert re.search(r'name="key" value="[0-9a-f]{16}"', support.page(address))
    for _ in range(2):
        answer = support.press("/admin/returns/requests", **form, back=address, **{"pieces:W-1-1": "1"})
        assert answer.status_code == 302
    assert f"{waybill}-R1 may come back." in support.page(address)
    support.press("/admin/returns/requests", **{**form, "key": "two"}, back=address, **{"pieces:W-1-2": "1"})
    assert f"Declined: Invoice {tees} holds nothing of line W-1-2 (WB-MUG)." in support.page(address)
    assert market.world.one("SELECT count(*) FROM return_requests") == 2
    assert market.world.rows("SELECT who, reason FROM audit WHERE action = 'ask for return'")[0] == (
        "support",
        "a test",
    )
    assert "No till" in viewer.page("/admin/returns/papers?number=none")
