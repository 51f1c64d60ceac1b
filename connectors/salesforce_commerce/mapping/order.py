"""An order as SCAPI tells it becomes an order of ours whose parts make its orderTotal, in either taxation.

net: items, shipping and adjustments stand without tax, and taxTotal is added. gross: they hold their tax already.
Source: Order of orders-oas-1.5.2.yaml (../shared/specs/salesforce-commerce).
"""

from __future__ import annotations

from connectors.canonical.delivery import DeliveryKind
from connectors.canonical.order import Charge, Delivery, Order, Source, Totals
from connectors.canonical.party import Address
from connectors.kit.account import Account
from connectors.kit.place import Place
from connectors.salesforce_commerce.mapping import parties
from connectors.salesforce_commerce.mapping.adjustments import surcharges
from connectors.salesforce_commerce.mapping.deliveries import delivery, shipments, shipping_lines
from connectors.salesforce_commerce.mapping.lines import Frame, lines
from connectors.salesforce_commerce.mapping.payments import payments
from connectors.salesforce_commerce.mapping.shares import shares
from connectors.salesforce_commerce.mapping.taxes import rest_of_tax
from connectors.salesforce_commerce.mapping.values import Sums, customs, sums_of

SOCIAL = "pinterest twitter facebookads instagramcommerce tiktok snapchat google whatsapp youtube"
SOURCES = {
    **dict.fromkeys(("", "storefront", "subscriptions", "onlinereservation"), Source.WEB),
    **dict.fromkeys(("store", "dss"), Source.POS),
    **dict.fromkeys(("callcenter", "customerservicecenter"), Source.DRAFT),
    **dict.fromkeys(SOCIAL.split(), Source.SOCIAL),
    "marketplace": Source.MARKETPLACE,
}
TOLD = ("invoiceNo", "sourceCode", "affiliatePartnerId", "globalPartyId", "externalOrderStatus", "externalOrderText")
CANCELLED = "cancelled"


def order(node: Place, account: Account) -> Order:
    """Raises Unreadable naming the field. Settings of the account: pickup_methods, hold_unconfirmed, shipped_elsewhere."""
    sums, settings = sums_of(node), account.settings
    ways = tuple(delivery(one, settings.get("pickup_methods", ())) for one in node.at("shipments").items())
    spread = shares(node, sums)
    collected = frozenset(one.id for one in ways if one.kind is DeliveryKind.PICKUP)
    sold, road = lines(node, Frame(sums, spread, collected)), shipping_lines(node, sums)
    taxes = [*(tax for one in sold for tax in one.taxes), *(tax for one in road for tax in one.taxes)]
    charges = (*_surcharges(node, sums), *rest_of_tax(node, taxes, sums))
    total = node.at("orderTotal").needed().number()
    status, changed = node.at("status").needed().text().lower(), node.at("lastModified").instant()
    off = [
        *(cut for one in sold for cut in one.discounts),
        *(cut for one in road for cut in one.discounts),
        *spread.order,
    ]
    return Order(
        id=node.at("orderNo").needed().id(),
        number=node.at("orderNo").id(),
        placed_at=node.at("placeDate").time() or node.at("creationDate").instant(),
        updated_at=changed,
        currency=sums.currency,
        lines=sold,
        totals=Totals(
            lines=sums.sum(one.gross or one.unit_price for one in sold),
            discounts=sums.sum(one.amount for one in off),
            shipping=sums.sum(one.price for one in road),
            charges=sums.sum(one.amount for one in charges),
            tax=sums.sum(tax.amount for tax in (*taxes, *(tax for one in charges for tax in one.taxes))),
            total=sums.bag(total),
        ),
        taxes_included=sums.gross,
        source=SOURCES.get(node.at("channelType").text().lower(), Source.OTHER),
        external_reference=node.at("externalOrderNo").text(),
        customer=parties.customer(node),
        billing=parties.address(node.at("billingAddress")),
        shipping=_main_address(ways),
        shipping_lines=road,
        charges=charges,
        discounts=spread.order,
        payments=payments(node, total, sums),
        shipments=shipments(node, sold) if settings.get("shipped_elsewhere", False) else (),
        payment_status=node.at("paymentStatus").text(),
        fulfilment_status=node.at("shippingStatus").text(),
        cancelled_at=changed if status == CANCELLED else None,
        cancel_reason=_reason(node) if status == CANCELLED else "",
        attributes=_attributes(node, str(settings.get("number_attribute", ""))),
        purchase_order=node.at("customerOrderReference").text(),
        store=node.at("siteId").text(),
        status=status,
        hold=_hold(node, bool(settings.get("hold_unconfirmed", False))),
        deliveries=ways,
        gift_message=_gift_message(node),
    )


def _reason(node: Place) -> str:
    return node.at("cancelDescription").text() or node.at("cancelCode").text() or CANCELLED


def _hold(node: Place, wanted: bool) -> str:
    """The reference storefront leaves an order unconfirmed while it is looked at for fraud."""
    return "confirmation" if wanted and node.at("confirmationStatus").text() == "not_confirmed" else ""


def _surcharges(node: Place, sums: Sums) -> tuple[Charge, ...]:
    """What adjustments put on: of the order, of its items and of its shipping."""
    found = list(surcharges(node.at("orderPriceAdjustments").items(), sums))
    for item in node.at("productItems").items():
        found += surcharges(item.at("priceAdjustments").items(), sums, item.at("itemId").text())
    for item in node.at("shippingItems").items():
        found += surcharges(item.at("priceAdjustments").items(), sums)
    return tuple(found)


def _main_address(ways: tuple[Delivery, ...]) -> Address | None:
    """The first that something is shipped to."""
    return next((one.address for one in ways if one.kind is DeliveryKind.SHIP and one.address), None)


def _gift_message(node: Place) -> str:
    return next(
        (one.at("giftMessage").text() for one in node.at("shipments").items() if one.at("giftMessage").text()), ""
    )


def _attributes(node: Place, ours: str) -> tuple[tuple[str, str], ...]:
    """Custom attributes too, without the one that we write ourselves: what we told is no news."""
    fields = ((name, node.at(name).text()) for name in TOLD)
    coupons = ", ".join(one.at("code").text() for one in node.at("couponItems").items())
    told = (*fields, ("coupons", coupons))
    return (
        *((name, value) for name, value in told if value),
        *((name, value) for name, value in customs(node) if name != ours),
    )
