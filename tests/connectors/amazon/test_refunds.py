"""Money that the seller, or Amazon itself, gave back: read whole, once, in the words of the order, and told apart from what we gave back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import simplejson

from connectors import registry
from connectors.amazon.client import stamp
from connectors.canonical.order import Order
from connectors.canonical.payment import PaymentKind
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import ShipmentLine
from connectors.canonical.snapshot import Ignored, Pointer, Snapshot
from connectors.kit.capabilities import Message
from connectors.kit.errors import Transient, Unreadable
from tests.connectors.amazon.conftest import MakeShop, Shop
from tests.connectors.amazon.test_writes import TWO, money
from tests.contract.samples import refund, shipment

NOW = datetime.now(UTC).replace(microsecond=0)


def sent(seller: Shop, order: Order) -> Order:
    """All of it has left, in one parcel."""
    lines = tuple(ShipmentLine(line.quantity, line.sku, line.id) for line in order.lines)
    seller.done(seller.connector.confirm_shipment(order, shipment("f1", lines, "JD000001"), key="s"))
    return seller.again(order)


def given_back(seller: Shop, order: Order, hours: int = 3, **told: Any) -> None:
    """By hand in Seller Central, so many hours ago."""
    seller.system.post(f"/_sim/orders/{order.id}/refunds", {"at": stamp(NOW - timedelta(hours=hours)), **told})


def pieces(order: Order, *counts: int) -> dict[str, int]:
    return {line.id: count for line, count in zip(order.lines, counts, strict=True)}


def fetched(seller: Shop, order: Order, version: str = "") -> Message:
    found = seller.connector.fetch(Pointer("refund", order.id, version))
    assert found is not None
    return found


def read(seller: Shop, order: Order) -> list[Refund]:
    readings = registry.read(seller.bench.account, fetched(seller, order))
    return [one.document for one in readings if isinstance(one, Snapshot) and isinstance(one.document, Refund)]


def read_as(seller: Shop, order: Order, old: bytes, new: bytes) -> list[Refund]:
    """As if Amazon had told it otherwise."""
    readings = registry.read(seller.bench.account, spoiled(seller, order, old, new))
    return [one.document for one in readings if isinstance(one, Snapshot) and isinstance(one.document, Refund)]


def test_a_refund_names_its_pieces_their_tax_and_its_day(shop: MakeShop) -> None:
    """Prices with tax in them: one of two tees and the mug; the fees that Amazon gives back to the seller are not the buyer's."""
    seller = shop()
    sold = sent(seller, seller.place(lines=TWO))
    given_back(seller, sold, quantities=pieces(sold, 1, 1))
    (one,) = read(seller, sold)
    assert str(one.total.shop) == "28.40 EUR"
    told = [(line.line_id, line.quantity, line.subtotal, line.tax) for line in one.lines]
    assert told == [
        (sold.lines[0].id, Decimal(1), money("19.90"), money("3.18")),
        (sold.lines[1].id, Decimal(1), money("8.50"), money("1.36")),
    ]
    assert (one.adjustments, one.at) == ((), NOW - timedelta(hours=3))
    assert [(paid.kind, paid.amount, paid.gateway) for paid in one.payments] == [
        (PaymentKind.REFUND, one.total, sold.payments[0].gateway)
    ]


def test_taxes_beside_the_prices_and_delivery_go_back_apart(shop: MakeShop) -> None:
    """An American order whose tax Amazon remits: what the buyer got back has the tax in it, whoever pays it."""
    seller = shop()
    sold = sent(seller, seller.place("tax_beside"))
    given_back(seller, sold)
    (one,) = read(seller, sold)
    assert one.total == sold.totals.total
    (line, delivery) = one.lines[0], one.adjustments[0]
    assert (
        line.subtotal.shop.amount
        + line.tax.shop.amount
        + delivery.amount.shop.amount
        + (delivery.tax.shop.amount if delivery.tax else Decimal(0))
        == one.total.shop.amount
    )
    assert delivery.kind == "shipping"


@pytest.mark.parametrize("kind", ["promotion", "gift", "jpy", "kwd"])
def test_a_whole_order_goes_back_to_the_minor_unit(shop: MakeShop, kind: str) -> None:
    """Discounts are taken off, gift wrapping is beside the lines, currencies keep their own decimals."""
    seller = shop()
    sold = sent(seller, seller.place(kind))
    given_back(seller, sold)
    (one,) = read(seller, sold)
    assert one.total == sold.totals.total
    assert {line.line_id: line.quantity for line in one.lines} == {line.id: line.quantity for line in sold.lines}


def test_a_tax_that_the_order_did_not_know_is_in_the_sum(shop: MakeShop) -> None:
    """Books would refuse to give back a tax that was never charged."""
    seller = shop()
    sold = sent(seller, seller.place(lines=[{"sku": "WB-TEE"}]))
    given_back(seller, sold)
    (parted,) = read_as(
        seller, sold, b'"CurrencyAmount":-19.90}}', b'"CurrencyAmount":-16.72}},' + charge(b"Tax", b"-3.18")
    )
    assert [(line.quantity, line.subtotal, line.tax) for line in parted.lines] == [(1, money("19.90"), money("0"))]
    assert parted.id == read(seller, sold)[0].id


def charge(kind: bytes, amount: bytes) -> bytes:
    return b'{"ChargeType":"' + kind + b'","ChargeAmount":{"CurrencyCode":"EUR","CurrencyAmount":' + amount + b"}}"


