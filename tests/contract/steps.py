"""Every writing method of every capability, each with a sample and with what must have happened before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.product import Price
from connectors.canonical.stock import StockLevel
from connectors.kit.writes import BatchItem, BatchWrite, Write, Writes
from tests.contract import samples
from tests.contract.contract import Contract

Do = Callable[[Any, Order, Contract], Writes]


@dataclass(frozen=True)
class Step:
    """`method` is "Capability.method" as manifests and exemptions name it; `before` are the steps it stands on (about the same order)."""

    method: str
    do: Do
    before: tuple[str, ...] = ()
    order: str = "order"  # which of the contract's orders it is about


def publish(connector: Any, order: Order, contract: Contract) -> Writes:
    """A batch as one write: all of it is there, or it is not."""
    batch: BatchWrite[StockLevel] = connector.publish_stock(wanted(contract), key=f"{order.id}-publish")
    return (yield _as_one(batch, batch_items(wanted(contract), order)))


def _as_one(batch: BatchWrite[Any], items: list[BatchItem[Any]]) -> Write:
    def send() -> str:
        results = batch.send(items)
        refused = next((one for one in results if isinstance(one, Exception)), None)
        if refused is not None:
            raise refused
        return ",".join(str(one) for one in results)

    def find() -> str | None:
        found = [batch.find(item) for item in items]
        return None if None in found else ",".join(str(one) for one in found)

    return Write(batch.name, send, find)


def price(connector: Any, order: Order, contract: Contract) -> Writes:
    """Prices of the sample's SKUs in the order's currency, as one write."""
    prices = samples.prices(_skus(contract), order.currency)
    batch: BatchWrite[Price] = connector.publish_prices(prices, key=f"{order.id}-prices")
    items = [BatchItem(one, f"{order.id}-prices-{n}") for n, one in enumerate(prices)]
    return (yield _as_one(batch, items))


def wanted(contract: Contract) -> tuple[StockLevel, ...]:
    return samples.levels(_skus(contract), next(iter(contract.codes["location"])))


def _skus(contract: Contract) -> list[str]:
    skus = [sku for sku in contract.codes["sku"] if contract.batch is None or sku != contract.batch.refused]
    return skus[:2]


def batch_items(levels: Sequence[StockLevel], order: Order) -> list[BatchItem[StockLevel]]:
    return [BatchItem(level, f"{order.id}-publish-{n}") for n, level in enumerate(levels)]


def key(order: Order, step: str) -> str:
    """As the engine's: stable for one effect, [a-z0-9-]."""
    return f"{order.id.lower()}-{step.replace('_', '-')}-0000000000000000000000"[:40]


