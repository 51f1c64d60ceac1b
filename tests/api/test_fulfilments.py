"""What stores and suppliers say by our API: a leg rejected and taken by another, a pickup, a no-show, a substitution, drop-ship."""

from __future__ import annotations

from typing import Any

import pytest

from app.orders import fulfilling
from app.orders.refused import Refused
from tests.api.houses import KEPT, Houses


def test_a_store_rejects_its_leg_of_a_split_order_and_another_takes_it(houses: Houses) -> None:
    """Pain 37 at the stores' own door: what each is asked for, what it says, and what its customer sees meanwhile."""
    from app.database import transaction

    houses.shelf("dc", tee=2)
    houses.shelf("alpha", mug=1)
    houses.shelf("beta", mug=1)
    waybill = houses.place()
    (asked,) = houses.waits(houses.alpha)
    number = asked["number"]
    assert [(one["sku"], one["title"], one["quantity"]) for one in asked["lines"]] == [("WB-MUG", "Mug", "1")]
    assert asked["answer_by"] > asked["asked_at"]
    assert asked["eligible"]
    assert {"acceptances", "rejections", "shipments"} <= set(asked["may"])
    assert "acknowledgements" not in asked["may"]
    assert "Musterweg" not in str(houses.alpha.ask("GET", f"/fulfilments/{number}").json), "it has not taken it yet"
    assert (
        houses.market.partner("dc desk", "", locations=("dc",)).ask("GET", f"/fulfilments/{waybill}-F1").status_code
        == 404
    )
    with pytest.raises(Refused, match="answers by itself"), transaction() as tx:
        fulfilling.reject(tx, f"{waybill}-F1", "anna", "whoever is connected has it already")
    assert houses.waits(houses.beta) == []
    assert houses.beta.ask("GET", f"/fulfilments/{number}").status_code == 404, "another's is as if it were not there"
    assert houses.beta.ask("POST", f"/fulfilments/{number}/acceptances").status_code == 404
    for _ in range(2):
        houses.says(houses.alpha, number, "rejections", {"reason": "not on the shelf"})
    assert houses.audited("reject fulfilment") == [("alpha desk", "not on the shelf")]
    assert houses.legs() == [("dc", "accepted"), ("alpha", "rejected"), ("beta", "requested")]
    assert houses.refuses(houses.alpha, number, "acceptances") == "is_rejected"
    assert "asked for" in [one["state"] for one in houses.where(waybill)["parcels"]]
    (mine,) = houses.waits(houses.beta)
    first = houses.says(houses.beta, mine["number"], "acceptances", key="yes")
    assert houses.says(houses.beta, mine["number"], "acceptances", key="yes") == first
    assert houses.says(houses.beta, mine["number"], "acceptances")["state"] == "accepted", "said again it is the same"
    assert len(houses.audited("accept fulfilment")) == 1
    told = houses.beta.ask("GET", f"/fulfilments/{mine['number']}").json
    assert told["ship_to"]["line1"] == "Musterweg 5"
    assert (
        houses.world.one("SELECT count(*) FROM audit WHERE who = 'beta desk' AND object = :o", o=f"order:{waybill}")
        == 2
    )
    for word in ("picks", "packs"):
        houses.says(houses.beta, mine["number"], word)
    parcel = {"trackings": [{"number": "B-1", "carrier": "dhl"}]}
    for _ in range(2):
        sent = houses.says(houses.beta, mine["number"], "shipments", parcel)
    assert (sent["state"], sent["rest"], sent["may"]) == ("shipped", "", [])
    now = houses.where(waybill)
    assert now["state"] == "partly_shipped"
    assert [one["number"] for one in now["parcels"] if one["state"] == "on its way"] == ["B-1"]
    assert sum(houses.world.effects("erp")["deliveries"].values()) == 1
    assert houses.refuses(houses.beta, mine["number"], "rejections", {"reason": "too late"}) == "is_shipped"


