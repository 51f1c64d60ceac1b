"""What has left an order and is not billed yet, as the transform of its sales order into an invoice or a cash sale.

The lines to bill are named with their quantities, those that wait with none (NetSuite help, section_159795520083). Each amount is the share
of all pieces billed so far less that of those billed before, so that the bills of an order sum to it whatever its parcels are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from connectors.kit.amounts import ZERO
from connectors.kit.errors import Rejected
from connectors.netsuite.mapping import lines
from connectors.netsuite.mapping.draft import CUSTOM_PRICE
from connectors.netsuite.mapping.policy import Policy, unit_of
from connectors.netsuite.mapping.sales_order import SHIPPING

Due = Mapping[int, Decimal]  # line number -> how many


@dataclass(frozen=True, slots=True)
class Bill:
    """The transform's body without its name and date, and the total that it must make, in the order's currency."""

    body: dict[str, Any]
    total: Decimal


def due(record: Mapping[str, Any], policy: Policy) -> dict[int, Decimal]:
    """How many of each line are to be billed now: what has left and is not billed, and with it what never ships.

    Empty where nothing that ships waits for its bill.
    """
    rows = lines.booked(record, policy)
    goods = {row.number: row.fulfilled - row.billed for row in rows if row.ships and row.fulfilled > row.billed}
    if not goods:
        return {}
    last = all(row.closed or row.billed + goods.get(row.number, ZERO) >= row.quantity for row in rows if row.ships)
    others = (row for row in rows if not row.ships and row.kind != "Discount" and not row.closed)
    return goods | {
        row.number: row.quantity - row.billed
        for row in others
        if row.quantity > row.billed and (last or row.item != _tax_item(policy))
    }


def _tax_item(policy: Policy) -> str:
    """The item whose one line is the whole order's tax: it is billed with the last bill, the others take their share beside it."""
    return str(policy.items.get("tax") or "") if policy.tax == "item" else ""


def bill(record: Mapping[str, Any], now: Due, policy: Policy) -> Bill:
    """The bill of these pieces of a sales order that was read with its sublists."""
    return _bill(record, lines.booked(record, policy), now, policy)


def check(record: Mapping[str, Any], billed: Mapping[str, Any], policy: Policy) -> None:
    """Holds the order's newest bill against what its pieces must make. Raises Rejected(code="total_differs")."""
    now = {
        int(row["orderLine"]): Decimal(str(row.get("quantity") or 0))
        for row in billed["item"]["items"]
        if row.get("orderLine")
    }
    rows = tuple(replace(row, billed=row.billed - now.get(row.number, ZERO)) for row in lines.booked(record, policy))
    wanted = _bill(record, rows, now, policy).total
    made = sum(
        (Decimal(str(billed.get(name) or 0)) for name in ("total", "giftCertApplied")), ZERO
    )  # a tender, no discount
    if made != wanted:
        raise Rejected(
            f"{billed.get('tranId') or billed['id']} in NetSuite bills {made}, but what it bills of the order is "
            f"{wanted}: {wanted - made:+} differ.",
            code="total_differs",
            field="total",
            remedy="Correct the taxes or amounts of that bill in NetSuite, then retry: it is not made again.",
            owner="finance",
        )


def _bill(record: Mapping[str, Any], rows: Sequence[lines.Booked], now: Due, policy: Policy) -> Bill:
    cut = _Cut(rows, now, unit_of(policy.iso(str((record.get("currency") or {}).get("id", "")))))
    items = [one for row in rows for one in _lines(row, cut, _tax_item(policy))]
    shipping = Decimal(str(record.get("shippingCost") or 0)) if cut.first else ZERO
    off = cut.spread(Decimal(str(record.get("discountRate") or 0)))
    taxes = _taxes(record, rows, cut)
    body: dict[str, Any] = {"item": {"items": items}}
    if record.get("shipMethod"):
        body["shippingCost"] = shipping
    if record.get("discountItem"):
        body["discountRate"] = off
    if record.get("taxDetailsOverride"):
        body |= {"taxDetailsOverride": True, "taxDetails": {"items": taxes}}
    amounts = sum((one.get("amount", ZERO) for one in items), ZERO) + sum((one["taxAmount"] for one in taxes), ZERO)
    return Bill(body, Decimal(amounts + shipping + off))


class _Cut:
    """Shares of amounts: those of the pieces billed now, in whole minor units."""

    def __init__(self, rows: Sequence[lines.Booked], now: Due, unit: Decimal) -> None:
        self.now, self._unit = now, unit
        self.first = not any(row.billed for row in rows)
        self._owners = lines.owners(rows)
        goods = [row for row in rows if row.ships and row.quantity]
        self._whole = sum((row.amount for row in goods), ZERO)
        self._before = sum((row.amount * row.billed / row.quantity for row in goods), ZERO)
        self._after = sum((row.amount * (row.billed + now.get(row.number, ZERO)) / row.quantity for row in goods), ZERO)

    def share(self, amount: Decimal, row: lines.Booked) -> Decimal:
        """Of an amount that belongs to a line: its pieces' share."""
        owner = self._owners.get(row.number, row)
        if not owner.quantity:
            return self.spread(amount)
        done = owner.billed + self.now.get(owner.number, ZERO)
        return self._round(amount * done / owner.quantity) - self._round(amount * owner.billed / owner.quantity)

    def spread(self, amount: Decimal) -> Decimal:
        """Of an amount that belongs to the whole order: as its goods are billed."""
        if not self._whole:
            return amount if self.first else ZERO
        return self._round(amount * self._after / self._whole) - self._round(amount * self._before / self._whole)

    def _round(self, amount: Decimal) -> Decimal:
        return amount.quantize(self._unit, ROUND_HALF_EVEN)


def _lines(row: lines.Booked, cut: _Cut, tax_item: str) -> list[dict[str, Any]]:
    """A line of the order on the bill; none for what can be billed no more."""
    if row.kind == "Discount":
        return [{"orderLine": row.number, "amount": cut.share(row.amount, row)}]
    count, tax = cut.now.get(row.number, ZERO), row.item == tax_item
    if count:
        amount = cut.spread(row.amount) if tax else cut.share(row.amount, row)
        reference = {"taxDetailsReference": row.reference} if row.reference else {}
        return [{"orderLine": row.number, "quantity": count, "amount": amount, **reference}]
    if row.closed or row.quantity <= row.billed:
        return []
    beside = {"item": {"id": row.item}, "quantity": Decimal(1), "price": CUSTOM_PRICE, "amount": cut.spread(row.amount)}
    return [{"orderLine": row.number, "quantity": ZERO}, *([beside] if tax and beside["amount"] else [])]


def _taxes(record: Mapping[str, Any], rows: Sequence[lines.Booked], cut: _Cut) -> list[dict[str, Any]]:
    """The order's tax details, each as far as its line is billed."""
    by_reference = {row.reference: row for row in rows if row.reference}
    found = []
    for told in (record.get("taxDetails") or {}).get("items", ()):
        reference = str((told.get("taxDetailsReference") or {}).get("id", ""))
        row = by_reference.get(reference)
        if reference == SHIPPING and cut.first:
            share = {name: Decimal(str(told[name])) for name in ("taxBasis", "taxAmount")}
        elif row is not None and cut.now.get(row.number):
            share = {name: cut.share(Decimal(str(told[name])), row) for name in ("taxBasis", "taxAmount")}
        else:
            continue
        kept = {name: told[name] for name in ("taxType", "taxCode", "taxRate") if told.get(name) is not None}
        found.append({"taxDetailsReference": {"id": reference}, **kept, **share})
    return found
