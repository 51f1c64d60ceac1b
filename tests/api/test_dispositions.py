"""Goods in quarantine, at the door of the place where they lie: a part is sold again, the rest is scrapped, and the shelf says so once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.api.conftest import Market, Partner, order


def _shelf(market: Market) -> tuple[Decimal, list[tuple[str, int]]]:
    told = market.world.one("SELECT coalesce(sum(told), 0) FROM shelves WHERE sku = 'WB-TEE' AND location = 'store'")
    rows = market.world.rows("SELECT kind, quantity FROM movements WHERE location = 'store' ORDER BY number, n")
    return Decimal(told), [(row.kind, int(row.quantity)) for row in rows]


def _received(market: Market, desk: Partner) -> str:
    """Two tees have come back and lie in quarantine; answers the return's number."""
    waybill = market.mine.place(order("W-1"))
    market.world.pump()
    parcel = market.world.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={})
    market.world.deliver("shipment.sent", parcel, account="warehouse")
    market.world.pump()
    wanted = {"lines": [{"line_id": "W-1-1", "quantity": "2", "reason": "smells"}]}
    number = str(market.mine.ask("POST", f"/returns/of/{waybill}", wanted).json["number"])
    told = {"location": "store", "lines": [{"line_id": "W-1-1", "quantity": "2", "disposition": "quarantine"}]}
    assert desk.ask("POST", f"/returns/{number}/receipt", told).json["state"] == "quarantined"
    return number


def test_one_piece_is_sold_again_and_one_is_scrapped(market: Market) -> None:
    from tasks.feeds import returned

    desk, other = (market.partner(f"{place} desk", "", locations=[place]) for place in ("store", "elsewhere"))
    number = _received(market, desk)
    assert _shelf(market) == (0, [("return", 2), ("quarantine", -2)])
    (lies,) = desk.ask("GET", "/returns/quarantine").json["lines"]
    assert {"number": number, "sku": "WB-TEE", "quantity": "2", "reason": "smells"}.items() <= lies.items()
    assert other.ask("GET", "/returns/quarantine").json == {"lines": []}

    def said(who: Partner, key: str = "", **told: Any) -> Any:
        return who.ask("POST", f"/returns/{number}/dispositions", {"line_id": "W-1-1", **told}, key)

    assert said(other, disposition="restock").json["type"].endswith("not_your_location")
    assert said(desk, disposition="restock", quantity="3").json["type"].endswith("not_that_many")
    assert said(desk, disposition="shelf").status_code == 422
    for _ in range(2):
        first = said(desk, "one", disposition="restock", quantity="1", reason="washed")
        assert (first.status_code, first.json["state"]) == (200, "quarantined"), "one still lies there"
    assert _shelf(market) == (1, [("return", 2), ("quarantine", -2), ("release", 1)])
    for _ in range(2):
        assert said(desk, disposition="scrap", reason="torn").json["state"] == "scrapped"
    released = [("release", 1), ("release", 1), ("scrap", -1)]
    assert _shelf(market) == (1, [("return", 2), ("quarantine", -2), *released])
    assert desk.ask("GET", "/returns/quarantine").json == {"lines": []}
    late = said(desk, disposition="restock", quantity="1")
    assert (late.status_code, late.json["type"]) == (409, "urn:waybill:problem:not_in_quarantine")
    rows = market.world.rows(
        "SELECT who, reason, after FROM audit WHERE action = 'dispose of returned goods' ORDER BY id"
    )
    assert [(row.who, row.reason, row.after["pieces"]) for row in rows] == [
        ("store desk", "washed", "1"),
        ("store desk", "torn", "1"),
    ]
    returned.run()
    market.world.pump()
    waybill = number.partition("-")[0]
    assert market.mine.ask("GET", f"/orders/{waybill}").json["back"] == [
        f"Return {number} has arrived; the money follows."
    ]
    assert market.world.one("SELECT sum(returned) FROM reservations") == 2
    assert market.world.settled()


def test_scrapping_is_the_owners_to_say(market: Market) -> None:
    from config.reader import config

    desk = market.partner("store desk", "", locations=["store"])
    number = _received(market, desk)
    policy = '[return]\nowner = ["store"]\n[transitions]\n"return.scrap" = ["desk"]\n'
    (market.world.folder / "authority.toml").write_text(policy)
    config.cache_clear()
    told = {"line_id": "W-1-1", "disposition": "scrap"}
    answer = desk.ask("POST", f"/returns/{number}/dispositions", told)
    assert (answer.status_code, answer.json["type"]) == (409, "urn:waybill:problem:not_the_owner")
    assert market.world.one("SELECT count(*) FROM cases WHERE code = 'not_the_owner' AND status = 'open'") == 1
    assert desk.ask("POST", f"/returns/{number}/dispositions", {**told, "disposition": "restock"}).status_code == 200
