"""Posting: a sales order's shipment and invoice in one, and a credit memo."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

from connectors.business_central.simulator_books import Books, Record
from connectors.business_central.simulator_refusals import Refused
from connectors.business_central.simulator_sums import kept, number, reckon

NOTHING = "There is nothing to post because the document does not contain a quantity or amount."
COPIED = (
    "externalDocumentNumber postingDate customerId customerNumber customerName billToName billToCustomerId billToCustomerNumber "
    "sellToAddressLine1 sellToAddressLine2 sellToCity sellToCountry sellToState sellToPostCode shipToName shipToContact "
    "shipToAddressLine1 shipToAddressLine2 shipToCity shipToCountry shipToState shipToPostCode currencyCode pricesIncludeTax email"
).split()


def ship_and_invoice(books: Books, key: str) -> None:
    """Microsoft.NAV.shipAndInvoice: what is set to be shipped and invoiced, no more. An order that is invoiced whole goes."""
    order = deepcopy(books.get("salesOrders", key))
    taken = {line["id"]: number(line["shipQuantity"]) for line in order["lines"] if line.get("lineType") != "Comment"}
    billed = {
        line["id"]: number(line["invoiceQuantity"]) for line in order["lines"] if line.get("lineType") != "Comment"
    }
    if not any(taken.values()) and not any(billed.values()):
        raise Refused(NOTHING)
    if not order.get("partialShipping", True) and any(
        _left(line) != taken[line["id"]] for line in order["lines"] if line["id"] in taken
    ):
        raise Refused("This order must be a complete shipment.")
    if any(taken.values()):
        _shipment(books, order, taken)
    _invoice(books, order, billed)
    for line in (one for one in order["lines"] if one["id"] in taken):
        line["shippedQuantity"] = kept(number(line["shippedQuantity"]) + taken[line["id"]])
        line["invoicedQuantity"] = kept(number(line["invoicedQuantity"]) + billed[line["id"]])
        line["shipQuantity"] = line["invoiceQuantity"] = kept(_left(line))
    whole = all(
        number(line["quantity"]) == number(line["invoicedQuantity"]) for line in order["lines"] if line["id"] in taken
    )
    order["fullyShipped"] = whole
    if whole:
        books.drop("salesOrders", key)
        books.put("salesOrdersPosted", order["id"].lower(), order)
    else:
        books.keep("salesOrders", order)


def _left(line: Mapping[str, Any]) -> Decimal:
    return number(line["quantity"]) - number(line["shippedQuantity"])


def _shipment(books: Books, order: Record, taken: Mapping[str, Decimal]) -> None:
    kept_lines = (
        "lineType", "lineObjectNumber", "description", "description2", "unitOfMeasureCode", "unitPrice", "sequence", "taxPercent",
    )  # fmt: skip
    lines = [
        {
            "id": f"{line['id'][:-4]}{n:04x}",
            "quantity": kept(taken[line["id"]]),
            **{name: line[name] for name in kept_lines if name in line},
        }
        for n, line in enumerate(order["lines"])
        if taken.get(line["id"])
    ]
    head = {name: order[name] for name in COPIED if name in order}
    books.keep(
        "salesShipments",
        {**head, "number": books.numbered("salesShipments"), "orderNumber": order["number"], "lines": lines},
    )
    for line in order["lines"]:
        if line.get("lineType") == "Item" and taken.get(line["id"]):
            move(books, str(line["lineObjectNumber"]), -taken[line["id"]])


def move(books: Books, item: str, quantity: Decimal) -> None:
    """Pieces that come or go; quantities are kept for stocked items alone."""
    found = books.by_number("items", item)
    if found is not None and found.get("type", "Inventory") == "Inventory":
        stamp = found["lastModifiedDateTime"]  # a posting moves the quantity, it does not change the item
        books.keep("items", {**found, "inventory": kept(number(found.get("inventory")) + quantity), "_stamp": stamp})


def _invoice(books: Books, order: Record, billed: Mapping[str, Decimal]) -> None:
    lines = [deepcopy(line) for line in order["lines"] if billed.get(line["id"])]
    head: Record = {name: order[name] for name in COPIED if name in order}
    whole = sum((number(line.get("quantity")) * number(line.get("unitPrice")) for line in order["lines"]), Decimal(0))
    part = sum((billed[line["id"]] * number(line.get("unitPrice")) for line in lines), Decimal(0))
    discount = number(order.get("discountAmount")) * (part / whole if whole else Decimal(1))
    head["discountAmount"] = kept(discount.quantize(books.unit(order)))
    reckon(head, lines, books.rates, books.unit(order), books.rounding, billed)
    own = {
        "number": books.numbered("salesInvoices"),
        "orderId": order["id"],
        "orderNumber": order["number"],
        "status": "Open",
    }
    dates = {
        "invoiceDate": order["postingDate"],
        "dueDate": order["postingDate"],
        "remainingAmount": head["totalAmountIncludingTax"],
    }
    books.keep("salesInvoices", {**head, **own, **dates, "lines": lines})


def post_memo(books: Books, key: str) -> None:
    """Microsoft.NAV.post of a credit memo: what it holds of items comes back into stock."""
    memo = deepcopy(books.get("salesCreditMemos", key))
    if memo["status"] != "Draft":
        raise Refused("The credit memo is posted already.")
    if not memo["lines"]:
        raise Refused(NOTHING)
    for line in memo["lines"]:
        if line.get("lineType") == "Item":
            move(books, str(line["lineObjectNumber"]), number(line["quantity"]))
    books.keep("salesCreditMemos", {**memo, "status": "Open", "postedNumber": books.numbered("salesCreditMemos")})