def test_a_pickup_is_known_beforehand_set_out_and_handed_over_to_who_shows_the_code(houses: Houses) -> None:
    from app.database import transaction
    from app.orders import holds

    houses.shelf("alpha", tee=5, mug=5)
    waybill = houses.place(**KEPT)
    (asked,) = houses.waits(houses.alpha)
    number, alpha = asked["number"], houses.alpha
    assert (asked["method"], asked["eligible"], asked["verify"][:22]) == ("pickup", True, "Ask for the six-digit ")
    assert alpha.ask("GET", f"/fulfilments/{number}").json["person"] == "Bo Friend"
    assert houses.refuses(alpha, number, "shipments", {}) == "is_a_pickup"
    assert houses.refuses(alpha, number, "collections", {"code": _code(houses)}) == "is_requested"
    subject = houses.world.one("SELECT subject_id FROM fulfilments")
    with transaction() as tx:
        how: dict[str, Any] = {"owner": "finance", "seconds": 3600.0, "who": "anna", "note": "stolen card?"}
        hold = holds.place_by_hand(tx, waybill, subject, "fraud", **how)
    (held,) = houses.waits(alpha)
    assert (held["eligible"], held["not_yet"]) == (False, "The order is held.")
    assert "preparations" not in held["may"]
    assert houses.refuses(alpha, number, "preparations") == "not_yet"
    with transaction() as tx:
        holds.release_by_hand(tx, hold or 0, "anna", "it was not")
    for _ in range(2):
        set_out = houses.says(alpha, number, "preparations")
    assert "no-shows" not in set_out["may"], "it is kept until its hour"
    assert houses.world.calls("letters", "letters.create") == 1
    now = houses.where(waybill)
    assert (now["state"], now["parcels"][0]["until"]) == ("ready", set_out["kept_until"])
    assert houses.refuses(alpha, number, "no-shows", {"reason": "we need the room"}) == "still_kept"
    with transaction() as tx:
        hold = holds.place_by_hand(tx, waybill, subject, "manual", **how)
    assert houses.where(waybill)["state"] == "held", "nobody is sent for what is not handed over"
    with transaction() as tx:
        holds.release_by_hand(tx, hold or 0, "anna", "done")
    for _ in range(2):
        assert houses.says(alpha, number, "collections", {"code": _code(houses)})["state"] == "collected"
    assert houses.where(waybill)["state"] == "delivered"
    assert houses.waits(alpha) == []
    assert houses.audited("collect fulfilment") == [("alpha desk", "")]
    assert houses.world.one("SELECT coalesce(sum(quantity - shipped), 0) FROM reservations WHERE state = 'open'") == 0
    assert houses.world.settled()


def _code(houses: Houses) -> str:
    return str(houses.world.one("SELECT verify FROM fulfilments WHERE verify <> '' ORDER BY id DESC LIMIT 1"))


def test_a_code_is_not_guessed(houses: Houses) -> None:
    houses.shelf("alpha", tee=5, mug=5)
    houses.place(**KEPT)
    number = houses.waits(houses.alpha)[0]["number"]
    houses.says(houses.alpha, number, "preparations")
    wrong = f"{(int(_code(houses)) + 1) % 10**6:06d}"
    refused = [houses.refuses(houses.alpha, number, "collections", {"code": wrong}) for _ in range(6)]
    assert refused == ["wrong_code"] * 5 + ["too_many_codes"]
    assert houses.refuses(houses.alpha, number, "collections", {"code": _code(houses)}) == "too_many_codes"
    assert len(houses.audited("wrong pickup code")) == 5
    houses.world.rows("SELECT 1")
    from app.database import transaction

    with transaction() as tx:
        tx.exec_driver_sql("UPDATE audit SET at = at - interval '16 minutes' WHERE action = 'wrong pickup code'")
    assert houses.says(houses.alpha, number, "collections", {"code": _code(houses)})["state"] == "collected"


