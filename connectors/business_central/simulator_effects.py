"""What a company holds, counted by business identity and summed by its own arithmetic."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from connectors.business_central.simulator_books import Books
from connectors.business_central.simulator_sums import kept, number


def effects(books: Books) -> dict[str, dict[str, Any]]:
    """Kinds of effect -> business identity -> count, sum or state. A double shows as 2."""
    memory = books.simulator.memory
    gone = list(memory.table("salesOrdersDeleted").values())
    posted = list(memory.table("salesOrdersPosted").values())
    standing = list(books.rows("salesOrders").values())
    orders = [*standing, *posted, *gone]
    # An order that is invoiced whole is no more: what it came to is what was invoiced, whatever line evened out its parts.
    invoices, memos = books.rows("salesInvoices").values(), books.rows("salesCreditMemos").values()
    billed = _sums((_order(one), number(one["totalAmountIncludingTax"])) for one in invoices)
    return {
        "customer": _count(one["number"] for one in books.rows("customers").values()),
        "sales_order": _count(_order(one) for one in orders),
        "sales_order_total": {
            **{_order(one): str(number(one["totalAmountIncludingTax"])) for one in (*standing, *gone)},
            **{_order(one): str(number(billed[_order(one)])) for one in posted},
        },
        "sales_order_state": {_order(one): _state(one) for one in orders},
        "cancelled": _count(_order(one) for one in gone),
        "fulfilment": _count(_name(one) for one in books.rows("salesShipments").values()),
        "shipped": _shipped(books),
        "invoice": _count(_name(one) for one in invoices),
        "invoiced": billed,
        "credit_memo": _count(_name(one) for one in memos),
        "credit_memo_total": {_name(one): str(number(one["totalAmountIncludingTax"])) for one in memos},
        "credit_memo_posted": _count(_name(one) for one in memos if one["status"] != "Draft"),
        "goods_back": {_name(one): _goods(one) for one in memos if one["status"] != "Draft"},
        "refunded": _sums((_name(one), number(one["amount"])) for one in books.rows("journalLines").values()),
        "payment": _sums((_name(one), -number(one["amount"])) for one in books.rows("customerPayments").values()),
    }


def _goods(memo: Mapping[str, Any]) -> dict[str, str]:
    """Item and location -> pieces that came in."""
    items = [line for line in memo["lines"] if line.get("lineType") == "Item"]
    return _sums(
        (f"{one['lineObjectNumber']} {one.get('locationId', '')}".strip(), number(one["quantity"])) for one in items
    )


def _name(record: Mapping[str, Any]) -> str:
    return str(record.get("externalDocumentNumber") or record["id"])


def _order(record: Mapping[str, Any]) -> str:
    """The order's name: what stands before the slash of a shipment's."""
    return _name(record).partition("/")[0]


def _count(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _sums(rows: Iterable[tuple[str, Decimal]]) -> dict[str, str]:
    summed: dict[str, Decimal] = {}
    for name, amount in rows:
        summed[name] = summed.get(name, Decimal(0)) + amount
    return {name: kept(amount) for name, amount in sorted(summed.items())}


def _shipped(books: Books) -> dict[str, dict[str, str]]:
    """Order -> item -> how many left."""
    sent: dict[str, dict[str, str]] = {}
    for one in books.rows("salesShipments").values():
        own = sent.setdefault(_order(one), {})
        for line in one["lines"]:
            if line.get("lineType") == "Item":
                item = str(line["lineObjectNumber"])
                own[item] = kept(number(own.get(item)) + number(line["quantity"]))
    return sent


def _state(order: Mapping[str, Any]) -> str:
    """A mark of lines, addresses and note that changes when one of them does."""
    told = (
        "lineType",
        "lineObjectNumber",
        "quantity",
        "unitPrice",
        "discountAmount",
        "shipQuantity",
        "shippedQuantity",
        "description",
    )
    lines = [[str(line.get(name, "")) for name in told] for line in order["lines"]]
    seen = [sorted(lines), {name: value for name, value in order.items() if name.startswith(("shipTo", "sellTo"))}]
    return hashlib.sha256(json.dumps(seen, sort_keys=True, default=str).encode()).hexdigest()[:16]
