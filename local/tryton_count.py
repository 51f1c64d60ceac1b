"""What Tryton itself holds, by business identity, as Tryton tells it: for counting a run from the far end."""

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from local.tryton_rpc import Rpc

Counts = dict[str, dict[str, Any]]
SALE = ("reference", "origin", "state", "total_amount", "invoice_state", "shipment_state")


def count(url: str, database: str, user: str, password: str, *prefixes: str) -> Counts:
    """{"sales_order": {"shop-1001": 1}, ...}: a double shows as 2.

    Kinds: sales_order, supplement (lines added later), credit, cancelled, shipment (done); and as sums in text: total
    (all sales of an order but its credits) and refund (by order, refund and payment). `prefixes` choose orders.
    """
    rpc = Rpc(url, database, user, password)
    ours = prefixes or ("",)
    sales = [row for row in rpc.rows("sale.sale", [], *SALE) if str(row["reference"] or "").startswith(ours)]
    shipments = rpc.rows("stock.shipment.out", [["state", "=", "done"], ["reference", "!=", None]], "reference")
    payments = rpc.rows("account.payment", [["kind", "=", "payable"]], "reference", "amount")
    paid = rpc.rows("account.payment", [["kind", "=", "receivable"]], "reference", "amount")
    return {
        **_beside(rpc, ours),
        "received": _summed((row["reference"], row["amount"]) for row in paid if row["reference"].startswith(ours)),
        "sales_order": _counted(row["reference"] for row in sales if not row["origin"]),
        "supplement": _counted(row["reference"] for row in sales if "+" in str(row["reference"])),
        "credit": _counted(row["reference"] for row in sales if "/" in str(row["reference"])),
        "cancelled": _counted(row["reference"] for row in sales if not row["origin"] and _cancelled(row)),
        "total": _summed(
            (_order(row["reference"]), row["total_amount"]) for row in sales if "/" not in row["reference"]
        ),
        "shipment": _counted(row["reference"] for row in shipments if "+" not in row["reference"]),
        "refund": _summed((row["reference"], row["amount"]) for row in payments if row["reference"].startswith(ours)),
    }


def _beside(rpc: Rpc, ours: tuple[str, ...]) -> Counts:
    """goods_back, moved, purchase (with its state) and receipt: pieces, by the reference of what is done."""
    bought = rpc.rows("purchase.purchase", [["reference", "!=", None]], "reference", "state")
    lines = rpc.rows("purchase.line", [], "purchase", "quantity")
    pieces = {
        f"{row['reference']} {row['state']}": Decimal(
            sum(one["quantity"] for one in lines if one["purchase"] == row["id"])
        )
        for row in bought
    }
    return {
        "goods_back": _pieces(rpc, "stock.shipment.out.return", ours, "to_location.type"),
        "moved": _pieces(rpc, "stock.shipment.internal", ours, "to_location.code"),
        "receipt": _pieces(rpc, "stock.shipment.in", (), "to_location.type"),
        "purchase": _summed(pieces.items()),
    }


def _pieces(rpc: Rpc, model: str, ours: tuple[str, ...], place: str) -> dict[str, Any]:
    """Of each done paper with a reference, how many pieces it moved to which place; a second paper shows in the sum."""
    done = rpc.rows(model, [["state", "=", "done"], ["reference", "!=", None]], "reference")
    named = {
        f"{model},{row['id']}": str(row["reference"]) for row in done if str(row["reference"]).startswith(ours or "")
    }
    moves = rpc.rows(
        "stock.move", [["shipment", "in", list(named)], ["state", "=", "done"]], "shipment", "quantity", place
    )
    where = place.partition(".")
    return _summed(
        (f"{named[row['shipment']]} {row[where[0] + '.'][where[2]]}", Decimal(row["quantity"])) for row in moves
    )


def _cancelled(row: dict[str, Any]) -> bool:
    """By the workflow, or (once it was in processing) by an amendment to nothing."""
    emptied = row["state"] == "done" and not row["total_amount"] and row["shipment_state"] == "none"
    return row["state"] == "cancelled" or emptied


def _order(reference: str) -> str:
    return reference.partition("+")[0]


def _counted(references: Iterable[str]) -> dict[str, Any]:
    return dict(sorted(Counter(references).items()))


def _summed(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Any]:
    sums: dict[str, Decimal] = {}
    for reference, amount in amounts:
        sums[reference] = sums.get(reference, Decimal(0)) + amount
    return {reference: str(amount) for reference, amount in sorted(sums.items())}


def main() -> None:
    """Print the counts as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("url", "database", "user", "password"):
        parser.add_argument(name)
    given = parser.parse_args()
    print(json.dumps(count(given.url, given.database, given.user, given.password), indent=1))


if __name__ == "__main__":
    main()
