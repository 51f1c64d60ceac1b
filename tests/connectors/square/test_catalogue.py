"""Square's own catalogue as a source of articles and prices."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.kit.errors import Rejected
from tests.connectors.square.conftest import MakeSeller, Seller


def changed(at: Seller, sku: str, **told: object) -> datetime:
    """Staff change an article; when that was."""
    row = at.system.put(f"/_sim/articles/{sku}", told)
    return datetime.fromisoformat(row["updated_at"].replace("Z", "+00:00"))


def test_variations_are_products_with_their_items_names(seller: MakeSeller) -> None:
    found = {one.sku: one for one in seller().connector.products()}
    tee = found["WB-TEE"]
    assert (tee.title, tee.active, tee.tracked) == ("Article WB-TEE, Tee", True, True)
    assert tee.parent_id == f"I{tee.id}"


def test_what_changed_at_the_very_instant_and_what_was_deleted_are_listed(seller: MakeSeller) -> None:
    at = seller()
    when = changed(at, "WB-TEE", upc="4006381333931")
    (tee,) = at.connector.products(when)
    assert (tee.sku, tee.barcode, tee.updated_at) == ("WB-TEE", "4006381333931", when)
    changed(at, "WB-MUG", is_deleted=True)
    assert {one.sku: one.active for one in at.connector.products(when)} == {"WB-TEE": True, "WB-MUG": False}
    assert "WB-MUG" not in {one.sku for one in at.connector.products()}
    assert not list(at.connector.products(datetime.now(UTC).replace(year=2999)))


def test_every_article_is_listed_whatever_the_pages(seller: MakeSeller, monkeypatch: pytest.MonkeyPatch) -> None:
    at = seller()
    for n in range(7):
        at.system.post("/_sim/articles", {"sku": f"WB-{n}"})
    whole = [one.id for one in at.connector.products()]
    monkeypatch.setattr("connectors.square.client.OBJECTS", 3)
    assert [one.id for one in at.connector.products()] == whole
    assert len(set(whole)) == len(whole) >= 9


def test_prices_are_fixed_ones_at_all_locations_or_at_the_one_that_is_named(seller: MakeSeller) -> None:
    at = seller()
    own = {"location_id": "LOC1", "pricing_type": "FIXED_PRICING", "price_money": {"amount": 1850, "currency": "EUR"}}
    changed(at, "WB-TEE", price_money={"amount": 1990, "currency": "EUR"}, location_overrides=[own])
    changed(at, "WB-MUG", pricing_type="VARIABLE_PRICING")
    (price,) = at.connector.prices(["WB-TEE", "WB-MUG", "WB-GONE"])
    assert (price.sku, price.amount.amount, price.amount.currency) == ("WB-TEE", Decimal("19.90"), "EUR")
    at.settings(price_location="LOC1")
    (price,) = at.connector.prices(["WB-TEE"])
    assert price.amount.amount == Decimal("18.50")


def test_two_articles_of_one_sku_have_no_price_that_could_be_told(seller: MakeSeller) -> None:
    at = seller()
    at.system.post("/_sim/articles", {"sku": "WB-TEE"})
    with pytest.raises(Rejected) as refused:
        list(at.connector.prices(["WB-TEE"]))
    assert refused.value.code == "ambiguous_sku"