def test_money_for_less_than_a_piece_takes_none_off(shop: MakeShop) -> None:
    """A gesture of goodwill is money, not goods."""
    seller = shop()
    sold = sent(seller, seller.place(lines=TWO))
    given_back(seller, sold, goodwill="5.00")
    (one,) = read(seller, sold)
    assert (one.lines, [(each.kind, each.amount) for each in one.adjustments]) == ((), [("goodwill", money("5.00"))])


def test_claims_and_chargebacks_are_refunds_that_nobody_of_us_made(shop: MakeShop) -> None:
    """Under their reason; a claim that was decided anew takes money back from the buyer, which is said and is no refund."""
    seller = shop()
    sold = sent(seller, seller.place(lines=TWO))
    given_back(seller, sold, 5, quantities=pieces(sold, 1, 0), kind="claim")
    given_back(seller, sold, 4, quantities=pieces(sold, 1, 0), kind="claim", back=True)
    given_back(seller, sold, 3, quantities=pieces(sold, 0, 1), kind="chargeback")
    found = read(seller, sold)
    assert [(one.reason, str(one.total.shop)) for one in found] == [
        ("guarantee_claim", "19.90 EUR"),
        ("chargeback", "8.50 EUR"),
    ]
    assert found[1].payments[0].kind is PaymentKind.CHARGEBACK
    readings = registry.read(seller.bench.account, fetched(seller, sold))
    assert ["settle it by hand" in one.reason for one in readings if isinstance(one, Ignored)] == [True]


# ---- which is which


def test_what_we_gave_back_is_read_under_our_own_name(shop: MakeShop) -> None:
    """Amazon places our sum under price and tax as it likes, and names the item by its SKU: it is the same refund all the same."""
    seller = shop()
    sold = sent(seller, seller.place(lines=TWO))
    ours = seller.done(seller.connector.give_back(sold, refund(sold), key="k"))
    assert [one.id for one in read(seller, sold)] == [ours]


def test_of_two_like_refunds_one_is_ours_whichever_was_posted_first(shop: MakeShop) -> None:
    """The seller gave back the mug by hand, we give back another: two names, one of them ours, and never a third."""
    seller = shop()
    sold = sent(seller, seller.place(lines=[{"sku": "WB-MUG", "quantity": 3, "price": "8.50"}]))
    given_back(seller, sold, quantities=pieces(sold, 1))
    ours = seller.done(seller.connector.give_back(sold, refund(sold), key="k"))
    names = [one.id for one in read(seller, sold)]
    assert len(set(names)) == 2
    assert ours in names
    again = replace(sold, refunds=tuple(read(seller, sold)))
    third = seller.done(seller.connector.give_back(again, replace(refund(sold), id="r-2"), key="k2"), find_first=True)
    assert third not in names
    assert {one.id for one in read(seller, sold)} == {*names, third}


def test_a_refund_that_its_own_order_does_not_list_yet_is_asked_for_again(shop: MakeShop) -> None:
    seller = shop()
    sold = sent(seller, seller.place(lines=TWO))
    given_back(seller, sold, goodwill="5.00")
    (listed,) = seller.connector.changed("refund", NOW - timedelta(days=1), NOW - timedelta(minutes=5))
    (pointer,) = registry.read(seller.bench.account, listed)
    assert isinstance(pointer, Pointer)
    assert fetched(seller, sold, pointer.version)
    with pytest.raises(Transient) as met:
        fetched(seller, sold, pointer.version.replace(pointer.version[:4], "1999"))
    assert met.value.code == "refund_late"


def test_a_look_back_over_a_year_is_asked_for_in_windows(shop: MakeShop) -> None:
    """Amazon answers nothing at all for more than 180 days at once."""
    seller = shop()
    names = []
    for days in (350, 200, 1):
        sold = sent(seller, seller.place(lines=TWO))
        given_back(seller, sold, 24 * days, goodwill="5.00")
        names.append(sold.id)
    found = list(seller.connector.changed("refund", NOW - timedelta(days=400), NOW - timedelta(minutes=5)))
    assert [simplejson.loads(one.body)["AmazonOrderId"] for one in found] == names


# ---- what is not understood


def spoiled(seller: Shop, order: Order, old: bytes, new: bytes) -> Message:
    message = fetched(seller, order)
    assert old in message.body
    return replace(message, body=message.body.replace(old, new))


def test_a_charge_that_is_not_published_is_refused_by_name(shop: MakeShop) -> None:
    """It may be the buyer's money. Another currency than the order's is refused as well."""
    seller = shop()
    sold = sent(seller, seller.place(lines=TWO))
    given_back(seller, sold, goodwill="5.00")
    at = "events.RefundEventList[0].ShipmentItemAdjustmentList[0].ItemChargeAdjustmentList[0]"
    for old, new, field in (
        (b'"Goodwill"', b'"Badwill"', f"{at}.ChargeType"),
        (
            b'"CurrencyCode":"EUR","CurrencyAmount":-5',
            b'"CurrencyCode":"USD","CurrencyAmount":-5',
            f"{at}.ChargeAmount.CurrencyCode",
        ),
    ):
        with pytest.raises(Unreadable) as met:
            registry.read(seller.bench.account, spoiled(seller, sold, old, new))
        assert met.value.field == field
