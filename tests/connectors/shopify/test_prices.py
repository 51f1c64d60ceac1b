"""Prices in Shopify: of variants and of a price list, reduced and no longer, each with its own verdict."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from threading import Timer
from typing import Any

import pytest
import simplejson

from connectors.canonical.money import Money
from connectors.canonical.product import Price
from connectors.kit.errors import Ambiguous, Missing, Rejected
from connectors.kit.writes import BatchItem
from connectors.shopify import price_places
from tests.contract.bench import Bench
from tests.contract.system import System

SET, FIX = "productVariantsBulkUpdate", "priceListFixedPricesAdd"
LISTS = pytest.mark.parametrize("price_list", ["", "7"])


def euro(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def tell(bench: Bench, *prices: Price) -> list[Any]:
    """The verdicts."""
    batch = bench.connector().publish_prices(prices, key="k")
    return list(batch.send([BatchItem(one, f"k-{n}") for n, one in enumerate(prices)]))


def found(bench: Bench, price: Price) -> str | None:
    return bench.connector().publish_prices([price], key="k").find(BatchItem(price, "k"))


def shown(shop: System, sku: str) -> str:
    return str(shop.get("/_sim/effects")["price"][sku])


def listed(shop: System, bench: Bench, price_list: str, currency: str = "EUR") -> str:
    """The account's prices stand in this list from now on; how a SKU's price there is called."""
    if price_list:
        shop.put(f"/_sim/price_lists/{price_list}", {"currency": currency})
        bench.account = replace(bench.account, settings={**bench.account.settings, "price_list": price_list})
    return f"WB-TEE@{price_list}".rstrip("@")


def family(shop: System, bench: Bench, *skus: str) -> None:
    """One product with these variants."""
    first, *others = ({"sku": sku, "price": "10.00"} for sku in skus)
    shop.post("/_sim/products", {**first, "variants": others})
    bench.codes.table["sku"].update({sku: sku for sku in skus})  # type: ignore[attr-defined]


def sizes(bench: Bench) -> list[int]:
    """How many variants each call named."""
    sent = [one for one in bench.exchanges if one.operation == SET]
    return [len(simplejson.loads(one.request)["variables"]["variants"]) for one in sent]


@LISTS
def test_a_reduction_shows_the_former_price_and_its_end_takes_it_away(
    shop: System, bench: Bench, price_list: str
) -> None:
    name = listed(shop, bench, price_list)
    reduced, usual = Price("WB-TEE", euro("15.50"), euro("19.90")), Price("WB-TEE", euro("19.9"))
    for price, told in ((reduced, "15.50 instead of 19.90"), (usual, "19.9")):
        (verdict,) = tell(bench, price)
        assert verdict == found(bench, price)
        assert shown(shop, name).rstrip("0") == told.rstrip("0")
        assert len(shop.calls(FIX if price_list else SET)) == (1 if price is reduced else 2)
        tell(bench, price)
        assert len(shop.calls(FIX if price_list else SET)) == (1 if price is reduced else 2), "it is there already"
    assert found(bench, reduced) is None
    if price_list:
        assert shown(shop, "WB-TEE") == "19.90", "the catalogue's own is another"


def test_variants_of_one_product_are_one_call(shop: System, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as a call takes: 250 at Shopify, three here."""
    assert price_places.MOST == 250
    monkeypatch.setattr(price_places, "MOST", 3)
    skus = [f"WB-SIZE-{n}" for n in range(4)]
    family(shop, bench, *skus)
    prices = [*(Price(sku, euro("12.00")) for sku in skus), Price("WB-MUG", euro("9.00"))]
    assert all(isinstance(one, str) for one in tell(bench, *prices))
    assert sorted(sizes(bench)) == [1, 1, 3]
    assert {shown(shop, sku) for sku in skus} == {"12.00"}


