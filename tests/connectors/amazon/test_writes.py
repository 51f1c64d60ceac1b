"""What we tell Amazon: acknowledged, confirmed, cancelled, given back, stocked and priced, each once and on bad days too."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.amazon.shipments import reference
from connectors.canonical.money import Money, MoneyBag
from connectors.canonical.order import Order
from connectors.canonical.product import Price
from connectors.canonical.returns import Adjustment, Refund
from connectors.canonical.shipment import Tracking
from connectors.canonical.stock import StockLevel
from connectors.kit.errors import Ambiguous, Missing, NotOffered, Rejected
from connectors.kit.writes import BatchItem, Job
from tests.connectors.amazon.conftest import MakeShop, Shop
from tests.contract.samples import parcels, refund

TWO = [{"sku": "WB-TEE", "quantity": 2, "tax": "6.36"}, {"sku": "WB-MUG", "price": "8.50", "tax": "1.36"}]


def sent(seller: Shop, order: Order) -> Order:
    """All of it has left."""
    for n, parcel in enumerate(parcels(order)):
        seller.done(seller.connector.confirm_shipment(order, parcel, key=f"k{n}"))
    return seller.again(order)


# ---- acknowledgement


def test_an_acknowledged_order_bears_our_number(shop: MakeShop) -> None:
    seller = shop()
    sold = seller.place()
    assert seller.done(seller.connector.acknowledge(sold, number="SO-7001", key="k")) == "SO-7001"
    assert seller.again(sold).external_reference == "SO-7001"
    assert seller.effects("acknowledged") == {f"{sold.id}/SO-7001": 1}


def test_a_feed_that_takes_its_time_is_looked_at_again(shop: MakeShop) -> None:
    """Submitted under its id; while Amazon is at it the same job is answered."""
    seller = shop(feed_seconds=3600)
    write = next(seller.connector.acknowledge(seller.place(), number="SO-1", key="k"))
    job = write.send()
    assert isinstance(job, Job)
    assert write.poll is not None
    assert write.poll(job.id) == Job(job.id, after=30.0)
    assert write.find() is None
    seller.system.put("/_sim/feeds", {"seconds": 0})
    assert write.poll(job.id) == "SO-1"
    assert write.find() == "SO-1"


def test_a_feed_that_is_given_up_needs_a_person(shop: MakeShop) -> None:
    seller = shop()
    sold = seller.place()
    seller.system.put("/_sim/feeds", {"fatal": 1})
    with pytest.raises(Rejected) as met:
        seller.done(seller.connector.acknowledge(sold, number="SO-1", key="k"))
    assert met.value.code == "feed_fatal"
    assert seller.done(seller.connector.acknowledge(sold, number="SO-1", key="k")) == "SO-1"


def test_an_account_may_do_without_acknowledgement(shop: MakeShop) -> None:
    """createFeed allows one feed in two minutes: who sells more turns it off, and the step is skipped."""
    seller = shop()
    sold = seller.place()
    seller.settings(acknowledge=False)
    with pytest.raises(NotOffered):
        seller.done(seller.connector.acknowledge(sold, number="SO-1", key="k"))
    assert not seller.calls("feeds.create")


# ---- what Amazon sends itself


def test_nothing_is_told_of_what_amazon_sends_itself(shop: MakeShop) -> None:
    """Acknowledged, confirmed, cancelled, refunded: all skipped, with no call."""
    seller = shop()
    sold = seller.place("amazon")
    before = len(seller.system.calls())
    for writes in (
        seller.connector.acknowledge(sold, number="SO-1", key="k"),
        seller.connector.confirm_shipment(sold, parcels(sold)[0], key="k"),
        seller.connector.cancel_sale(sold, key="k"),
        seller.connector.give_back(sold, refund(sold), key="k"),
    ):
        with pytest.raises(NotOffered):
            seller.done(writes)
    assert len(seller.system.calls()) == before


# ---- shipments


def test_two_parcels_of_one_shipment_are_two_packages(shop: MakeShop) -> None:
    """Each with its number and pieces; the order ends shipped, and its packages come back as shipments."""
    seller = shop()
    carriers(seller, {"dhl": "DHL", "local courier": "Other"})
    sold = seller.place(lines=TWO)
    first, rest = parcels(sold)
    both = replace(
        first,
        lines=(*first.lines, *rest.lines),
        trackings=(
            Tracking("JD1", "dhl", lines=first.lines),
            Tracking("1Z2", "local courier", lines=rest.lines),
        ),
    )
    seller.done(seller.connector.confirm_shipment(sold, both, key="k"))
    seen = seller.again(sold)
    assert [(one.trackings[0].number, one.trackings[0].carrier) for one in seen.shipments] == [
        ("JD1", "DHL"),
        ("1Z2", "local courier"),
    ]
    assert seen.status == "SHIPPED"
    assert seller.effects("pieces") == {f"{sold.id}/{line.id}": f"{line.quantity} pieces" for line in sold.lines}


def carriers(seller: Shop, codes: dict[str, str]) -> None:
    object.__setattr__(seller.bench.codes, "table", {**seller.bench.codes.table, "carrier": codes})


@pytest.mark.parametrize(
    ("code", "sent"),
    [("DHL", '"carrierCode":"DHL",'), ("Other", '"carrierCode":"Other","carrierName":"kurier-24"')],
)
def test_an_unknown_carrier_parks_before_anything_is_sent_until_somebody_maps_it(
    shop: MakeShop, code: str, sent: str
) -> None:
    """The second parcel's carrier is unknown: not even the first is told."""
    seller = shop()
    sold = seller.place(lines=TWO)
    first, rest = parcels(sold)
    trackings = (Tracking("JD1", "dhl", lines=first.lines), Tracking("X1", "kurier-24", lines=rest.lines))
    both = replace(first, lines=(*first.lines, *rest.lines), trackings=trackings)
    with pytest.raises(Missing) as parked:
        seller.done(seller.connector.confirm_shipment(sold, both, key="k"))
    assert (parked.value.kind, parked.value.value) == ("carrier", "kurier-24")
    assert not seller.system.calls("orders.confirm")
    carriers(seller, {"dhl": "DHL", "kurier-24": code})
    seller.done(seller.connector.confirm_shipment(sold, both, key="k"))
    assert sent in seller.system.calls("orders.confirm")[1]["body"]


