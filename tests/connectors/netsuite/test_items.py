"""Items and prices as NetSuite lists them, in our SKUs, exact, across pages."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.canonical.product import ProductKind
from connectors.kit.errors import Rejected
from connectors.netsuite.simulator import DEMO_SETTINGS

ITEMS = {
    "1001": {
        "sku": "TEE-BLACK-M",
        "title": "Tee, black, M",
        "barcode": "4006381333931",
        "modified": "2026-03-02 09:30:00",
        "prices": {"1/1": {"1": "19.90", "10": "17.5"}, "1/5": {"1": "9.00"}, "2/1": {"1": "21.00"}},
    },
    "1002": {"sku": "MUG", "modified": "2026-03-01 00:00:00", "prices": {"1/1": {"1": "8.5"}}, "inactive": True},
    "1003": {"sku": "CAP", "type": "Kit", "modified": "2026-03-03 12:00:00"},
    "1004": {"sku": "SETUP", "type": "Service", "title": "Setting up", "modified": "2026-02-01 00:00:00"},
}


@pytest.fixture
def shop(world):
    return lambda **settings: world(settings={"page_size": 2, **settings}, simulator={"items": ITEMS})


def test_items_are_products_in_our_skus_across_pages(shop):
    found = {one.id: one for one in shop().connector.products()}
    ours = {key: (one.sku, one.kind, one.tracked, one.active) for key, one in found.items() if key < "9"}
    assert ours == {
        "1001": ("WB-TEE", ProductKind.GOODS, True, True),
        "1002": ("WB-MUG", ProductKind.GOODS, True, False),
        "1003": ("WB-CAP", ProductKind.BUNDLE, False, True),
        "1004": ("SETUP", ProductKind.SERVICE, False, True),
    }
    assert (found["1001"].title, found["1001"].barcode) == ("Tee, black, M", "4006381333931")
    assert found["1003"].title == "CAP"
    assert found["1001"].updated_at == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_only_what_changed_since_is_listed_by_the_accounts_own_clock(shop):
    netsuite = shop(time_zone="Europe/Berlin")
    since = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)  # 9:30 there
    assert {one.id for one in netsuite.connector.products(since)} == {"1001", "1003"}
    later = datetime(2026, 3, 2, 8, 30, 1, tzinfo=UTC)
    assert {one.id for one in netsuite.connector.products(later)} == {"1003"}


def test_prices_are_those_of_the_level_in_the_base_currency_each_from_its_quantity_on(shop):
    found = [(one.sku, one.amount, one.min_quantity) for one in shop().connector.prices(["WB-TEE", "WB-MUG", "WB-CAP"])]
    assert [(sku, str(money.amount), money.currency, least) for sku, money, least in found] == [
        ("WB-TEE", "19.90", "EUR", Decimal(1)),
        ("WB-TEE", "17.5", "EUR", Decimal(10)),
        ("WB-MUG", "8.5", "EUR", Decimal(1)),
    ]
    other = shop(price_level="5").connector.prices(["WB-TEE"])
    assert [str(one.amount.amount) for one in other] == ["9.00"]


def test_without_the_base_currencys_id_no_price_is_asked(shop):
    netsuite = shop(currencies={**DEMO_SETTINGS["currencies"], "EUR": ""})
    with pytest.raises(Rejected) as refused:
        list(netsuite.connector.prices(["WB-TEE"]))
    assert refused.value.field == "settings.currencies.EUR"
    assert netsuite.operations() == []
