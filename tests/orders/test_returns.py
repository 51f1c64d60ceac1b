"""Returns: only what may come back does, goods go where they belong, and each tender gives back at most what it took, to the cent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.orders import returning
from app.orders.eligibility import eligible
from app.orders.refused import Refused
from app.orders.return_requests import ReturnLine, ReturnRow
from app.orders.returning import net
from app.orders.worth import paid_for
from tests.core.generated_orders import order as generated
from tests.world import World

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def shipped(acme: World, **wanted: Any) -> dict[str, Any]:
    order = acme.order(**wanted)
    acme.pump()
    waybill = acme.one("SELECT waybill FROM subjects WHERE kind = 'order' ORDER BY id DESC LIMIT 1")
    parcel = acme.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={})
    acme.deliver("shipment.sent", parcel, account="warehouse")
    acme.pump()
    return order


def subject(tx: Any) -> Any:
    from app.journal import subjects

    row = tx.exec_driver_sql("SELECT id FROM subjects WHERE kind = 'order' ORDER BY id DESC LIMIT 1").one()
    return subjects.lock_id(tx, row.id)


def ask(order: dict[str, Any], pieces: int = 1, key: str = "k1", now: datetime | None = None, **more: Any) -> ReturnRow:
    from app.database import transaction

    with transaction() as tx:
        mine = subject(tx)
        lines = [ReturnLine(order["lines"][0]["id"], Decimal(pieces), "too small")]
        at = now or datetime.now(UTC)
        return returning.request(tx, mine.id, mine.waybill, mine.document, lines, key=key, now=at, **more)


def count(number: str, line: str, pieces: int, disposition: str = "restock") -> ReturnRow:
    from app.database import transaction

    with transaction() as tx:
        told = {line: (Decimal(pieces), disposition)}
        return returning.receive(tx, number, subject(tx).document, told, location="store", who="the store")


def test_bought_on_the_web_returned_in_the_store_and_paid_by_the_channel(acme: World) -> None:
    """A cross-channel return: asked, authorised, counted in the store, decided by tender, paid once the channel's refund comes."""
    order = shipped(acme)
    line = order["lines"][0]["id"]
    asked = ask(order)
    assert (asked.state, asked.number[-3:]) == ("authorised", "-R1")
    assert ask(order).number == asked.number, "the same key is the same return"
    for _ in range(2):
        back = count(asked.number, line, 1)
    assert (back.state, back.location) == ("restocked", "store")
    assert back.refunds == (("card", Decimal("20.71")),), "half of 2 x 19.90 less 5.00 and 19 % tax on it: 41.41"
    assert acme.one("SELECT count(*) FROM deadlines WHERE kind = 'refund' AND state = 'open'") == 1
    paid = {"lines": [{"line_id": line, "quantity": "1"}]}
    acme.deliver("refund.made", acme.ask("shop", "POST", f"/_sim/orders/{order['id']}/refunds", json=paid))
    acme.pump()
    assert acme.one("SELECT state FROM return_requests") == "refunded"
    assert acme.one("SELECT state FROM deadlines WHERE kind = 'refund'") == "met"
    assert len(acme.effects("erp")["credits"]) == 1
    assert acme.settled()


def test_what_may_not_come_back_is_declined_with_the_reason(acme: World) -> None:
    order = shipped(acme)
    assert ask(order, 3, "too many").refused.endswith("not so many have left that did not come back.")
    assert ask(order, 2, "fine").state == "authorised"
    assert ask(order, 1, "all of it comes already").state == "declined"
    late = ask(order, 1, "late", now=datetime.now(UTC) + timedelta(days=60))
    assert late.state == "declined"
    with pytest.raises(Refused) as wrong:
        count(acme.one("SELECT number FROM return_requests WHERE state = 'authorised'"), "another line", 1)
    assert wrong.value.code == "not_on_it"


def test_goods_that_do_not_come_and_money_that_does_not_go_are_cases(acme: World) -> None:
    from app.database import transaction
    from tasks.feeds import deadlines

    order = shipped(acme)
    first, second = ask(order, 1, "a"), ask(order, 1, "b")
    count(first.number, order["lines"][0]["id"], 1, "scrap")
    assert acme.one("SELECT state FROM return_requests WHERE number = :n", n=first.number) == "scrapped"
    with transaction() as tx:
        tx.exec_driver_sql("UPDATE deadlines SET due_at = now() - interval '1 second' WHERE state = 'open'")
    deadlines.run()
    told = {row.code: row.sentence for row in acme.rows("SELECT code, sentence FROM cases")}
    assert told == {
        "return_money": f"What {first.number} gives back was not paid out.",
        "return_goods": f"The goods of {second.number} did not come.",
    }


def test_two_tenders_give_back_at_most_what_each_took(acme: World) -> None:
    """Split tenders with a gift card: the last that paid gives back first, and what is promised already is not given twice."""
    total = Decimal(acme.place()["totals"]["total"])
    paid = [
        {
            "id": "p1",
            "kind": "sale",
            "status": "success",
            "tender": "gift_card",
            "gateway": "gift card",
            "amount": str(total - 10),
        },
        {"id": "p2", "kind": "sale", "status": "success", "tender": "card", "gateway": "card", "amount": "10.00"},
    ]
    order = shipped(acme, payments=paid)
    line = order["lines"][0]["id"]
    first, second = ask(order, 1, "a"), ask(order, 1, "b")
    assert count(first.number, line, 1).refunds == (("card", Decimal("10.00")), ("gift card", Decimal("10.71")))
    assert count(second.number, line, 1).refunds == (("gift card", Decimal("20.70")),)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 5000), st.lists(st.integers(1, 3), min_size=1, max_size=9))
def test_any_split_of_a_lines_pieces_sums_to_what_was_paid_for_it(number: int, parts: list[int]) -> None:
    """Pain 36: to the minor unit, in currencies of 0, 2 and 3 decimals, taxes in the price or beside it."""
    made = generated(number)
    line = made.lines[0]
    if line.quantity <= 0:
        return
    given_back, paid = Decimal(0), Decimal(0)
    for part in parts:
        more = min(Decimal(part), line.quantity - given_back)
        paid += paid_for(made, line, given_back, more)
        given_back += more
    paid += paid_for(made, line, given_back, line.quantity - given_back)
    assert paid == paid_for(made, line, Decimal(0), line.quantity)


def test_an_exchange_is_set_off_against_what_came_back() -> None:
    made = generated(3)
    line = made.lines[0]
    worth = paid_for(made, line, Decimal(0), line.quantity)
    same = [ReturnLine(line.id, line.quantity)]
    assert net(made, worth, same) == (0, 0)
    assert net(made, worth + 5, same) == (5, 0)
    assert net(made, worth - 5, same) == (0, 5)


def test_an_order_that_has_not_left_has_nothing_to_return() -> None:
    made = generated(3)
    assert eligible(made, [ReturnLine(made.lines[0].id, Decimal(1))], [], NOW, 30).code == "not_that_many"
    assert eligible(made, [ReturnLine("none", Decimal(1))], [], NOW, 30).code == "unknown_line"