def test_a_shipment_without_a_number_is_refused_before_anything_is_sent(shop: MakeShop) -> None:
    seller = shop()
    sold = seller.place()
    with pytest.raises(Rejected) as met:
        seller.done(seller.connector.confirm_shipment(sold, replace(parcels(sold)[0], trackings=()), key="k"))
    assert met.value.code == "no_tracking"
    assert not seller.calls("orders.confirm")


def test_more_than_was_ordered_is_refused_in_amazons_words(shop: MakeShop) -> None:
    seller = shop()
    sold = seller.place()
    for n in (1, 2):
        parcel = replace(parcels(sold)[0], id=f"f{n}")
        if n == 1:
            seller.done(seller.connector.confirm_shipment(sold, parcel, key="k"))
            continue
        with pytest.raises(Rejected) as met:
            seller.done(seller.connector.confirm_shipment(sold, parcel, key="k"))
        assert met.value.code == "quantity"
        assert "more than is left" in met.value.sentence


def test_a_package_keeps_its_reference(shop: MakeShop) -> None:
    """The same shipment has the same number whenever it is asked: digits, and not zero."""
    assert reference("1001-f1", 0) == reference("1001-f1", 0)
    told = {reference(f"shipment-{n}", parcel) for n in range(2000) for parcel in range(3)}
    assert len(told) == 6000
    assert all(one.isdigit() and 0 < int(one) < 10**9 for one in told)