def test_nobody_comes_and_the_customer_is_not_told_that_it_is_prepared(houses: Houses) -> None:
    houses.shelf("alpha", tee=5, mug=5)
    waybill = houses.place(**KEPT)
    number, alpha = houses.waits(houses.alpha)[0]["number"], houses.alpha
    assert houses.refuses(alpha, number, "no-shows", {"reason": "nobody"}) == "is_requested"
    set_out = houses.says(alpha, number, "preparations")
    houses.says(alpha, number, "extensions", {"reason": "is on the train", "hours": 1})
    assert houses.waits(alpha)[0]["kept_until"] == set_out["kept_until"], "never shorter than was promised"
    houses.hour_passes()
    for _ in range(2):
        assert houses.says(alpha, number, "no-shows", {"reason": "did not come"})["state"] == "no_show"
    assert houses.world.one("SELECT count(*) FROM cases WHERE code = 'no_show' AND status = 'open'") == 1
    assert houses.where(waybill)["state"] == "not_fetched"
    assert houses.says(alpha, number, "extensions", {"reason": "comes tomorrow", "hours": 24})["state"] == "ready"
    assert houses.where(waybill)["state"] == "ready"
    houses.hour_passes()
    houses.says(alpha, number, "no-shows", {"reason": "did not come again"})
    for _ in range(2):
        houses.says(alpha, number, "put-backs", {"reason": "on the shelf"})
    now = houses.where(waybill)
    assert (now["state"], now["parcels"]) == ("not_fetched", [])
    assert houses.refuses(alpha, number, "collections", {"code": _code(houses)}) == "is_cancelled"
    reasons = [reason for _, reason in houses.audited("no show fulfilment")]
    assert reasons == ["did not come", "did not come again"]


def test_another_article_goes_out_and_its_customer_sees_which(houses: Houses) -> None:
    houses.shelf("alpha", tee=5, mug=5, cap=5)
    houses.world.code("erp", "sku", "WB-CAP", "WB-CAP")
    waybill = houses.place()
    number, alpha = houses.waits(houses.alpha)[0]["number"], houses.alpha
    told = {"line_id": "M-1-1", "sku": "WB-CAP", "reason": "agreed by telephone"}
    for _ in range(2):
        changed = houses.says(alpha, number, "substitutions", told)
    assert [(one["sku"], one["instead_of"]) for one in changed["lines"]] == [("WB-CAP", "WB-TEE"), ("WB-MUG", "")]
    assert houses.audited("substitute") == [("alpha desk", "agreed by telephone")]
    (waiting,) = houses.where(waybill)["parcels"]
    assert [one["title"] for one in waiting["pieces"]] == ["WB-CAP in place of Tee", "Mug"]
    assert houses.refuses(alpha, number, "substitutions", {**told, "line_id": "other"}) == "not_substituted"
    first = houses.says(alpha, number, "shipments", {"lines": [{"line_id": "M-1-1", "quantity": "1"}]}, key="one")
    assert (
        houses.says(alpha, number, "shipments", {"lines": [{"line_id": "M-1-1", "quantity": "1"}]}, key="one") == first
    )
    assert houses.where(waybill)["state"] == "partly_shipped"
    last = houses.says(alpha, first["rest"], "shipments", {"trackings": [{"number": "A-2"}]})
    assert [(one["sku"], one["quantity"]) for one in last["lines"]] == [("WB-CAP", "1"), ("WB-MUG", "1")]
    now = houses.where(waybill)
    assert now["state"] == "shipped"
    assert [(p["quantity"], p["title"]) for one in now["parcels"] for p in one["pieces"]] == [
        ("1", "WB-CAP in place of Tee"),
        ("1", "WB-CAP in place of Tee"),
        ("1", "Mug"),
    ]
    gone = houses.world.rows(
        "SELECT sku, sum(quantity)::int FROM movements WHERE kind = 'pick' GROUP BY sku ORDER BY sku"
    )
    assert [tuple(row) for row in gone] == [("WB-CAP", -2), ("WB-MUG", -1)]
    assert houses.world.settled()


