"""What each tender took for an order.

An order's webhook carries no transactions, only the gateways' names and totals; the GraphQL order carries both. So that
both read the same, an order with one gateway has one payment, made of its totals; an order with several tenders
needs its transactions, and a webhook of it is a pointer (see mapping/__init__.py).
"""

from __future__ import annotations

from decimal import Decimal

from connectors.canonical.money import MoneyBag
from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Takes, Tender
from connectors.shopify.mapping.bags import Books, nothing
from connectors.shopify.mapping.values import Place

TENDERS = {
    "gift_card": Tender.GIFT_CARD,
    "shopify_store_credit": Tender.STORE_CREDIT,
    "cash": Tender.CASH,
    "shopify_payments": Tender.CARD,
    "bogus": Tender.CARD,
    "stripe": Tender.CARD,
    "authorize_net": Tender.CARD,
    "visa": Tender.CARD,
    "mastercard": Tender.CARD,
    "paypal": Tender.WALLET,
    "amazon_payments": Tender.WALLET,
    "shop_cash": Tender.WALLET,
}
KINDS = {
    "sale": PaymentKind.SALE,
    "capture": PaymentKind.CAPTURE,
    "authorization": PaymentKind.AUTHORISATION,
    "emv_authorization": PaymentKind.AUTHORISATION,
    "void": PaymentKind.VOID,
    "refund": PaymentKind.REFUND,
}
# A suggestion moves nothing; change given back is inside the sale's net amount.
NO_PAYMENT = ("suggested_refund", "change")
STATES = {
    "success": PaymentStatus.SUCCESS,
    "failure": PaymentStatus.FAILURE,
    "error": PaymentStatus.FAILURE,
    "pending": PaymentStatus.PENDING,
    "awaiting_response": PaymentStatus.PENDING,
    "unknown": PaymentStatus.PENDING,
}
PAID = ("paid", "partially_refunded", "refunded")
# Nothing was taken, and nothing will be.
VOID = ("voided", "expired", "")


def tender(gateway: str) -> Tender:
    return TENDERS.get(gateway.lower().replace(" ", "_"), Tender.OTHER)


def gateways(order: Place) -> tuple[str, ...]:
    """The gateways' names, each once; a single `gateway` where the payload is from before the list."""
    named = tuple(dict.fromkeys(name.text() for name in order.at("payment_gateway_names").items()))
    alone = order.at("gateway").text()
    return named or ((alone,) if alone else ())


def needs_transactions(order: Place) -> bool:
    """Whether the totals cannot tell what each tender took."""
    status = order.at("financial_status").text().lower()
    several = len(gateways(order)) > 1 or status == "partially_paid"
    return status not in VOID and (several or (status in PAID and _unsettled(order)))


def _unsettled(order: Place) -> bool:
    """Paid, and yet something is due or was paid too much (edited after payment)."""
    told = order.at("total_outstanding_set").at("shop_money").at("amount")
    alone = order.at("total_outstanding")
    return bool((told if told.value is not None else alone).number(default=Decimal(0)))


def payments(order: Place, books: Books, refunded: MoneyBag, listed: bool = False) -> tuple[Payment, ...]:
    """One payment made of the totals, or each transaction where several tenders are named, or where the account wants them all (`listed`).

    `refunded` is what all refunds moved: paid = what is left (current total) + what went back; payloads from before
    current totals tell the total before refunds.
    """
    if listed or needs_transactions(order):
        return transactions(order.at("transactions"), books)
    status = order.at("financial_status").text().lower()
    named = gateways(order)
    if not named or status in VOID:
        return ()
    kind = PaymentKind.AUTHORISATION if status == "authorized" else PaymentKind.SALE
    state = PaymentStatus.SUCCESS if status in (*PAID, "authorized") else PaymentStatus.PENDING
    amount = _taken(order, books, refunded) + _rounding(order, books)
    if nothing(amount):
        return ()
    name, takes = f"{order.at('id').id()}-{named[0]}", Takes.ONCE if kind is PaymentKind.AUTHORISATION else Takes.PARTS
    return (Payment(name, kind, tender(named[0]), amount, state, named[0], takes=takes, summed=True),)


def _taken(order: Place, books: Books, refunded: MoneyBag) -> MoneyBag:
    current = books.read(order, "current_total_price")
    return books.needed(order, "total_price") if current is None else current + refunded


def _rounding(order: Place, books: Books) -> MoneyBag:
    """Cash is rounded when it is paid: Shopify states it beside the total, not in it."""
    return books.read(order, "total_cash_rounding_payment_adjustment") or books.zero()


def transactions(node: Place, books: Books) -> tuple[Payment, ...]:
    """Each transaction that moves or holds money."""
    moved = (one for one in node.items() if one.at("kind").text().lower() not in NO_PAYMENT)
    return tuple(transaction(one, books) for one in moved)


def transaction(node: Place, books: Books) -> Payment:
    gateway, kind = node.at("gateway").text(), node.at("kind").one_of(KINDS)
    once = kind is PaymentKind.AUTHORISATION and not node.at("multi_capturable").flag()
    return Payment(
        id=node.at("id").needed().id(),
        kind=kind,
        tender=tender(gateway),
        amount=amount(node, books),
        status=node.at("status").one_of(STATES),
        gateway=gateway,
        reference=node.at("payment_id").text(),
        parent_id=node.at("parent_id").id(),
        at=node.at("processed_at").time() or node.at("created_at").time(),
        authorised_until=node.at("authorization_expires_at").time(),
        takes=Takes.ONCE if once else Takes.PARTS,
    )


def amount(node: Place, books: Books) -> MoneyBag:
    """A transaction's sum; a webhook states it in one currency only. Raises Unreadable where that is not the shop's."""
    if node.at("amount_set").value is None and one_sided(node, books):
        raise node.at("currency").fault(f"is not the shop's {books.shop}, and amount_set is missing")
    return books.needed(node, "amount")


def one_sided(node: Place, books: Books) -> bool:
    told = node.at("currency").text().upper()
    return bool(told) and told != books.shop
