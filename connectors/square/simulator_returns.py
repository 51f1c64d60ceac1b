"""Goods that come back at a till, and exchanges: an order of its own with `returns`, and the money through the sale's payments."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.square.simulator_drafts import Draft
from connectors.square.simulator_payments import back
from connectors.square.simulator_sums import add, even, money, sums

if TYPE_CHECKING:
    from connectors.square.simulator_store import Store

Json = dict[str, Any]


def returned(store: Store, source: Json | None, wanted: Mapping[str, Any]) -> Json:
    """`lines`: {uid: pieces} of the sale, or [{sku, quantity, price}] of a sale that Square never saw; `exchange`: lines that are taken along;
    `reference`: what staff typed in as the order's reference."""
    at, name = store.now(), store.name("order")
    place = source["location_id"] if source else store.locations[0]
    currency = source["total_money"]["currency"] if source else "EUR"
    entry = _of_sale(source, wanted, currency) if source else _unlinked(store, wanted, currency)
    order: Json = {
        "id": name,
        "location_id": place,
        "source": {"name": "Till"},
        "created_at": at,
        "updated_at": at,
        "state": "COMPLETED",
        "closed_at": at,
    }
    owed = entry["return_amounts"]["total_money"]["amount"]
    bought = _bought(store, wanted, name, place, at, currency)
    order.update(bought or {**sums({"line_items": []}, currency, 0, 0), "net_amount_due_money": money(0, currency)})
    order["returns"], order["return_amounts"] = [entry], entry["return_amounts"]
    if wanted.get("reference"):
        order["reference_id"] = wanted["reference"]
    out = max(0, owed - order["total_money"]["amount"])
    made = _money_back(store, source, out, name) if out else []
    order["refunds"] = [_listed(one) for one in made]
    return order


def of_money(store: Store, payment: Json, minor: int) -> Json:
    """The return order of money without goods: one amount, of the sale that was paid."""
    at, currency = store.now(), payment["total_money"]["currency"]
    whole = {name: money(minor, currency) for name in ("gross_return_money", "total_money")}
    nothing = {name: money(0, currency) for name in ("total_tax_money", "total_discount_money")}
    line = {"uid": "r-1", "quantity": "1", "item_type": "CUSTOM_AMOUNT", **whole, **nothing}
    entry = {"uid": "return-1", "source_order_id": payment["order_id"], "return_line_items": [line]}
    amounts = _amounts([line], currency)
    order: Json = {
        "id": store.name("order"),
        "location_id": payment["location_id"],
        "created_at": at,
        "updated_at": at,
        "closed_at": at,
        "state": "COMPLETED",
        "returns": [{**entry, "return_amounts": amounts}],
        "return_amounts": amounts,
        "net_amount_due_money": money(0, currency),
        **sums({"line_items": []}, currency, 0, 0),
    }
    return order


def _bought(store: Store, wanted: Mapping[str, Any], name: str, place: str, at: str, currency: str) -> Json:
    if not wanted.get("exchange"):
        return {}
    spec = {"lines": wanted["exchange"], "currency": currency, "payment": "none"}
    made = Draft(spec, name, place, at, store.article).order()
    return {**made, "net_amount_due_money": money(0, currency)}


def _of_sale(source: Json, wanted: Mapping[str, Any], currency: str) -> Json:
    lines = [
        _part(line, Decimal(str(wanted["lines"][line["uid"]])), currency)
        for line in source["line_items"]
        if line["uid"] in wanted["lines"]
    ]
    taxes = [
        {
            "uid": f"r-{one['uid']}",
            "source_tax_uid": one["uid"],
            **{name: one[name] for name in ("name", "type", "percentage", "scope")},
        }
        for one in source.get("taxes", ())
    ]
    return {
        "uid": "return-1",
        "source_order_id": source["id"],
        "return_line_items": lines,
        "return_taxes": taxes,
        "return_amounts": _amounts(lines, currency),
    }


