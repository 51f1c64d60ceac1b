"""The XML documents of Amazon's order feeds: an order acknowledged, cancelled or given money back for.

Elements and their order are those of OrderAcknowledgement.xsd and OrderAdjustment.xsd, as Seller Central's help describes
them ("Order Acknowledgement Feed", "Refund Orders - Order Adjustment Feed"); the feed types are among those that
developer-docs.amazon.com/sp-api/docs/order-feed-type-values lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement, tostring

ACKNOWLEDGEMENT, ADJUSTMENT = "POST_ORDER_ACKNOWLEDGEMENT_DATA", "POST_PAYMENT_ADJUSTMENT_DATA"
XML = "text/xml; charset=UTF-8"
CANCEL_REASONS = frozenset(
    "NoInventory ShippingAddressUndeliverable CustomerExchange BuyerCanceled GeneralAdjustment CarrierCreditDecision "
    "RiskAssessmentInformationNotValid CarrierCoverageFailure CustomerReturn MerchandiseNotReceived".split()
)
REFUND_REASONS = frozenset("NoInventory CustomerReturn GeneralAdjustment CouldNotShip DifferentItem Exchange".split())


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What is given back for one order item, by price component, in the order's currency; `id` is our own."""

    item: str
    id: str
    components: tuple[tuple[str, Decimal], ...]


def acknowledgement(seller: str, order_id: str, number: str) -> bytes:
    """The order bears our `number` at Amazon from now on."""
    document, message = _envelope(seller, "OrderAcknowledgement")
    _leaf(message, "AmazonOrderID", order_id)
    _leaf(message, "MerchantOrderID", number)
    _leaf(message, "StatusCode", "Success")
    return _told(document)


def cancellation(seller: str, order_id: str, items: Sequence[str], reason: str) -> bytes:
    """The whole order is given up."""
    document, message = _envelope(seller, "OrderAcknowledgement")
    _leaf(message, "AmazonOrderID", order_id)
    _leaf(message, "StatusCode", "Failure")
    for item in items:
        row = SubElement(message, "Item")
        _leaf(row, "AmazonOrderItemCode", item)
        _leaf(row, "CancelReason", reason)
    return _told(document)


def adjustment(seller: str, order_id: str, items: Sequence[Adjusted], reason: str, currency: str) -> bytes:
    """Money back for items; amounts are totals for what comes back, positive towards the buyer."""
    document, message = _envelope(seller, "OrderAdjustment")
    _leaf(message, "AmazonOrderID", order_id)
    for item in items:
        row = SubElement(message, "AdjustedItem")
        _leaf(row, "AmazonOrderItemCode", item.item)
        _leaf(row, "MerchantAdjustmentItemID", item.id)
        _leaf(row, "AdjustmentReason", reason)
        prices = SubElement(row, "ItemPriceAdjustments")
        for kind, amount in item.components:
            component = SubElement(prices, "Component")
            _leaf(component, "Type", kind)
            SubElement(component, "Amount", {"currency": currency}).text = f"{amount:f}"
    return _told(document)


def _envelope(seller: str, kind: str) -> tuple[Element, Element]:
    document = Element(
        "AmazonEnvelope",
        {
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": "amzn-envelope.xsd",
        },
    )
    header = SubElement(document, "Header")
    _leaf(header, "DocumentVersion", "1.01")
    _leaf(header, "MerchantIdentifier", seller)
    _leaf(document, "MessageType", kind)
    message = SubElement(document, "Message")
    _leaf(message, "MessageID", "1")
    return document, SubElement(message, kind)


def _leaf(above: Element, name: str, text: str) -> None:
    SubElement(above, name).text = text


def _told(document: Element) -> bytes:
    told: bytes = tostring(document, encoding="utf-8", xml_declaration=True)
    return told
