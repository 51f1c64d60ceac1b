"""Canonical documents as the bodies that Acme wants: amounts as text, codes in Acme's words."""

from __future__ import annotations

from typing import Any

from connectors.canonical.money import MoneyBag
from connectors.canonical.order import Line, Order
from connectors.canonical.party import Address
from connectors.canonical.payment import Payment
from connectors.canonical.product import Price
from connectors.canonical.returns import Refund, Return
from connectors.canonical.shipment import Shipment
from connectors.canonical.stock import StockLevel
from connectors.kit.account import Codes

Body = dict[str, Any]


def booking(order: Order, codes: Codes) -> Body:
    """Acme checks that what is booked comes to `total`, in the order's own arithmetic."""
    return {
        "channel": order.channel,
        "order": order.id,
        "number": order.number,
        "placed_at": order.placed_at.isoformat(),
        "currency": order.currency,
        "taxes_included": order.taxes_included,
        "email": order.email,
        "ship_to": _address(order.shipping),
        "bill_to": _address(order.billing),
        "lines": [_line(order, line, codes) for line in order.lines if not line.bundle_id],
        "shipping": [_plus(order, line.price, line.taxes, line.discounts) for line in order.shipping_lines],
        "charges": [_plus(order, charge.amount, charge.taxes, ()) for charge in order.charges],
        "discount": _sum(order, [discount.amount for discount in order.discounts]),
        "rounding": _amount(order, order.rounding) if order.rounding else "0",
        "payments": [{"id": one.id, **_payment(order, one.gateway, one.amount, codes)} for one in order.payments],
        "total": _amount(order, order.totals.total),
        "note": order.note,
    }


def request(order: Order, codes: Codes) -> Body:
    """What is still to be shipped."""
    wanted = [line for line in order.lines if line.requires_shipping and line.current_quantity > 0]
    rows = [{"sku": codes.theirs("sku", line.sku), "quantity": str(line.current_quantity)} for line in wanted]
    return {"ship_to": _address(order.shipping), "email": order.email, "lines": rows, "note": order.note}


def purchase(order: Order, codes: Codes) -> Body:
    """What is bought, at our own cost where we know it, and to whom it goes."""
    body = request(order, codes)
    costs = {codes.theirs("sku", line.sku): line.unit_cost for line in order.lines if line.unit_cost is not None}
    rows = [{**row, **({"cost": str(costs[row["sku"]])} if row["sku"] in costs else {})} for row in body["lines"]]
    return {**body, "lines": rows, "drop_ship": True}


def shipment(order: Order, sent: Shipment, codes: Codes) -> Body:
    """The lines that left: by the order line's id where the warehouse knows it, else by SKU."""
    return {
        "order": order.id,
        "lines": [
            {"line": line.line_id, "sku": codes.theirs("sku", line.sku), "quantity": str(line.quantity)}
            for line in sent.lines
        ],
        "trackings": [
            {
                "number": one.number,
                "carrier": codes.theirs("carrier", one.carrier) if one.carrier else "",
                "url": one.url,
            }
            for one in sent.trackings
        ],
        "shipped_at": sent.shipped_at.isoformat() if sent.shipped_at else None,
    }


def credit(order: Order, refund: Refund, codes: Codes) -> Body:
    """One credit for the refund, its money split by tender."""
    return {
        "order": order.id,
        "currency": order.currency,
        "total": _amount(order, refund.total),
        "tenders": [_payment(order, one.gateway, one.amount, codes) for one in refund.payments],
        "lines": [
            {"line": line.line_id, "quantity": str(line.quantity), "restock": line.restock} for line in refund.lines
        ],
        "note": refund.note,
    }


def goods_back(order: Order, returned: Return, codes: Codes) -> Body:
    """What came in, where, and in which condition; for a disposition, where it goes. No money."""
    skus = {line.id: line.sku for line in order.lines}
    rows = [
        {
            "line": one.line_id,
            "sku": codes.theirs("sku", one.sku or skus[one.line_id]),
            "quantity": str(one.received_quantity),
            "condition": one.condition,
        }
        for one in returned.lines
        if one.received_quantity
    ]
    return {"location": codes.theirs("location", returned.location) if returned.location else "", "lines": rows}