def _part(line: Json, pieces: Decimal, currency: str) -> Json:
    """So many pieces of a line, each sum in proportion."""
    whole = Decimal(line["quantity"])

    def part(minor: int) -> int:
        return even(Decimal(minor) * pieces / whole)

    gross, off = part(line["gross_sales_money"]["amount"]), part(line["total_discount_money"]["amount"])
    rows = [
        {
            "uid": f"r-{one['uid']}",
            "tax_uid": f"r-{one['tax_uid']}",
            "applied_money": money(part(one["applied_money"]["amount"]), currency),
        }
        for one in line["applied_taxes"]
    ]
    beside = part(line["total_money"]["amount"]) - gross + off
    found: Json = {
        name: line[name]
        for name in ("name", "catalog_object_id", "catalog_version", "item_type", "base_price_money")
        if name in line
    }
    return {
        "uid": f"r-{line['uid']}",
        "source_line_item_uid": line["uid"],
        "quantity": f"{pieces:f}",
        **found,
        "gross_return_money": money(gross, currency),
        "total_discount_money": money(off, currency),
        "total_tax_money": money(add(rows, "applied_money"), currency),
        "total_money": money(gross - off + beside, currency),
        "applied_taxes": rows,
    }


def _unlinked(store: Store, wanted: Mapping[str, Any], currency: str) -> Json:
    lines = []
    for n, one in enumerate(wanted["lines"], 1):
        article, whole = store.article(one["sku"]), even(Decimal(str(one["price"])) * Decimal(str(one["quantity"])))
        told = {
            "uid": f"r-{n}",
            "quantity": str(one["quantity"]),
            "name": one["sku"],
            "item_type": "ITEM",
            "base_price_money": money(int(one["price"]), currency),
        }
        sums_ = {"gross_return_money": whole, "total_discount_money": 0, "total_tax_money": 0, "total_money": whole}
        lines.append(
            {
                **told,
                **({"catalog_object_id": article["id"]} if article else {}),
                **{name: money(minor, currency) for name, minor in sums_.items()},
            }
        )
    return {"uid": "return-1", "return_line_items": lines, "return_amounts": _amounts(lines, currency)}


def _amounts(lines: list[Json], currency: str) -> Json:
    told = {"total_money": "total_money", "tax_money": "total_tax_money", "discount_money": "total_discount_money"}
    return {name: money(add(lines, field), currency) for name, field in told.items()} | {
        name: money(0, currency) for name in ("tip_money", "service_charge_money")
    }


def _money_back(store: Store, source: Json | None, minor: int, order_id: str) -> list[Json]:
    """Through the sale's payments in turn; without a sale in cash from the drawer."""
    if source is None:
        return [_from_drawer(store, minor, order_id)]
    made, left = [], minor
    for tender in source.get("tenders", ()):
        payment = store.memory.table("payments")[tender["payment_id"]]
        rest = payment["total_money"]["amount"] - payment.get("refunded_money", {"amount": 0})["amount"]
        part = min(left, rest)
        if part > 0:
            made.append(back(store, payment, part, "Returned goods", order_id))
            left -= part
    return made


def _from_drawer(store: Store, minor: int, order_id: str) -> Json:
    at = store.now()
    row: Json = {
        "id": store.name("refund"),
        "status": "COMPLETED",
        "unlinked": True,
        "destination_type": "CASH",
        "amount_money": money(minor, "EUR"),
        "order_id": order_id,
        "location_id": store.locations[0],
        "reason": "Returned goods",
        "created_at": at,
        "updated_at": at,
    }
    made: Json = store.memory.put("refunds", row["id"], row)
    store.tell("refund.created", "refund", made["id"], {"refund": made})
    return made


def _listed(refund: Json) -> Json:
    """As an order lists it."""
    state = {"COMPLETED": "APPROVED"}.get(refund["status"], refund["status"])
    row = {
        "id": refund["id"],
        "location_id": refund["location_id"],
        "reason": refund["reason"],
        "created_at": refund["created_at"],
    }
    tender = {"tender_id": refund["payment_id"]} if "payment_id" in refund else {}
    return {
        **row,
        "amount_money": refund["amount_money"],
        "status": state,
        "transaction_id": refund["order_id"],
        **tender,
    }
