"""A pickup that is handed over in part: the rest is kept for its customer, or refused and taken off the order, once, whoever tells of it."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from app.orders import fulfilments, pickups, sharing
from app.orders.fulfilments import Fulfilment
from app.orders.refused import Refused
from tests.api.conftest import money, order
from tests.api.houses import KEPT, Houses

TEE, MUG = "M-1-1", "M-1-2"


def some(**lines: int) -> list[dict[str, str]]:
    return [{"line_id": {"tee": TEE, "mug": MUG}[name], "quantity": str(many)} for name, many in lines.items()]


def code(houses: Houses) -> str:
    return str(houses.world.one("SELECT verify FROM fulfilments WHERE verify <> '' ORDER BY id DESC LIMIT 1"))


def claimed(houses: Houses) -> int:
    return int(houses.world.one("SELECT coalesce(sum(quantity - shipped), 0) FROM reservations WHERE state = 'open'"))


def set_out(houses: Houses) -> tuple[str, str]:
    """(waybill, number) of two tees and a mug that wait at alpha."""
    houses.shelf("alpha", tee=5, mug=5)
    waybill = houses.place(**KEPT)
    number = str(houses.waits(houses.alpha)[0]["number"])
    houses.says(houses.alpha, number, "preparations")
    return waybill, number


def test_a_part_is_fetched_now_and_the_rest_later_under_the_same_code(houses: Houses) -> None:
    waybill, number = set_out(houses)
    until, secret, alpha = houses.waits(houses.alpha)[0]["kept_until"], code(houses), houses.alpha
    too_many = {"code": secret, "lines": some(tee=3)}
    assert houses.refuses(alpha, number, "collections", too_many) == "not_that_many"
    wrong = {"code": f"{(int(secret) + 1) % 10**6:06d}", "lines": some(tee=1)}
    assert houses.refuses(alpha, number, "collections", wrong) == "wrong_code"
    assert houses.legs() == [("alpha", "ready")], "what was refused has parted nothing"
    told = {"code": secret, "lines": some(tee=1)}
    first = houses.says(alpha, number, "collections", told, key="counter")
    assert houses.says(alpha, number, "collections", told, key="counter") == first
    assert houses.says(alpha, number, "collections", told)["rest"] == first["rest"], "said again it is the same"
    assert (first["state"], [one["quantity"] for one in first["lines"]]) == ("collected", ["1"])
    (rest,) = houses.waits(alpha)
    assert (rest["number"], rest["state"], rest["kept_until"]) == (first["rest"], "ready", until)
    assert [(one["sku"], one["quantity"]) for one in rest["lines"]] == [("WB-TEE", "1"), ("WB-MUG", "1")]
    now = houses.where(waybill)
    assert now["state"] == "rest_ready"
    assert sorted((one["state"], one["until"]) for one in now["parcels"]) == [
        ("arrived", None),
        ("ready to be fetched", until),
    ]
    assert claimed(houses) == 2
    last = houses.says(alpha, rest["number"], "collections", {"code": secret})
    assert (last["state"], last["rest"]) == ("collected", "")
    assert houses.where(waybill)["state"] == "delivered"
    letters = houses.world.effects("letters")["letters"]
    assert sum(many for name, many in letters.items() if "ready_for_pickup" in name) == 1, "told once that it is ready"
    assert sum(houses.world.effects("erp")["deliveries"].values()) == 2
    assert claimed(houses) == 0
    assert houses.world.settled()


def test_what_is_refused_goes_back_is_off_the_order_and_is_paid_back_by_its_channel(houses: Houses) -> None:
    """The mug is broken and one tee does not fit: the other is carried home. The channel's own word afterwards takes nothing off twice."""
    waybill, number = set_out(houses)
    alpha = houses.alpha
    no = {"reason": "too small", "lines": some(tee=1)}
    assert houses.refuses(alpha, number, "refusals", {"reason": "x", "lines": some(tee=3)}) == "not_that_many"
    for _ in range(2):
        left = houses.says(alpha, number, "refusals", no, key="no")
    assert [(one["sku"], one["quantity"]) for one in left["lines"]] == [("WB-TEE", "1"), ("WB-MUG", "1")]
    assert houses.audited("refuse part of fulfilment") == [("alpha desk", "too small")]
    assert houses.legs() == [("alpha", "ready"), ("alpha", "refused")], (
        "the rest stays set out, and nobody is asked anew"
    )
    assert claimed(houses) == 2
    case = "SELECT sentence, status FROM cases WHERE code = 'refund_owed'"
    (owed,) = houses.world.rows(case)
    assert owed.sentence.startswith("19.90 EUR are to be given back")
    houses.says(alpha, number, "collections", {"code": code(houses)})
    assert houses.where(waybill)["state"] == "delivered"
    assert houses.refuses(alpha, number, "refusals", no) == "is_collected"
    lines = order()["lines"]
    refund = {
        "id": "R-1",
        "total": money("19.90"),
        "lines": [{"line_id": TEE, "quantity": "1", "subtotal": money("19.90"), "tax": money("0")}],
        "payments": [{**order()["payments"][0], "id": "back", "kind": "refund", "amount": money("19.90")}],
    }
    told = order(
        **KEPT,
        lines=[{**lines[0], "current_quantity": "1"}, lines[1]],
        refunds=[refund],
        updated_at="2026-11-20T12:00:00+01:00",
    )
    assert houses.market.mine.place(told) == waybill
    houses.world.pump()
    assert houses.where(waybill)["state"] == "delivered"
    assert houses.world.one("SELECT status FROM cases WHERE code = 'refund_owed'") == "resolved"
    (booked,) = houses.world.effects("erp")["amended"].values()
    assert booked.startswith("1 WB-TEE, 1 WB-MUG; "), "once, and not again when the channel told of it"
    assert sum(houses.world.effects("erp")["deliveries"].values()) == 1
    assert houses.world.one("SELECT count(*) FROM cases WHERE status = 'open'") == 0
    assert houses.world.settled()


