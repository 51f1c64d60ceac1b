"""What the simulated Acme's shop sells and how its documents look: orders, parcels, refunds, articles, prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

OPENED = "2026-01-01T08:00:00.000000Z"
ARTICLES = {"WB-TEE": ("Tee, black, M", "19.90"), "WB-MUG": ("Mug", "8.50"), "WB-CAP": ("Cap", "24.00")}
RATE = Decimal("0.19")
ADDRESS = {
    "name": "Ana Example",
    "line1": "Musterweg 5",
    "city": "Köln",
    "region": "NW",
    "postcode": "50667",
    "country": "DE",
    "phone": "+49 221 5550100",
}
CUSTOMER = {"id": "C-1", "email": "ana@example.com", "first_name": "Ana", "last_name": "Example"}


def order(name: str, now: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Two tees less 5.00 and a mug, sent for 4.90, paid by card, unless `wanted` says otherwise."""
    asked = wanted.get("lines") or ({"sku": "WB-TEE", "quantity": "2", "discount": "5.00"}, {"sku": "WB-MUG"})
    lines = [_line(name, n, line) for n, line in enumerate(asked, 1)]
    shipping = [{"id": f"{name}-s", "title": "Standard", "code": "standard", "price": "4.90", "taxes": _tax("4.90")}]
    document = {
        "id": name,
        "number": f"A{name}",
        "placed_at": now,
        "currency": "EUR",
        "taxes_included": False,
        "customer": CUSTOMER,
        "billing_address": ADDRESS,
        "shipping_address": ADDRESS,
        "shipping": shipping,
        "charges": [],
        "discounts": [],
        "shipments": [],
        "refunds": [],
        "cancelled_at": None,
        "payment_status": "paid",
        "fulfilment_status": "",
        "note": "",
        "acknowledged_as": "",
        "tags": [],
        **wanted,
        "lines": lines,
    }
    document["totals"] = totals(document)
    document.setdefault("payments", [_paid(name, document["totals"]["total"], now)])
    return document


def totals(document: Mapping[str, Any]) -> dict[str, str]:
    rows = [*document["lines"], *document["shipping"], *document["charges"]]
    lines = sum((Decimal(row["unit_price"]) * Decimal(row["quantity"]) for row in document["lines"]), Decimal(0))
    shipping = sum((Decimal(row["price"]) for row in document["shipping"]), Decimal(0))
    charges = sum((Decimal(row["amount"]) for row in document["charges"]), Decimal(0))
    off = sum((Decimal(one["amount"]) for row in (*rows, document) for one in row.get("discounts", ())), Decimal(0))
    tax = sum((Decimal(one["amount"]) for row in rows for one in row.get("taxes", ())), Decimal(0))
    total = lines + shipping + charges - off + (Decimal(0) if document["taxes_included"] else tax)
    parts = {"lines": lines, "discounts": off, "shipping": shipping, "charges": charges, "tax": tax, "total": total}
    return {name: str(amount) for name, amount in parts.items()}


def _line(name: str, n: int, wanted: Mapping[str, Any]) -> dict[str, Any]:
    title, price = ARTICLES.get(wanted["sku"], (wanted["sku"], "10.00"))
    quantity, price = str(wanted.get("quantity", "1")), str(wanted.get("unit_price", price))
    off = wanted.get("discount")
    net = Decimal(price) * Decimal(quantity) - Decimal(off or 0)
    return {
        "id": f"{name}-{n}",
        "sku": wanted["sku"],
        "title": title,
        "kind": "goods",
        "quantity": quantity,
        "unit_price": price,
        "discounts": [{"code": "SPRING", "amount": off}] if off else [],
        "taxes": _tax(str(net)),
        "tax_code": "standard",
    }


def _tax(net: str) -> list[dict[str, str]]:
    amount = (Decimal(net) * RATE).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return [{"title": "VAT 19%", "rate": str(RATE), "amount": str(amount), "code": "standard"}]


def _paid(name: str, total: str, now: str) -> dict[str, Any]:
    paid = {"id": f"{name}-p", "kind": "sale", "status": "success", "tender": "card", "gateway": "card"}
    return {**paid, "amount": total, "reference": f"ch_{name}", "at": now}


def parcel(name: str, lines: Sequence[Mapping[str, Any]], trackings: Sequence[Any], now: str) -> dict[str, Any]:
    rows = [{"sku": row["sku"], "line_id": row.get("line", ""), "quantity": row["quantity"]} for row in lines]
    sent = {"id": name, "status": "shipped", "lines": rows, "trackings": list(trackings)}
    return {**sent, "shipped_at": now, "updated_at": now}


def refund(name: str, bought: Mapping[str, Any], wanted: Any, now: str) -> dict[str, Any]:
    """Lines as [{"line_id", "quantity"}], all of the order when None are given; back to the first payment's tender."""
    asked = (
        wanted
        if wanted is not None
        else [{"line_id": line["id"], "quantity": line["quantity"]} for line in bought["lines"]]
    )
    by_id = {line["id"]: line for line in bought["lines"]}
    lines = [_refunded(by_id[row["line_id"]], Decimal(str(row["quantity"])), row.get("restock", True)) for row in asked]
    added = Decimal(0) if bought["taxes_included"] else sum((Decimal(line["tax"]) for line in lines), Decimal(0))
    total = str(sum((Decimal(line["subtotal"]) for line in lines), added))
    paid = bought["payments"][0]
    payment = {**paid, "id": f"{name}-p", "kind": "refund", "parent_id": paid["id"], "amount": total, "at": now}
    told = {"id": name, "order_id": bought["id"], "currency": bought["currency"], "total": total, "lines": lines}
    return {**told, "payments": [payment], "note": "", "updated_at": now}


def less(lines: Sequence[Mapping[str, Any]], refund: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The order's lines once a refund has taken its pieces off."""
    gone = {row["line_id"]: Decimal(row["quantity"]) for row in refund["lines"]}
    return [{**line, "current_quantity": str(_left(line) - gone.get(line["id"], Decimal(0)))} for line in lines]


def _left(line: Mapping[str, Any]) -> Decimal:
    left = line.get("current_quantity")
    return Decimal(line["quantity"] if left is None else left)


def _refunded(line: Mapping[str, Any], quantity: Decimal, restock: bool) -> dict[str, Any]:
    share = quantity / Decimal(line["quantity"])
    off = sum((Decimal(one["amount"]) for one in line["discounts"]), Decimal(0))
    tax = sum((Decimal(one["amount"]) for one in line["taxes"]), Decimal(0))
    back = {"subtotal": Decimal(line["unit_price"]) * quantity - off * share, "tax": tax * share}
    money = {name: str(amount.quantize(Decimal("0.01"), ROUND_HALF_UP)) for name, amount in back.items()}
    return {"line_id": line["id"], "sku": line["sku"], "quantity": str(quantity), "restock": restock, **money}


def product(sku: str, now: str) -> dict[str, Any]:
    title = ARTICLES.get(sku, (sku, ""))[0]
    return {"id": f"art-{sku}", "sku": sku, "title": title, "kind": "goods", "active": True, "updated_at": now}


def price(sku: str) -> dict[str, Any]:
    amount = ARTICLES.get(sku, ("", "10.00"))[1]
    return {"sku": sku, "currency": "EUR", "amount": amount, "price_list": "web", "taxes_included": False}