def test_a_supplier_without_a_connector_acknowledges_a_part_and_sends_notice_of_it(houses: Houses) -> None:
    """Beside it: a part that a store does not find after it has accepted, and what is not its word to say."""
    houses.shelf("maker", tee=9)
    houses.shelf("beta", mug=1, tee=2)
    houses.shelf("alpha", mug=1)
    houses.place()
    (beta,) = houses.waits(houses.beta)
    houses.says(houses.beta, beta["number"], "acceptances")
    one_tee = {"reason": "one is torn", "lines": [{"line_id": "M-1-1", "quantity": "1"}]}
    left = houses.says(houses.beta, beta["number"], "rejections", one_tee)
    assert [(one["sku"], one["quantity"]) for one in left["lines"]] == [("WB-TEE", "1"), ("WB-MUG", "1")]
    assert houses.legs() == [("beta", "accepted"), ("beta", "rejected"), ("maker", "requested")]
    too_many = {**one_tee, "lines": [{"line_id": "M-1-1", "quantity": "2"}]}
    assert houses.refuses(houses.beta, beta["number"], "rejections", too_many) == "not_that_many"
    assert houses.refuses(houses.beta, beta["number"], "acknowledgements", {}) == "not_the_owner"
    assert houses.world.one("SELECT count(*) FROM cases WHERE code = 'not_the_owner' AND status = 'open'") == 1
    (bought,) = houses.waits(houses.maker)
    assert bought["purchase"]
    assert "acknowledgements" in bought["may"]
    number, maker = bought["number"], houses.maker
    more = {"lines": [{"sku": "WB-TEE", "quantity": "2"}]}
    assert houses.refuses(maker, number, "acknowledgements", more) == "not_that_many"
    yes = {"lines": [{"sku": "WB-TEE", "quantity": "1"}], "promised_at": "2026-12-01T00:00:00Z"}
    for _ in range(2):
        said = houses.says(maker, number, "acknowledgements", yes)
    assert (said["state"], said["promised_at"][:10]) == ("accepted", "2026-12-01")
    assert houses.refuses(maker, number, "acknowledgements", {"lines": []}) == "is_accepted"
    assert houses.audited("acknowledge purchase order") == [("maker desk", "")]
    houses.says(maker, number, "shipments", {"trackings": [{"number": "MK-1", "carrier": "ups"}]})
    assert houses.legs()[2] == ("maker", "shipped")
    assert sum(houses.world.effects("erp")["deliveries"].values()) == 1


def test_what_a_partner_may_not_say_is_refused_and_is_a_case(houses: Houses) -> None:
    """config/authority.toml is obeyed: here only the desk hands over."""
    from config.reader import config

    houses.shelf("alpha", tee=5, mug=5)
    houses.place(**KEPT)
    number = houses.waits(houses.alpha)[0]["number"]
    houses.says(houses.alpha, number, "preparations")
    policy = '[shipment]\nowner = ["store", "desk"]\n[fulfilment]\nowner = ["store", "desk"]\n[transitions]\n"fulfilment.collect" = "desk"\n'
    (houses.world.folder / "authority.toml").write_text(policy)
    config.cache_clear()
    assert houses.refuses(houses.alpha, number, "collections", {"code": _code(houses)}) == "not_the_owner"
    case = houses.world.one("SELECT sentence FROM cases WHERE code = 'not_the_owner'")
    assert "alpha desk told fulfilment.collect" in case
    assert "belongs to desk" in case
    assert houses.legs() == [("alpha", "ready")]
    reader = houses.market.partner("reader", "", locations=("alpha",), scopes=("fulfilments:read",))
    assert reader.ask("POST", f"/fulfilments/{number}/acceptances").status_code == 403
    assert reader.ask("GET", "/fulfilments?location=beta").status_code == 409
    assert reader.ask("GET", "/fulfilments/nothing").status_code == 404
    assert reader.ask("GET", f"/fulfilments?after={number}").json == {"fulfilments": [], "more": False}
