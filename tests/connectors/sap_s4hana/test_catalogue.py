"""Materials as products, and condition records as prices of one piece, for everybody or for a price list."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import unquote_plus

import pytest

from connectors.canonical.product import ProductKind
from connectors.kit.errors import Missing, Rejected
from connectors.sap_s4hana.odata import day
from tests.connectors.sap_s4hana.metadata import PUBLISHED

OLD = "/Date(1577836800000+0000)/"  # 2020-01-01


def test_materials_are_products_in_our_units_and_in_the_accounts_language(world):
    products = {
        "TG11": {"description": "T-shirt", "ProductStandardID": "4006381333931", "CountryOfOrigin": "PT"},
        "TG12": {"ProductType": "SERV", "IsMarkedForDeletion": True, "LastChangeDateTime": OLD},
    }
    company = world({"page_size": 1}, {"products": products})
    found = {one.sku: one for one in company.connector.products()}
    tee, mug = found["WB-TEE"], found["WB-MUG"]
    assert (tee.id, tee.title, tee.unit, tee.barcode, tee.origin_country) == (
        "TG11",
        "T-shirt",
        "each",
        "4006381333931",
        "PT",
    )
    assert (tee.weight_grams, tee.active, tee.tracked) == (Decimal(250), True, True)
    assert (mug.kind, mug.active, mug.tracked) == (ProductKind.SERVICE, False, False)
    assert mug.updated_at == datetime(2020, 1, 1, tzinfo=UTC)
    assert "ZGIFT" in found  # not mapped: under its own number
    assert len(found) == 5
    later = {one.sku for one in company.connector.products(datetime.now(UTC) - timedelta(hours=1))}
    assert later == set(found) - {"WB-MUG"}


def test_a_price_is_that_of_one_piece_whatever_its_pricing_unit(world):
    prices = {
        "TG11": [
            {"ConditionRateValue": "19.90"},
            {"ConditionRateValue": "230.40", "PriceListType": "B1", "ConditionToBaseQtyNmrtr": "12"},  # a box of 12
        ],
        "TG12": {"ConditionRateValue": "120.00", "ConditionQuantity": "100"},
    }
    company = world(simulator={"prices": prices})
    found = {(one.sku, one.price_list): one.amount for one in company.connector.prices(["WB-TEE", "WB-MUG"])}
    assert {key: one.amount for key, one in found.items()} == {
        ("WB-TEE", ""): Decimal("19.90"), ("WB-TEE", "B1"): Decimal("19.20"), ("WB-MUG", ""): Decimal("1.20"),
    }  # fmt: skip
    assert {one.currency for one in found.values()} == {"EUR"}


def test_a_scale_is_a_price_from_each_quantity_on_within_its_days(world):
    lines = [("10", "17.90"), ("1", "19.90")]
    scale = [
        {"ConditionScaleQuantity": least, "ConditionRateValue": rate, "ConditionRateValueUnit": "EUR"}
        for least, rate in lines
    ]
    ends = datetime.now(UTC).date() + timedelta(days=3)
    company = world(
        {"time_zone": "Europe/Berlin"},
        {"prices": {"TG11": {"scale": scale, "ConditionValidityEndDate": day(ends)}}},
    )
    one, ten = company.connector.prices(["WB-TEE"])
    assert (one.min_quantity, one.amount.amount) == (Decimal(1), Decimal("19.90"))
    assert (ten.min_quantity, ten.amount.amount) == (Decimal(10), Decimal("17.90"))
    assert one.effective_from == datetime(2019, 12, 31, 23, tzinfo=UTC)
    assert one.effective_until.astimezone(UTC).date() == ends  # the midnight after its last day, in Berlin


def test_what_is_not_everybodys_or_not_in_force_is_no_price(world):
    yesterday = datetime.now(UTC).date() - timedelta(days=2)
    strange = [
        {"Customer": "17100001"},
        {"CustomerPriceGroup": "01"},
        {"ConditionIsDeleted": True},
        {"ConditionReleaseStatus": "A"},
        {"ConditionType": "ZOLD"},
        {"SalesOrganization": "9999"},
        {"ConditionValidityEndDate": day(yesterday)},
    ]
    company = world(simulator={"prices": {"TG11": [{"ConditionRateValue": "1.00", **one} for one in strange]}})
    assert list(company.connector.prices(["WB-TEE"])) == []


def test_prices_need_their_condition_type_and_a_cross_reference(world):
    with pytest.raises(Rejected) as met:
        list(world({"price_type": ""}).connector.prices(["WB-TEE"]))
    assert met.value.field == "settings.price_type"
    with pytest.raises(Missing):
        list(world().connector.prices(["NOT-OURS"]))


def test_every_name_that_is_asked_for_or_shown_is_one_of_the_public_metadata(world):
    company = world(simulator={"prices": {"TG11": "19.90"}})
    list(company.connector.products(datetime(2020, 1, 1, tzinfo=UTC)))
    list(company.connector.prices(["WB-TEE"]))
    asked = [unquote_plus(one.url) for one in company.bench.exchanges]
    for entity, names in PUBLISHED.items():
        where = next((one for one in asked if f"/{entity}?" in one), "")
        for word in where.partition("$filter=")[2].partition("&")[0].replace("(", " ").split():
            assert not word[:1].isupper() or word in names, f"{entity} has no {word}"
    for exchange in company.bench.exchanges:
        shown(exchange.answer)


def shown(answer: bytes) -> None:
    for row in json.loads(answer)["d"]["results"]:
        _held(row)


def _held(row) -> None:
    entity = row["__metadata"]["type"].partition(".")[2].removesuffix("Type")
    assert set(row) - {"__metadata"} <= PUBLISHED[entity], set(row) - PUBLISHED[entity]
    for one in row.values():
        if isinstance(one, dict) and "__metadata" in one and "type" in one["__metadata"]:
            _held(one)
