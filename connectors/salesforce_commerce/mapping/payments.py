"""Payment instruments: what an order was to be paid with, and what is known of it.

The Orders API tells no captures. An instrument is an authorisation until the order says that it is paid; a gift certificate is
taken when the order is placed.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Tender
from connectors.kit.place import Place
from connectors.salesforce_commerce.mapping.values import Sums

GIFT = "GIFT_CERTIFICATE"
# The payment methods that Commerce Cloud brings along, and common ones of storefronts; another is OTHER under its own name.
TENDERS = {
    "CREDIT_CARD": Tender.CARD,
    "CREDITCARD": Tender.CARD,
    "DW_APPLE_PAY": Tender.WALLET,
    "DW_ANDROID_PAY": Tender.WALLET,
    "GOOGLE_PAY": Tender.WALLET,
    "PAYPAL": Tender.WALLET,
    "PAYPAL_EXPRESS": Tender.WALLET,
    "BML": Tender.PAY_LATER,
    "KLARNA": Tender.PAY_LATER,
    "AFTERPAY": Tender.PAY_LATER,
    "BANK_TRANSFER": Tender.BANK,
    "INVOICE": Tender.INVOICE,
    "CASH_ON_DELIVERY": Tender.CASH,
    GIFT: Tender.GIFT_CARD,
}


def payments(order: Place, total: Decimal, sums: Sums) -> tuple[Payment, ...]:
    """An instrument without an amount pays what the others leave. Raises Unreadable where two say none."""
    nodes = order.at("paymentInstruments").items()
    told = [_amount(node) for node in nodes]
    silent = [node for node, value in zip(nodes, told, strict=True) if value is None]
    if len(silent) > 1:
        raise silent[1].at("paymentTransaction").at("amount").fault("is missing, as another instrument's is")
    rest = total - sum((value for value in told if value is not None), Decimal(0))
    paid = order.at("paymentStatus").text() == "paid"
    return tuple(
        _payment(node, rest if value is None else value, paid, sums) for node, value in zip(nodes, told, strict=True)
    )


def _amount(node: Place) -> Decimal | None:
    """Shopper APIs say it at the instrument itself."""
    for place in (node.at("paymentTransaction").at("amount"), node.at("amount")):
        if place.value is not None:
            return place.number()
    return None


def _payment(node: Place, amount: Decimal, paid: bool, sums: Sums) -> Payment:
    method, card, moved = node.at("paymentMethodId").text(), node.at("paymentCard"), node.at("paymentTransaction")
    gift = method == GIFT or bool(node.at("maskedGiftCertificateCode").text())
    last = card.at("numberLastDigits").text() or card.at("maskedNumber").text()[-4:]
    return Payment(
        id=node.at("paymentInstrumentId").needed().id(),
        kind=PaymentKind.SALE if paid or gift else PaymentKind.AUTHORISATION,
        tender=Tender.GIFT_CARD if gift else TENDERS.get(method.upper(), Tender.OTHER),
        amount=sums.bag(amount),
        status=_status(moved.at("authorizationStatus").at("status")),
        gateway=method,
        reference=moved.at("transactionId").text(),
        card_brand=card.at("cardType").text(),
        card_last4=last if last.isdigit() else "",
        authorisation_code=moved.at("authorizationStatus").at("code").text(),
    )


def _status(place: Place) -> PaymentStatus:
    """0 is OK, 1 ERROR, 2 WARN; not said: the order would not have been placed without."""
    return PaymentStatus.FAILURE if place.value == 1 else PaymentStatus.SUCCESS