STEPS = {
    "acknowledge": Step(
        "SalesChannel.acknowledge",
        lambda c, o, _: c.acknowledge(o, number=samples.NUMBER, key=key(o, "acknowledge")),
    ),
    "confirm_shipment": Step(
        "SalesChannel.confirm_shipment",
        lambda c, o, _: c.confirm_shipment(o, samples.parcels(o)[0], key=key(o, "confirm-1")),
    ),
    "confirm_the_rest": Step(
        "SalesChannel.confirm_shipment",
        lambda c, o, _: c.confirm_shipment(o, samples.parcels(o)[1], key=key(o, "confirm-2")),
        before=("confirm_shipment",),
    ),
    "publish_stock": Step("SalesChannel.publish_stock", publish),
    "cancel_sale": Step("SaleCanceller.cancel_sale", lambda c, o, _: c.cancel_sale(o, key=key(o, "cancel-sale"))),
    "capture": Step(
        "Capturer.capture",
        lambda c, o, _: c.capture(o, samples.capture(o), key=key(o, "capture")),
        order="authorised",
    ),
    "void": Step(
        "Voider.void",
        lambda c, o, _: c.void(o, samples.void(o), key=key(o, "void")),
        order="authorised",
    ),
    "charge": Step("Charger.charge", lambda c, o, _: c.charge(o, samples.charge(o), key=key(o, "charge"))),
    "give_back": Step(
        "Refunder.give_back",
        lambda c, o, _: c.give_back(o, samples.refund(o), key=key(o, "give-back")),
    ),
    "publish_prices": Step("PriceTaker.publish_prices", price),
    "tell": Step(
        "EventSink.tell",
        lambda c, o, _: c.tell(samples.event(o, c.connection.account.base_url), key=key(o, "tell")),
    ),
    "book": Step("OrderKeeper.book", lambda c, o, _: c.book(o, key=key(o, "book"))),
    "amend": Step(
        "OrderKeeper.amend",
        lambda c, o, _: c.amend(samples.amended(o), key=key(o, "amend")),
        before=("book",),
    ),
    "cancel": Step("OrderKeeper.cancel", lambda c, o, _: c.cancel(o, key=key(o, "cancel")), before=("book",)),
    "record_shipment": Step(
        "OrderKeeper.record_shipment",
        lambda c, o, _: c.record_shipment(o, samples.parcels(o)[0], key=key(o, "shipped-1")),
        before=("book",),
    ),
    "record_the_rest": Step(
        "OrderKeeper.record_shipment",
        lambda c, o, _: c.record_shipment(o, samples.parcels(o)[1], key=key(o, "shipped-2")),
        before=("book", "record_shipment"),
    ),
    "record_refund": Step(
        "OrderKeeper.record_refund",
        lambda c, o, _: c.record_refund(o, samples.refund(o), key=key(o, "refund")),
        before=("book", "record_shipment", "record_the_rest"),
    ),
    "record_return": Step(
        "ReturnKeeper.record_return",
        lambda c, o, _: c.record_return(o, samples.goods_back(o, "sellable", "quarantined"), key=key(o, "return")),
        before=("book", "record_shipment", "record_the_rest"),
    ),
    "record_disposition": Step(
        "ReturnKeeper.record_disposition",
        lambda c, o, _: c.record_disposition(o, samples.looked_at(o), key=key(o, "disposed")),
        before=("book", "record_shipment", "record_the_rest", "record_return"),
    ),
    "record_purchase": Step(
        "PurchaseKeeper.record_purchase",
        lambda c, o, _: c.record_purchase(samples.part(o), key=key(o, "bought"), **of_supplier(o)),
        before=("book",),
    ),
    "amend_purchase": Step(
        "PurchaseKeeper.amend_purchase",
        lambda c, o, _: c.amend_purchase(samples.part(o, less=1), key=key(o, "bought-less"), **of_supplier(o)),
        before=("book", "record_purchase"),
    ),
    "cancel_purchase": Step(
        "PurchaseKeeper.cancel_purchase",
        lambda c, o, _: c.cancel_purchase(samples.part(o), key=key(o, "not-bought"), **of_supplier(o)),
        before=("book", "record_purchase"),
    ),
    "record_receipt": Step(
        "PurchaseKeeper.record_receipt",
        lambda c, o, _: c.record_receipt(
            samples.part(o), samples.parcels(o)[0], key=key(o, "arrived-1"), **of_supplier(o)
        ),
        before=("book", "record_purchase"),
    ),
    "record_the_other_receipt": Step(
        "PurchaseKeeper.record_receipt",
        lambda c, o, _: c.record_receipt(
            samples.part(o), samples.parcels(o)[1], key=key(o, "arrived-2"), **of_supplier(o)
        ),
        before=("book", "record_purchase", "record_receipt"),
    ),
    "record_payment": Step(
        "PaymentKeeper.record_payment",
        lambda c, o, _: c.record_payment(o, samples.received(o), key=key(o, "received")),
        before=("book",),
    ),
    "request": Step(
        "Fulfiller.request",
        lambda c, o, _: c.request(o, key=key(o, "request"), reference=reference(o)),
    ),
    "cancel_request": Step(
        "Fulfiller.cancel_request",
        lambda c, o, _: c.cancel_request(o, key=key(o, "withdraw"), reference=reference(o)),
        before=("request",),
    ),
    "cancel_rest": Step(
        "RestCanceller.cancel_rest",
        lambda c, o, _: c.cancel_rest(o, key=key(o, "withdraw-rest"), reference=reference(o)),
        before=("request",),
    ),
    "purchase": Step(
        "Supplier.purchase",
        lambda c, o, _: c.purchase(o, key=key(o, "purchase"), reference=f"{reference(o)}-F1"),
    ),
    "withdraw": Step(
        "Supplier.withdraw",
        lambda c, o, _: c.withdraw(o, key=key(o, "withdraw-po"), reference=f"{reference(o)}-F1"),
        before=("purchase",),
    ),
    "notify": Step(
        "Notifier.notify",
        lambda c, o, _: c.notify(o, samples.parcels(o)[0], occasion="shipped", key=key(o, "notify")),
    ),
}


def reference(order: Order) -> str:
    """The waybill number by which a warehouse knows the order."""
    return f"WB-{order.id}"


def of_supplier(order: Order) -> dict[str, str]:
    """Of whom the pieces are bought, and the purchase order's number."""
    return {"supplier": "maker", "reference": f"{reference(order)}-F1"}