def test_a_parcel_that_left_before_the_order_came_is_dated_at_the_order(shop: MakeShop) -> None:
    """Amazon refuses a ship date before the purchase; a warehouse's clock may be behind."""
    seller = shop()
    sold = seller.place(created_at="2026-03-05T10:00:00Z", updated_at="2026-03-05T10:00:00Z")
    seller.done(seller.connector.confirm_shipment(sold, parcels(sold)[0], key="k"))  # of 2 March
    (call,) = seller.system.calls("orders.confirm")
    assert '"shipDate":"2026-03-05T10:00:00.000Z"' in call["body"]


# ---- cancellation


def test_a_cancelled_order_is_cancelled_at_amazon(shop: MakeShop) -> None:
    seller = shop()
    sold = seller.place(lines=TWO)
    assert seller.done(seller.connector.cancel_sale(replace(sold, cancel_reason="inventory"), key="k")) == sold.id
    seen = seller.again(sold)
    assert seen.cancelled_at is not None
    assert seen.cancel_reason == "NoInventory"
    assert seller.done(seller.connector.cancel_sale(sold, key="k"), find_first=True) == sold.id
    assert seller.effects("cancelled") == {sold.id: 1}


def test_what_has_left_is_not_cancelled(shop: MakeShop) -> None:
    seller = shop()
    sold = seller.place(lines=TWO)
    seller.done(seller.connector.confirm_shipment(sold, parcels(sold)[0], key="k"))
    with pytest.raises(Rejected) as met:
        seller.done(seller.connector.cancel_sale(sold, key="k"))
    assert met.value.code == "shipped"
    assert not seller.calls("feeds.create")


def test_a_parcel_that_leaves_before_the_feed_is_worked_through_wins(shop: MakeShop) -> None:
    """Amazon refuses the message, and the report's words reach the step."""
    seller = shop(feed_seconds=3600)
    sold = seller.place()
    write = next(seller.connector.cancel_sale(sold, key="k"))
    job = write.send()
    assert isinstance(job, Job)
    assert write.poll is not None
    seller.done(seller.connector.confirm_shipment(sold, parcels(sold)[0], key="k"))
    seller.system.put("/_sim/feeds", {"seconds": 0})
    with pytest.raises(Rejected) as met:
        write.poll(job.id)
    assert met.value.code == "shipped"
    assert not seller.effects("cancelled")


# ---- refunds


def money(amount: str, currency: str = "EUR") -> MoneyBag:
    return MoneyBag(Money(Decimal(amount), currency))


def test_a_refund_is_told_by_price_component(shop: MakeShop) -> None:
    """Prices without tax: what the piece was worth, its tax, and the delivery with its own."""
    seller = shop()
    sold = sent(seller, seller.place("tax_beside"))
    back = refund(sold)
    tax = money("1.40", "USD")
    lines = (replace(back.lines[0], subtotal=money("19.99", "USD"), tax=tax),)
    delivery = (Adjustment("shipping", money("5.00", "USD"), money("0.35", "USD")),)
    back = replace(back, lines=lines, adjustments=delivery, total=money("26.74", "USD"))
    seller.done(seller.connector.give_back(sold, back, key="k"))
    told = {"Principal": "19.99", "Tax": "1.40", "Shipping": "5.00", "ShippingTax": "0.35"}
    assert seller.effects("refund") == {f"{sold.id}/{kind}/{amount}": 1 for kind, amount in told.items()}


def test_a_refund_whose_parts_make_another_sum_is_refused(shop: MakeShop) -> None:
    seller = shop()
    sold = sent(seller, seller.place(lines=TWO))
    with pytest.raises(Rejected) as met:
        seller.done(seller.connector.give_back(sold, replace(refund(sold), total=money("9.99")), key="k"))
    assert met.value.code == "sum_differs"
    assert not seller.calls("feeds.documents.create")


def test_more_than_was_paid_is_refused_in_amazons_words(shop: MakeShop) -> None:
    seller = shop()
    sold = sent(seller, seller.place(lines=TWO))
    whole = Refund("r-1", money("99.00"), adjustments=(Adjustment("goodwill", money("99.00")),))
    with pytest.raises(Rejected) as met:
        seller.done(seller.connector.give_back(sold, whole, key="k"))
    assert "more than the buyer paid" in met.value.sentence
    assert not seller.effects("refund")