@LISTS
def test_a_refused_variant_holds_no_other_up(shop: System, bench: Bench, price_list: str) -> None:
    listed(shop, bench, price_list)
    at = f"@{price_list}".rstrip("@")
    family(shop, bench, "WB-S", "WB-M", "WB-L")
    shop.post("/_sim/products", {"sku": "WB-CARD", "gift_card": True})
    bench.codes.table["sku"]["WB-CARD"] = "WB-CARD"  # type: ignore[attr-defined]
    bad = Price("WB-CARD", euro("5000")) if price_list else Price("WB-M", euro("-1"))
    small, refused, large, gone, nowhere, mug = tell(
        bench,
        Price("WB-S", euro("11.00")),
        bad,
        Price("WB-L", euro("13.00")),
        Price("WB-GONE", euro("1.00")),
        Price("WB-NOWHERE", euro("1.00")),
        Price("WB-MUG", euro("9.00")),
    )
    assert all(isinstance(one, str) for one in (small, large, mug))
    assert isinstance(refused, Rejected)
    code = "local_currency_gift_card_limit_exceeded" if price_list else "greater_than_or_equal_to"
    assert (refused.code, refused.field.rpartition(".")[2]) == (code, "price")
    assert isinstance(gone, Rejected)
    assert (gone.code, gone.field, gone.owner) == ("unknown_sku", "sku", "catalogue")
    assert isinstance(nowhere, Missing)
    assert (nowhere.kind, nowhere.value) == ("sku", "WB-NOWHERE")
    assert [shown(shop, f"{sku}{at}") for sku in ("WB-S", "WB-L", "WB-MUG")] == ["11.00", "13.00", "9.00"]
    assert shown(shop, "WB-M") == "10.00"


@pytest.mark.parametrize("shop", [{"partial": False}], indirect=True)
def test_what_was_not_set_beside_a_refused_one_is_set_again(shop: System, bench: Bench) -> None:
    """Shopify promises of a partial update that the valid ones *may* be set: here they are not."""
    family(shop, bench, "WB-S", "WB-M")
    small, medium = tell(bench, Price("WB-S", euro("11.00")), Price("WB-M", euro("-1")))
    assert isinstance(small, str)
    assert isinstance(medium, Rejected)
    assert shown(shop, "WB-S") == "11.00"
    assert sizes(bench) == [2, 1]


def test_a_product_that_went_meanwhile_is_refused_whole(shop: System, bench: Bench) -> None:
    """Looked up and then deleted: the error names no row."""
    shop.put("/_sim/faults", [{"kind": "slow", "operations": [SET], "value": 0.6, "times": 1}])
    gone = Timer(0.3, lambda: shop.post("/_sim/products/WB-MUG", {"status": "deleted"}))
    gone.start()
    (mug,) = tell(bench, Price("WB-MUG", euro("9.00")))
    gone.join()
    assert isinstance(mug, Rejected)
    assert mug.code == "product_does_not_exist"


def test_a_sku_on_two_articles_is_nobodys_price(shop: System, bench: Bench) -> None:
    shop.post("/_sim/products", {"sku": "WB-MUG", "title": "Mug, second choice"})
    (mug,) = tell(bench, Price("WB-MUG", euro("9.00")))
    assert isinstance(mug, Rejected)
    assert (mug.code, mug.owner) == ("ambiguous_sku", "catalogue")
    assert not shop.calls(SET)


def test_a_price_of_another_currency_is_refused(shop: System, bench: Bench) -> None:
    """The catalogue's are in the shop's own, which Shopify is asked for; a list has one of its own."""
    francs = Price("WB-TEE", Money(Decimal("21.00"), "CHF"))
    (told,) = tell(bench, francs)
    assert isinstance(told, Rejected)
    assert (told.code, told.field) == ("currency", "amount")
    assert "EUR" in told.sentence
    name = listed(shop, bench, "7", currency="CHF")
    euros, francs_ = tell(bench, Price("WB-TEE", euro("19.00")), francs)
    assert isinstance(euros, Rejected)
    assert isinstance(francs_, str)
    assert shown(shop, name) == "21.00"


def test_what_no_call_can_tell(shop: System, bench: Bench) -> None:
    many, fraction = tell(bench, Price("WB-TEE", euro("15"), min_quantity=Decimal(10)), Price("WB-MUG", euro("9.005")))
    assert (many.code, fraction.code) == ("quantity_break", "fraction")
    assert not shop.calls(SET)


def test_a_list_that_is_not_there_refuses_the_batch(bench: Bench) -> None:
    bench.account = replace(bench.account, settings={"price_list": "404"})
    with pytest.raises(Rejected) as met:
        tell(bench, Price("WB-TEE", euro("19.00")))
    assert met.value.code == "price_list_not_found"


@LISTS
def test_a_lost_answer_is_found(shop: System, bench: Bench, price_list: str) -> None:
    listed(shop, bench, price_list)
    price = Price("WB-TEE", euro("15.50"), euro("19.90"))
    shop.bad_day("commit_then_drop", writes_only=True, times=1)
    with pytest.raises(Ambiguous):
        tell(bench, price)
    assert found(bench, price) is not None
    assert found(bench, replace(price, compare_at=None)) is None