def test_all_of_it_is_refused_and_the_order_is_cancelled(houses: Houses) -> None:
    waybill, number = set_out(houses)
    for _ in range(2):
        assert houses.says(houses.alpha, number, "refusals", {"reason": "not nice"})["state"] == "refused"
    assert houses.where(waybill)["state"] == "cancelled"
    assert claimed(houses) == 0
    assert houses.refuses(houses.alpha, number, "collections", {"code": code(houses)}) == "not_yet"
    assert houses.world.one("SELECT count(*) FROM deadlines WHERE state = 'open' AND kind <> 'reconcile'") == 0
    assert "53.20 EUR" in houses.world.one("SELECT sentence FROM cases WHERE code = 'refund_owed'")
    assert len(houses.world.effects("erp")["cancelled"]) == 1


WORDS = ("collect", "collect part", "refuse part", "refuse", "no show", "extend")


def test_any_history_of_a_pickup_gives_each_piece_one_end(houses: Houses) -> None:
    """Against an oracle that only counts: what was handed over, what was refused, and what waits are the order's pieces, whatever was said."""
    dice = random.Random(17)
    houses.shelf("alpha", tee=99, mug=99)
    told: dict[str, Counter[str]] = {}
    for n in range(8):
        waybill = houses.market.mine.place(order(f"H-{n}", **KEPT))
        houses.world.pump()
        told[waybill] = _history(houses, dice, waybill)
        houses.follow()
    assert len({tuple(sorted(one.items())) for one in told.values()}) > 3, "the histories were all alike"
    for waybill, ends in told.items():
        name = {"w": waybill}
        rows = houses.world.rows(
            "SELECT f.state, sum((l->>'quantity')::int)::int AS n FROM fulfilments f JOIN subjects s ON s.id = f.subject_id, "
            "jsonb_array_elements(f.lines) l WHERE s.waybill = :w GROUP BY 1",
            **name,
        )
        kept = {row.state: row.n for row in rows}
        assert sum(kept.values()) == 3, (waybill, kept)
        assert (kept.get("collected", 0), kept.get("refused", 0)) == (ends["collected"], ends["refused"]), waybill
        body = houses.world.one(
            "SELECT d.body FROM subjects s JOIN documents d ON d.id = s.document_id WHERE s.waybill = :w", **name
        )
        from connectors.canonical.codec import decode

        found: Any = decode(body)
        whole = found.cancelled_at is not None
        assert whole == (ends["refused"] == 3)
        assert whole or sum(line.current_quantity for line in found.lines) == 3 - ends["refused"]
        assert sum(line.quantity for one in found.shipments for line in one.lines) == ends["collected"]
        claims = houses.world.one(
            "SELECT coalesce(sum(r.quantity - r.shipped), 0) FROM reservations r JOIN subjects s ON s.id = r.subject_id "
            "WHERE s.waybill = :w AND r.state = 'open'",
            **name,
        )
        assert claims == 3 - ends["refused"] - ends["collected"], waybill
    assert houses.world.one("SELECT coalesce(sum(-quantity), 0) FROM movements WHERE kind = 'pick'") == sum(
        ends["collected"] for ends in told.values()
    )
    assert houses.world.settled()