def bought(order: Order, supplier: str, codes: Codes) -> Body:
    """A purchase order as the books hold it: of whom, what of it, at our own cost where we know it."""
    body = purchase(order, codes)
    return {"supplier": codes.theirs("supplier", supplier), "currency": order.currency, "lines": body["lines"]}


def arrived(shipment_: Shipment, codes: Codes) -> Body:
    rows = [{"sku": codes.theirs("sku", one.sku), "quantity": str(one.quantity)} for one in shipment_.lines]
    return {"lines": rows, "at": shipment_.shipped_at.isoformat() if shipment_.shipped_at else None}


def received(order: Order, payment: Payment, codes: Codes) -> Body:
    """Money that came in for an order."""
    at = payment.at.isoformat() if payment.at else None
    return {**_payment(order, payment.gateway, payment.amount, codes), "currency": order.currency, "at": at}


def capture(order: Order, payment: Payment) -> Body:
    """How much the shop is to take, and of which authorisation."""
    return {"authorisation": payment.parent_id, "amount": _amount(order, payment.amount)}


def charge(order: Order, payment: Payment) -> Body:
    """How much more the shop is to take, and in the way of which transaction."""
    return {"like": payment.parent_id, "amount": _amount(order, payment.amount)}


def reimbursement(order: Order, refund: Refund) -> Body:
    """What the shop is to give back: for which lines, how much in all, and through which of its transactions (none for store credit)."""
    rows = [{"line_id": one.line_id, "quantity": str(one.quantity), "restock": one.restock} for one in refund.lines]
    paid = [
        {
            "tender": one.tender.value,
            "gateway": one.gateway,
            "parent_id": one.parent_id,
            "amount": _amount(order, one.amount),
        }
        for one in refund.payments
    ]
    return {"lines": rows, "total": _amount(order, refund.total), "payments": paid, "note": refund.note}


def price(tag: Price, codes: Codes) -> Body:
    return {
        "sku": codes.theirs("sku", tag.sku),
        "currency": tag.amount.currency,
        "amount": str(tag.amount.amount),
        "compare_at": str(tag.compare_at.amount) if tag.compare_at else None,
    }


def letter(order: Order, sent: Shipment | None, occasion: str) -> Body:
    """Acme writes the words itself: it wants the occasion and what it is about."""
    trackings = [one.url or one.number for one in sent.trackings] if sent else []
    return {"to": order.email, "occasion": occasion, "number": order.number, "trackings": trackings}


def level(stands: StockLevel, codes: Codes) -> Body:
    theirs = {"sku": codes.theirs("sku", stands.sku), "location": codes.theirs("location", stands.location)}
    return {**theirs, "available": str(stands.available)}


def _line(order: Order, line: Line, codes: Codes) -> Body:
    return {
        "line": line.id,
        "sku": codes.theirs("sku", line.sku),
        "quantity": str(line.quantity),
        "current_quantity": str(line.current_quantity),
        "unit_price": _amount(order, line.unit_price),
        "discount": _sum(order, [discount.amount for discount in line.discounts]),
        "tax": _sum(order, [tax.amount for tax in line.taxes]),
        "tax_code": codes.theirs("tax_code", line.tax_code) if line.tax_code else "",
    }


def _plus(order: Order, amount: MoneyBag, taxes: tuple[Any, ...], discounts: tuple[Any, ...]) -> Body:
    tax, off = _sum(order, [tax.amount for tax in taxes]), _sum(order, [one.amount for one in discounts])
    return {"amount": _amount(order, amount), "tax": tax, "discount": off}


def _payment(order: Order, gateway: str, amount: MoneyBag, codes: Codes) -> Body:
    return {"method": codes.theirs("payment_method", gateway), "amount": _amount(order, amount)}


def _address(address: Address | None) -> Body | None:
    if address is None:
        return None
    named = ("name", "company", "line1", "line2", "city", "region", "postcode", "country", "phone")
    return {name: getattr(address, name) for name in named}


def _amount(order: Order, bag: MoneyBag) -> str:
    """The amount in the currency that the books follow, to the digit as the channel stated it."""
    return str(bag.in_role(order.money_role).amount)


def _sum(order: Order, bags: list[MoneyBag]) -> str:
    return str(sum(bag.in_role(order.money_role).amount for bag in bags))
