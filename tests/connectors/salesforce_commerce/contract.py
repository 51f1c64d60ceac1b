"""What Salesforce Commerce offers to the contract suite: its fixtures, and a site that can be asked for things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connectors import registry
from connectors.canonical.order import Order
from connectors.canonical.snapshot import Pointer, Snapshot
from connectors.kit.account import Account
from connectors.kit.manifest import Limit
from connectors.salesforce_commerce.walking import stamp
from tests.contract.bench import Bench, MemoryCodes
from tests.contract.contract import Batch, Contract, Fixture, Poll, Rate, Token
from tests.contract.samples import CODES
from tests.contract.system import System

ORGANIZATION, SITE = "f_ecom_zzwb_001", "WaybillShop"
CREDENTIALS = {"client_id": "client-of-the-tests", "client_secret": "a secret: of/the tests+1"}
SETTINGS = {
    "organization": ORGANIZATION,
    "site": SITE,
    "inventory_lists": ["main"],
    "price_book": "site-prices",
    "page_size": 3,
    "import_patience": 5,
}
TOPIC = "orders/order"
NEEDS = (
    "orderNo",
    "status",
    "currency",
    "taxation",
    "orderTotal",
    "lastModified",
    "productItems[0].itemId",
    "productItems[0].productId",
    "productItems[0].quantity",
    "productItems[0].basePrice",
    "shipments[0].shipmentId",
    "paymentInstruments[0].paymentInstrumentId",
)


def told(kind: str, number: str, needs: tuple[str, ...] = NEEDS) -> Fixture:
    return Fixture(f"orders_order__{kind}", TOPIC, (f"order:{number}",), needs)


FIXTURES = (
    told("gross", "00000101"),
    told("gross_later", "00000101"),
    told("net", "00000102"),
    told("item_promotion_net", "00000103", (*NEEDS, "productItems[0].taxItems[0].rate")),
    told("order_promotion", "00000104"),
    told("order_promotion_net", "00000105"),
    told("order_promotion_adjusted", "00000106"),
    told("shipping_promotion", "00000107"),
    told("two_order_promotions", "00000108"),
    told("surcharge", "00000109"),
    told("options", "00000110"),
    told("bundle", "00000111", (*NEEDS, "productItems[0].bundledProductItems[0].productId")),
    told("gift_certificate_bought", "00000112", (*NEEDS, "giftCertificateItems[0].giftCertificateItemId")),
    told("gift_certificate_used", "00000113"),
    told("jpy", "00000114"),
    told("kwd", "00000115"),
    told("pickup", "00000116"),
    told("two_shipments", "00000117"),
    told("guest", "00000118"),
    told("cancelled", "00000119"),
    told("custom_attributes", "00000120"),
    told("no_shipping_items", "00000121"),
    Fixture("orders_order__unplaced", TOPIC, ("ignored",), ("status",)),
    Fixture("orders_order__failed", TOPIC, ("ignored",), ("status",)),
)


def bench(system: System, **settings: Any) -> Bench:
    account = Account("tried", "salesforce_commerce", system.address, CREDENTIALS, {**SETTINGS, **settings})
    return Bench(account, MemoryCodes(CONTRACT.codes, "tried"))


def read_order(system: System, number: str, **settings: Any) -> Order:
    """An order of the site as the hub reads it."""
    made = bench(system, **settings)
    message = made.connector().fetch(Pointer("order", number))
    (reading,) = registry.read(made.account, message)
    assert isinstance(reading, Snapshot)
    assert isinstance(reading.document, Order)
    return replace(reading.document, channel="salesforce_commerce")


def placed(system: System) -> Order:
    """Two tees and a mug, in the site itself."""
    return read_order(system, system.post("/_sim/orders", {})[0]["orderNo"])


def place_orders(system: System, times: Sequence[datetime]) -> Sequence[str]:
    specs = [{"updated_at": at_utc(at), "created_at": at_utc(at)} for at in times]
    return [one["orderNo"] for one in system.post("/_sim/orders", specs)] if specs else []


def at_utc(at: datetime) -> str:
    return stamp(at.astimezone(UTC))


def written(system: System) -> dict[str, Any]:
    """What we did there: not the orders that customers placed."""
    return {kind: rows for kind, rows in system.get("/_sim/effects").items() if kind != "order"}


def pointer(system: System) -> Pointer:
    return Pointer("order", system.post("/_sim/orders", {"kind": "order_promotion"})[0]["orderNo"])


RATE = Rate(
    limit=Limit("tried", "window", burst=20, seconds=2.08),
    simulator={"quota": 20, "window": 2.0},
    call=lambda connector: connector.client.products(),
    operation="products.search",
)

CONTRACT = Contract(
    settings=SETTINGS,
    credentials=CREDENTIALS,
    simulator={**CREDENTIALS, "organization": ORGANIZATION, "site": SITE},
    codes={**CODES, "sku": {**CODES["sku"], "WB-GONE": "WB-GONE"}, "location": {"main": "main"}},
    fixtures=FIXTURES,
    versions=(("orders_order__gross", "orders_order__gross_later"),),
    order=placed,
    polls=(Poll("order", place_orders, 3),),
    fetch=pointer,
    batch=Batch("WB-GONE"),
    seen=written,
    token=Token("oauth.token", lambda system: system.post("/_sim/tokens/expiry")),
    rate=RATE,
    settles=1.0,
    exempt={
        "signature": "Commerce Cloud sends no webhooks: it is polled",
        "version": "four doors, each with its own version in its address, Account Manager and WebDAV with none: test_access",
        "daily_quota": "no quota a day is published: the system sheds load instead",
        **{
            f"half_an_answer:{method}": "its first write answers without a body, of which nothing can be cut off"
            for method in (
                "SalesChannel.acknowledge",
                "SalesChannel.confirm_shipment",
                "SaleCanceller.cancel_sale",
                "PriceTaker.publish_prices",
            )
        },
    },
)
# The same site, which is told the ERP's number and the confirmation, and completes what is shipped.
TALKATIVE = Contract(
    **{
        **{name: getattr(CONTRACT, name) for name in ("credentials", "simulator", "codes", "order", "seen", "settles")},
        "settings": {**SETTINGS, "number_attribute": "c_erpNumber", "confirm": True, "complete_shipped": True},
        "steps": ("SalesChannel.acknowledge", "SalesChannel.confirm_shipment"),
        "exempt": {name: why for name, why in CONTRACT.exempt.items() if name.startswith(("version", "half_an"))},
    }
)
CONTRACTS = {"": CONTRACT, "talkative": TALKATIVE}