def test_two_like_refunds_are_told_apart_by_their_number(shop: MakeShop) -> None:
    """Each for one tee: the second is not taken for the first, nor made twice when its answer was lost."""
    seller = shop()
    sold = sent(seller, seller.place(lines=[{"sku": "WB-TEE", "quantity": 2}]))
    one, two = (replace(refund(sold), id=name) for name in ("r-1", "r-2"))
    first = seller.done(seller.connector.give_back(sold, one, key="k1"))
    assert next(seller.connector.give_back(sold, two, key="k2")).find() is None
    second = seller.done(seller.connector.give_back(sold, two, key="k2"), find_first=True)
    assert (first[-2:], second[-2:], first[:-2]) == ("-1", "-2", second[:-2])
    assert next(seller.connector.give_back(sold, two, key="k2")).find() == second
    assert seller.effects("refund") == {f"{sold.id}/Principal/19.90": 2}


def test_what_was_paid_for_a_cancelled_order_amazon_gives_back_itself(shop: MakeShop) -> None:
    """Where refunds are the hub's to give, a cancellation is one, too: Amazon would refuse it as not shipped."""
    seller = shop()
    gone = replace(seller.place(lines=TWO), cancelled_at=datetime.now(UTC))
    with pytest.raises(NotOffered, match="by itself"):
        seller.done(seller.connector.give_back(gone, refund(gone), key="k"))
    assert not seller.calls("feeds.documents.create")


# ---- stock and prices


def levels(*skus: str, quantity: int = 7) -> list[BatchItem[StockLevel]]:
    return [BatchItem(StockLevel(sku, "main", available=Decimal(quantity)), f"k-{sku}") for sku in skus]


def stock(seller: Shop, items: list[BatchItem[StockLevel]]) -> list[Any]:
    batch = seller.connector.publish_stock([item.document for item in items], key="k")
    return list(batch.send(items))


def test_what_is_there_already_costs_no_write(shop: MakeShop) -> None:
    seller = shop()
    assert stock(seller, levels("WB-TEE", "WB-MUG")) == ["WB-TEE@DEFAULT", "WB-MUG@DEFAULT"]
    assert seller.calls("listings.patch") == 2
    assert stock(seller, levels("WB-TEE", "WB-MUG")) == ["WB-TEE@DEFAULT", "WB-MUG@DEFAULT"]
    assert seller.calls("listings.patch") == 2
    assert seller.calls("listings.search") == 2


def test_a_listing_that_amazon_sends_keeps_its_channel(shop: MakeShop) -> None:
    """A quantity of ours would take it out of Amazon's warehouse."""
    seller = shop()
    seller.system.post("/_sim/listings", {"sku": "WB-MUG", "channel": "AMAZON_EU"})
    fine, refused = stock(seller, levels("WB-TEE", "WB-MUG"))
    assert fine == "WB-TEE@DEFAULT"
    assert isinstance(refused, Rejected)
    assert refused.code == "fulfilled_by_amazon"
    assert seller.effects("stock") == {"WB-TEE/DEFAULT": "7 pieces", "WB-MUG/AMAZON_EU": "None pieces"}


def test_many_changes_go_out_in_one_feed(shop: MakeShop) -> None:
    """Forty SKUs: two searches, one feed, no patch; each has its own verdict."""
    skus = [f"WB-{n:03}" for n in range(40)]
    seller = shop(skus=skus)
    _named(seller, [*skus, "WB-GONE"])
    verdicts = stock(seller, levels(*skus, "WB-GONE"))
    assert verdicts[:40] == [f"{sku}@DEFAULT" for sku in skus]
    assert isinstance(verdicts[40], Rejected)
    assert [seller.calls(name) for name in ("listings.search", "feeds.create", "listings.patch")] == [3, 1, 0]
    assert len(seller.effects("stock")) == 40


