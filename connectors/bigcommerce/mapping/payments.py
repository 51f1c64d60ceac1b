"""What moved for an order: its transactions, or one payment made of its header where the store knows of none."""

from __future__ import annotations

from decimal import Decimal

from connectors.bigcommerce.mapping.values import amount, moment
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Takes, Tender
from connectors.kit.place import Place
from connectors.kit.sums import Sums

EVENTS = {
    "purchase": PaymentKind.SALE,
    "authorization": PaymentKind.AUTHORISATION,
    "capture": PaymentKind.CAPTURE,
    "refund": PaymentKind.REFUND,
    "void": PaymentKind.VOID,
    "pending": PaymentKind.SALE,
    "settled": PaymentKind.SALE,
}
METHODS = {
    "credit_card": Tender.CARD,
    "apple_pay_card": Tender.CARD,
    "apple_pay_token": Tender.CARD,
    "bigpay_token": Tender.CARD,
    "token": Tender.CARD,
    "nonce": Tender.CARD,
    "electronic_wallet": Tender.WALLET,
    "offsite": Tender.WALLET,
    "gift_certificate": Tender.GIFT_CARD,
    "store_credit": Tender.STORE_CREDIT,
}
GATEWAYS = {
    "bankdeposit": Tender.BANK,
    "moneyorder": Tender.BANK,
    "cheque": Tender.BANK,
    "cod": Tender.CASH,
    "instore": Tender.CASH,
    "klarna": Tender.PAY_LATER,
    "storecredit": Tender.STORE_CREDIT,
    "giftcertificate": Tender.GIFT_CARD,
}
# The header's word where there is no transaction: what it makes of the order's sum.
TOLD = {
    "captured": (PaymentKind.SALE, PaymentStatus.SUCCESS),
    "paid": (PaymentKind.SALE, PaymentStatus.SUCCESS),
    "partially refunded": (PaymentKind.SALE, PaymentStatus.SUCCESS),
    "refunded": (PaymentKind.SALE, PaymentStatus.SUCCESS),
    "authorized": (PaymentKind.AUTHORISATION, PaymentStatus.SUCCESS),
    "capture pending": (PaymentKind.AUTHORISATION, PaymentStatus.SUCCESS),
    "void pending": (PaymentKind.AUTHORISATION, PaymentStatus.SUCCESS),
    "void": (PaymentKind.VOID, PaymentStatus.SUCCESS),
    "pending": (PaymentKind.SALE, PaymentStatus.PENDING),
    "held for review": (PaymentKind.SALE, PaymentStatus.PENDING),
}
CREDITS = (
    ("store_credit_amount", "storecredit", Tender.STORE_CREDIT),
    ("gift_certificate_amount", "giftcertificate", Tender.GIFT_CARD),
)


def payments(order: Place, rows: tuple[Place, ...], total: Decimal, sums: Sums) -> tuple[Payment, ...]:
    """`total`: what is to be paid, credits used not taken off."""
    told = tuple(_transactions(rows, sums))
    used = tuple(one for one in _credits(order, sums) if one.tender not in {payment.tender for payment in told})
    left = total - sum((one.amount.shop.amount for one in used), Decimal(0))
    return (*told, *used) if told else (*_header(order, left, sums), *used)


def _transactions(rows: tuple[Place, ...], sums: Sums) -> list[Payment]:
    """A pending one that was settled is one payment: the settled one stands for both."""
    settled = {row.at("reference_transaction_id").text() for row in rows if row.at("event").text() == "settled"}
    return [transaction(row, sums) for row in rows if row.at("id").text() not in settled]


def transaction(row: Place, sums: Sums) -> Payment:
    told = row.at("currency").text().upper()
    if told and told != sums.currency:
        raise row.at("currency").fault(f"is {told}, not the order's {sums.currency}")
    event, gateway, card = row.at("event").text(), row.at("gateway").text(), row.at("credit_card")
    return Payment(
        id=row.at("id").needed().id(),
        kind=row.at("event").one_of(EVENTS),
        tender=METHODS.get(row.at("method").text(), tender_of(gateway)),
        amount=sums.bag(row.at("amount").needed().number()),
        status=_status(row, event),
        gateway=gateway,
        reference=row.at("gateway_transaction_id").text(),
        parent_id=row.at("reference_transaction_id").text(),
        at=moment(row.at("date_created")),
        card_brand=card.at("card_type").text(),
        card_last4=card.at("card_last4").text(),
        authorisation_code=row.at("custom_provider_field_result").at("authorization_code").text(),
        takes=takes(row.at("event").one_of(EVENTS)),
    )


def takes(kind: PaymentKind) -> Takes:
    """BigCommerce's capture names no sum: what was authorised is taken whole."""
    return Takes.WHOLE if kind is PaymentKind.AUTHORISATION else Takes.PARTS


def tender_of(gateway: str) -> Tender:
    """A gateway or provider by its own name."""
    return GATEWAYS.get(gateway, Tender.OTHER)


def _status(row: Place, event: str) -> PaymentStatus:
    if row.at("status").text("ok") == "error":
        return PaymentStatus.FAILURE
    return PaymentStatus.PENDING if event == "pending" else PaymentStatus.SUCCESS


def _credits(order: Place, sums: Sums) -> list[Payment]:
    """Store credit and gift certificates used are tenders."""
    name = order.at("id").needed().id()
    used = ((gateway, tender, amount(order, field)) for field, gateway, tender in CREDITS)
    return [
        Payment(f"{name}-{gateway}", PaymentKind.SALE, tender, sums.bag(paid), gateway=gateway)
        for gateway, tender, paid in used
        if paid
    ]


def _header(order: Place, left: Decimal, sums: Sums) -> list[Payment]:
    made = TOLD.get(order.at("payment_status").text().lower())
    if made is None or not left:
        return []
    kind, status = made
    method = order.at("payment_method").text()
    name = f"{order.at('id').needed().id()}-{method.lower().replace(' ', '-') or 'payment'}"
    reference = order.at("payment_provider_id").text()
    tender = Tender.CARD if method.lower() == "credit card" else tender_of(method.lower())
    bag = sums.bag(left)
    return [
        Payment(name, kind, tender, bag, status, gateway=method, reference=reference, takes=takes(kind), summed=True)
    ]
