"""Tenders of an order as payments; the Payment itself, where it was fetched, says more than the tender does."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.canonical.payment import Payment, PaymentKind, PaymentStatus, Takes, Tender
from connectors.kit.place import Place
from connectors.square.mapping.values import Sums

# TenderType and Payment.source_type. What Square does not process itself says its own kind beside it.
TENDERS = {
    "CARD": Tender.CARD,
    "THIRD_PARTY_CARD": Tender.CARD,
    "CASH": Tender.CASH,
    "SQUARE_GIFT_CARD": Tender.GIFT_CARD,
    "BANK_ACCOUNT": Tender.BANK,
    "WALLET": Tender.WALLET,
    "SQUARE_ACCOUNT": Tender.WALLET,
    "BUY_NOW_PAY_LATER": Tender.PAY_LATER,
}
# ExternalPaymentDetails.type
EXTERNAL = {
    "CHECK": Tender.BANK,
    "BANK_TRANSFER": Tender.BANK,
    "OTHER_GIFT_CARD": Tender.GIFT_CARD,
    "STORED_BALANCE": Tender.STORE_CREDIT,
    "SQUARE_CASH": Tender.WALLET,
    "CARD": Tender.CARD,
}
STATES = {
    "APPROVED": (PaymentKind.AUTHORISATION, PaymentStatus.SUCCESS),
    "AUTHORIZED": (PaymentKind.AUTHORISATION, PaymentStatus.SUCCESS),
    "PENDING": (PaymentKind.SALE, PaymentStatus.PENDING),
    "COMPLETED": (PaymentKind.SALE, PaymentStatus.SUCCESS),
    "CAPTURED": (PaymentKind.SALE, PaymentStatus.SUCCESS),
    "CANCELED": (PaymentKind.VOID, PaymentStatus.SUCCESS),
    "VOIDED": (PaymentKind.VOID, PaymentStatus.SUCCESS),
    "FAILED": (PaymentKind.SALE, PaymentStatus.FAILURE),
}
DETAILS = (
    "card_details",
    "wallet_details",
    "bank_account_details",
    "buy_now_pay_later_details",
    "square_account_details",
)
GIFT_CARD = "SQUARE_GIFT_CARD"  # TenderType, and a CardBrand
Rows = Mapping[str, Place]


def payments(node: Place, rows: Rows, sums: Sums) -> tuple[Payment, ...]:
    """One for each tender; an amount holds the tip. `rows`: Payments by id."""
    tenders = node.at("tenders").items()
    made = [
        _tender(one, rows.get(tender_id(one), Place(None)), sums)
        for one in tenders
        if one.at("type").text() != "NO_SALE"
    ]
    return tuple(made)


def tender_id(tender: Place) -> str:
    return tender.at("payment_id").text() or tender.at("id").needed().id()


def _tender(tender: Place, paid: Place, sums: Sums) -> Payment:
    """A tender without a state (cash, vouchers) was taken: it stands in the order."""
    word = paid.at("status").text() or _state(tender)
    if word not in STATES:
        raise paid.at("status").fault(f"is {word!r}, which this connector does not know")
    kind, status = STATES[word]
    card = paid.at("card_details").at("card") if paid.at("card_details").value else tender.at("card_details").at("card")
    gateway = gateway_of(paid) if paid.value else tender.at("type").needed().text()
    amount = paid.at("total_money") if paid.at("total_money").value else tender.at("amount_money").needed()
    until = paid.at("delayed_until").time() if kind is PaymentKind.AUTHORISATION else None
    return Payment(
        id=tender_id(tender),
        kind=kind,
        tender=TENDERS.get(tender.at("type").text(), tender_of(paid)),
        amount=sums.bag(sums.minor(amount)),
        status=status,
        gateway=gateway.lower(),
        reference=paid.at("receipt_number").text(),
        at=(tender if tender.at("created_at").value else paid).at("created_at").time(),
        card_brand=card.at("card_brand").text(),
        card_last4=card.at("last_4").text(),
        authorisation_code=paid.at("card_details").at("auth_result_code").text(),
        authorised_until=until,
        takes=Takes.WHOLE if kind is PaymentKind.AUTHORISATION else Takes.PARTS,
    )


def _state(tender: Place) -> str:
    return next(
        (tender.at(name).at("status").text() for name in DETAILS if tender.at(name).at("status").text()), "COMPLETED"
    )


def gateway_of(paid: Place) -> str:
    """CARD, CASH, EXTERNAL:CHECK ...: what the cross reference of payment methods is asked for, in lower case."""
    source = paid.at("source_type").text()
    if source == "EXTERNAL":
        return f"EXTERNAL:{paid.at('external_details').at('type').text()}"
    brand = paid.at("card_details").at("card").at("card_brand").text()
    return GIFT_CARD if brand == GIFT_CARD else source


def tender_of(paid: Place) -> Tender:
    gateway = gateway_of(paid)
    if gateway.startswith("EXTERNAL:"):
        return EXTERNAL.get(gateway.partition(":")[2], Tender.OTHER)
    return TENDERS.get(gateway, Tender.OTHER)