def test_patches_stand_in_where_feeds_are_used_up(shop: MakeShop) -> None:
    """createFeed allows 15 at once and one in two minutes: stock does not wait for it."""
    seller = shop()
    seller.settings(feed_from=1)
    seller.system.bad_day("throttle", operations=["feeds.create"], times=1)
    assert stock(seller, levels("WB-TEE", "WB-MUG")) == ["WB-TEE@DEFAULT", "WB-MUG@DEFAULT"]
    assert [seller.calls(name) for name in ("feeds.create", "listings.patch")] == [1, 2]


def test_one_bad_value_of_a_feed_is_its_own_verdict(shop: MakeShop) -> None:
    """Pain 20: the report names the message, and the others stand."""
    seller = shop()
    seller.settings(feed_from=1)
    prices = [Price(sku, Money(Decimal(amount), "EUR")) for sku, amount in (("WB-TEE", "21.50"), ("WB-MUG", "0"))]
    batch = seller.connector.publish_prices(prices, key="k")
    items = [BatchItem(one, one.sku) for one in prices]
    fine, refused = batch.send(items)
    assert fine == "WB-TEE@EUR"
    assert isinstance(refused, Rejected)
    assert refused.code == "amount"
    assert [batch.find(item) is not None for item in items] == [True, False]


def test_a_feed_that_takes_its_time_is_in_doubt_until_the_listings_show_it(shop: MakeShop) -> None:
    seller = shop(feed_seconds=3600)
    seller.settings(feed_from=1, feed_patience=0)
    items = levels("WB-TEE")
    batch = seller.connector.publish_stock([item.document for item in items], key="k")
    with pytest.raises(Ambiguous):
        batch.send(items)
    assert batch.find(items[0]) is None
    seller.system.put("/_sim/feeds", {"seconds": 0})
    seller.effects("stock")
    assert batch.find(items[0]) == "WB-TEE@DEFAULT"
    assert batch.send(items) == ["WB-TEE@DEFAULT"]
    assert seller.calls("feeds.create") == 1


def test_a_price_goes_to_the_marketplaces_of_its_currency(shop: MakeShop) -> None:
    seller = shop()
    price = Price("WB-TEE", Money(Decimal("21.50"), "EUR"))
    other = Price("WB-TEE", Money(Decimal("21.50"), "SEK"))
    batch = seller.connector.publish_prices([price, other], key="k")
    fine, refused = batch.send([BatchItem(price, "1"), BatchItem(other, "2")])
    assert fine == "WB-TEE@EUR"
    assert isinstance(refused, Rejected)
    assert refused.code == "currency"
    assert seller.effects("price") == {"WB-TEE/A1PA6795UKMFR9": "21.50 EUR"}


def offer(seller: Shop) -> Any:
    (listing,) = seller.connector.client.listings(["WB-TEE"])
    (told,) = (one for one in listing["attributes"]["purchasable_offer"] if one["audience"] == "ALL")
    return told


def told_price(seller: Shop, price: Price) -> Any:
    """It is told, found, and not told twice."""
    batch, item = seller.connector.publish_prices([price], key="k"), BatchItem(price, "1")
    before = seller.calls("listings.patch")
    assert batch.send([item]) == ["WB-TEE@EUR"] == [batch.find(item)]
    assert batch.send([item]) == ["WB-TEE@EUR"]
    assert seller.calls("listings.patch") <= before + 1
    return offer(seller)