def _history(houses: Houses, dice: random.Random, waybill: str) -> Counter[str]:
    """Up to seven words, sensible or not, of any of its requests; what the oracle counts of them."""
    from app.database import transaction

    with transaction() as tx:
        pickups.ready(tx, f"{waybill}-F1", "alpha", 3600.0)
        subject = tx.exec_driver_sql(
            "SELECT subject_id FROM fulfilments WHERE number = %s", (f"{waybill}-F1",)
        ).scalar()
    ends: Counter[str] = Counter()
    for _ in range(dice.randint(2, 7)):
        with transaction() as tx:
            one = dice.choice(fulfilments.of(tx, int(subject or 0)))
        pieces = {line["line_id"]: Decimal(1) for line in dice.sample(list(one.lines), 1)}
        many = int(sum(want.quantity for want in one.wants))
        word = dice.choice(WORDS)
        try:
            with transaction() as tx:
                _say(tx, one, word, pieces if "part" in word else {})
        except Refused:
            continue
        if one.state == "ready" and word.split()[0] in ("collect", "refuse"):
            ends["collected" if word.startswith("collect") else "refused"] += 1 if "part" in word else many
        if dice.random() < 0.5:
            houses.follow()
    return ends


def _say(tx: Connection, one: Fulfilment, word: str, pieces: dict[str, Decimal]) -> None:
    if word.startswith("collect"):
        sharing.collect(tx, one.number, "alpha", one.verify, pieces)
    elif word.startswith("refuse"):
        sharing.refuse(tx, one.number, "alpha", "no", pieces)
    elif word == "no show":
        tx.exec_driver_sql("UPDATE deadlines SET due_at = now() - interval '1 second' WHERE part = %s", (one.number,))
        pickups.not_collected(tx, one.number, "alpha", "nobody")
    elif word == "extend":
        pickups.extend(tx, one.number, "alpha", "later", 3600.0)


@pytest.mark.parametrize("teller", ["header", "child"])
def test_what_both_take_off_is_taken_off_once(teller: str) -> None:
    """Pure: two of three were refused here; the channel takes one off, then both, then a third; told by the order or by a refund."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from app.orders.merge import HUB, merge, with_refund
    from connectors.canonical.money import MoneyBag, zero
    from connectors.canonical.returns import Refund, RefundLine
    from tests.core.generated_orders import order as generated

    made = replace(generated(3), refunds=(), returns=(), shipments=(), cancelled_at=None)
    first = replace(made.lines[0], quantity=Decimal(3), current_quantity=Decimal(3))
    start = replace(made, lines=(first, *made.lines[1:]))
    nothing = MoneyBag(zero(start.totals.total.shop.currency))

    def gone(name: str, many: int, origin: str) -> Refund:
        return Refund(name, nothing, (RefundLine(first.id, Decimal(many), nothing, nothing),), origin=origin)

    now = with_refund(start, gone("F2", 2, HUB))
    left = [now.lines[0].current_quantity]
    for n in range(1, 4):
        if teller == "child":
            now = with_refund(now, gone(f"R{n}", 1, "shop"))
        else:
            header = replace(start, lines=(replace(first, current_quantity=Decimal(3 - n)), *start.lines[1:]))
            later = replace(header, updated_at=datetime(2026, 11, 20, n, tzinfo=UTC))
            for _ in range(2):
                now = merge(now, later, newer=True, account="shop", links={}).order
        left.append(now.lines[0].current_quantity)
    assert left == [1, 1, 1, 0]


def test_another_word_on_a_settled_refund_takes_off_and_gives_back_nothing() -> None:
    """Pure: what the hub gave back as a sum its channel tells by the piece. Its pieces are not off the order, so this changes no line of it."""
    from dataclasses import replace

    from app.orders.difference import differences
    from app.orders.merge import with_refund
    from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Tender
    from connectors.canonical.returns import Adjustment, Refund, RefundLine
    from tests.core.generated_orders import order as generated

    made = replace(generated(3), refunds=(), returns=(), shipments=(), cancelled_at=None)
    line = replace(made.lines[0], quantity=Decimal(3), current_quantity=Decimal(3))
    start = replace(made, lines=(line, *made.lines[1:]))
    price = line.unit_price
    ours = Payment("M1", PaymentKind.REFUND, Tender.CARD, price, gateway="card")
    sum_alone = Refund("R1", price, adjustments=(Adjustment("cancellation", price),), payments=(ours,), origin="shop")
    pieces = (RefundLine(line.id, Decimal(1), price, price),)
    theirs = replace(sum_alone, lines=pieces, adjustments=(), payments=(replace(ours, id="T1"),))
    noted = with_refund(start, sum_alone)
    told = with_refund(noted, theirs)
    assert differences(noted, told) == []
    assert told.refunds[0].adjustments == sum_alone.adjustments
    assert told.refunds[0].payments == theirs.payments, "through what it went its channel knows"
    more = replace(theirs, total=price + price)
    assert with_refund(noted, more).refunds[0].lines == pieces, "of another sum it is another word"
    promised = replace(sum_alone, status=PaymentStatus.PENDING)
    assert with_refund(with_refund(start, promised), theirs).refunds[0].lines == pieces