def test_a_promotion_reaches_amazon_with_its_dates_and_ends(shop: MakeShop) -> None:
    """our_price stays what it is reduced from; a sale that is taken back early is given an end that has passed."""
    seller, now = shop(), datetime.now(UTC)
    since, until = now - timedelta(hours=1), now + timedelta(days=7)
    eur = [Money(Decimal(amount), "EUR") for amount in ("21.50", "14.90", "15.90")]
    for amount in eur[1:]:  # the second is the first, corrected
        found = told_price(seller, Price("WB-TEE", amount, eur[0], effective_from=since, effective_until=until))
        (sale,) = found["discounted_price"][0]["schedule"]
        assert (found["our_price"][0]["schedule"][0]["value_with_tax"], sale["value_with_tax"]) == (21.5, amount.amount)
        assert (sale["start_at"], sale["end_at"]) == tuple(f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (since, until))
    found = told_price(seller, Price("WB-TEE", eur[0]))
    assert found["our_price"][0]["schedule"][0]["value_with_tax"] == Decimal("21.50")
    assert found["discounted_price"][0]["schedule"][0]["end_at"] < f"{now:%Y-%m-%d}"
    lasting = told_price(seller, Price("WB-TEE", eur[1], eur[0], effective_from=since))
    assert lasting["our_price"][0]["schedule"][0]["value_with_tax"] == Decimal("14.90")  # a sale has an end


def test_a_sale_that_is_shown_by_days_is_the_same_sale(shop: MakeShop) -> None:
    seller, today = shop(), datetime.now(UTC).replace(hour=8)
    named = {"marketplace_id": "A1PA6795UKMFR9", "currency": "EUR", "audience": "ALL"}
    ends = today + timedelta(days=3)
    days = {"value_with_tax": Decimal("14.90"), "start_at": f"{today:%Y-%m-%d}", "end_at": f"{ends:%Y-%m-%d}"}
    ours = {
        "our_price": [{"schedule": [{"value_with_tax": Decimal("21.50")}]}],
        "discounted_price": [{"schedule": [days]}],
    }
    patch = {"op": "merge", "path": "/attributes/purchasable_offer", "value": [named | ours]}
    seller.connector.client.patch_listing("WB-TEE", {"productType": "SHIRT", "patches": [patch]})
    money = [Money(Decimal(amount), "EUR") for amount in ("14.90", "21.50")]
    price = Price("WB-TEE", money[0], money[1], effective_from=today, effective_until=ends)
    before = seller.calls("listings.patch")
    told_price(seller, price)
    assert seller.calls("listings.patch") == before


def test_a_merge_leaves_what_others_set(shop: MakeShop) -> None:
    """A price for businesses stays, and ours is changed, not added to."""
    seller = shop()
    client = seller.connector.client
    b2b = {
        "marketplace_id": "A1PA6795UKMFR9",
        "currency": "EUR",
        "audience": "B2B",
        "our_price": [{"schedule": [{"value_with_tax": Decimal("18.00")}]}],
    }
    patch = {"op": "merge", "path": "/attributes/purchasable_offer", "value": [b2b]}
    client.patch_listing("WB-TEE", {"productType": "SHIRT", "patches": [patch]})
    for amount in ("21.50", "22.50"):
        price = Price("WB-TEE", Money(Decimal(amount), "EUR"))
        seller.connector.publish_prices([price], key="k").send([BatchItem(price, "1")])
    (listing,) = client.listings(["WB-TEE"])
    offers = {
        one["audience"]: one["our_price"][0]["schedule"][0]["value_with_tax"]
        for one in listing["attributes"]["purchasable_offer"]
    }
    assert offers == {"B2B": Decimal("18.00"), "ALL": Decimal("22.50")}


@pytest.mark.parametrize("quantity", ["-1", "1.5"])
def test_no_count_is_no_quantity(shop: MakeShop, quantity: str) -> None:
    seller = shop()
    (verdict,) = stock(seller, [BatchItem(StockLevel("WB-TEE", "main", available=Decimal(quantity)), "k")])
    assert isinstance(verdict, Rejected)
    assert verdict.code == "no_quantity"


def test_an_unmapped_sku_is_missing_and_holds_nobody_up(shop: MakeShop) -> None:
    seller = shop()
    fine, missing = stock(seller, levels("WB-TEE", "WB-NEW"))
    assert fine == "WB-TEE@DEFAULT"
    assert isinstance(missing, Missing)


def _named(seller: Shop, skus: list[str]) -> None:
    codes = {**seller.bench.codes.table, "sku": {sku: sku for sku in skus}}
    object.__setattr__(seller.bench.codes, "table", codes)
