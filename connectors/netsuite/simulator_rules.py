"""What a NetSuite record must be before it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.netsuite.simulator_errors import Refused, value, wanting
from connectors.netsuite.simulator_lines import authorization_status, purchase_status, status
from connectors.netsuite.simulator_money import deposit, entity, refund
from connectors.netsuite.simulator_stock import transfer
from connectors.netsuite.simulator_sums import number

if TYPE_CHECKING:
    from connectors.netsuite.simulator_books import Books

Body = Mapping[str, Any]
Record = dict[str, Any]


def _customer(books: Books, record: Record) -> None:
    person = record.get("isPerson", True)
    if person and not record.get("lastName"):
        raise wanting("Last Name")
    if not person and not record.get("companyName"):
        raise wanting("Company Name")
    if books.subsidiaries:
        _known("subsidiary", record, books.subsidiaries, "Subsidiary")
    if str(record.get("email", "")).casefold() in books.refused_emails:
        raise Refused(
            "Error while accessing a resource. This customer is on credit hold and may not be used.",
            "USER_ERROR",
            "email",
        )


def _known(name: str, record: Body, among: Sequence[str], label: str) -> None:
    given = record.get(name)
    if not given:
        raise wanting(label)
    if str(given["id"]) not in among:
        raise value(name, given["id"])


def _sale(books: Books, record: Record) -> None:
    """A sales order or credit memo: a customer, lines of known items, taxes that belong to its lines."""
    entity(books, "entity", record, "Customer")
    if books.currencies and record.get("currency"):
        _known("currency", record, books.currencies, "Currency")
    if books.locations and record.get("location"):
        _known("location", record, books.locations, "Location")
    if not record.get("lines"):
        raise Refused(
            "Error while accessing a resource. You must enter at least one line item for this transaction.",
            path="item",
        )
    for index, line in enumerate(record["lines"]):
        _line(books, index, line)
    _details(books, record)
    if "shippingCost" in record and not record.get("shipMethod"):
        raise wanting("Ship Via")
    if number(record.get("discountRate")) and not record.get("discountItem"):
        raise wanting("Discount")
    if "createdFrom" not in record:
        record["status"] = status(record)


def _line(books: Books, index: int, line: Record) -> None:
    path = f"item.items[{index}]"
    item = books.item(str((line.get("item") or {}).get("id", "")))
    if item is None:
        raise value(f"{path}.item", (line.get("item") or {}).get("id"))
    line["itemType"] = item["type"]
    discount = item["type"] == "Discount"
    if discount and number(line.get("amount", line.get("rate"))) > 0:
        raise value(f"{path}.amount", line.get("amount"))
    if not discount and line.get("quantity") is None:
        raise wanting("Quantity")
    if number(line.get("quantity")) < number(line.get("quantityFulfilled")):
        raise Refused("The quantity cannot be less than what was fulfilled.", path=f"{path}.quantity")
    if line.get("rate") is not None and line.get("amount") is not None and not discount:
        made, said = number(line["rate"]) * number(line["quantity"]), number(line["amount"])
        if abs(made - said) > Decimal("0.01") * max(Decimal(1), number(line["quantity"])):
            raise value(f"{path}.amount", line["amount"])


def _details(books: Books, record: Record) -> None:
    rows = record.get("taxDetails", ())
    if rows and not record.get("taxDetailsOverride"):
        raise Refused("Tax details can be set only where Tax Details Override is.", path="taxDetails")
    known = {line.get("taxDetailsReference") for line in record["lines"]} | {"SHIPPING", "HANDLING"}
    for index, row in enumerate(rows):
        path = f"taxDetails.items[{index}]"
        if (row.get("taxDetailsReference") or {}).get("id") not in known - {None}:
            raise value(f"{path}.taxDetailsReference", row.get("taxDetailsReference"))
        if not row.get("taxCode"):
            raise wanting("Tax Code")


def _cash(books: Books, record: Record) -> None:
    """A sale that is paid as it is made."""
    _sale(books, record)
    if not record.get("paymentOption"):
        raise wanting("Payment Option")


def _authorization(books: Books, record: Record) -> None:
    """A return authorization, as it is made and as it is changed."""
    _sale(books, record)
    record["status"] = authorization_status(record)


def _purchase(books: Books, record: Record) -> None:
    """A purchase order: of a vendor, lines of known items, none below what came in."""
    if not record.get("entity"):
        raise wanting("Vendor")
    if books.vendors and str(record["entity"]["id"]) not in books.vendors:
        raise value("entity", record["entity"]["id"])
    if books.currencies and record.get("currency"):
        _known("currency", record, books.currencies, "Currency")
    if not record.get("lines"):
        raise wanting("Items")
    for index, line in enumerate(record["lines"]):
        _line(books, index, line)
        if number(line["quantity"]) < number(line.get("quantityReceived")):
            raise Refused("The quantity cannot be less than what was received.", path=f"item.items[{index}].quantity")
    record["status"] = purchase_status(record)


RULES: dict[str, Callable[[Books, Record], None]] = {
    "customer": _customer,
    "salesOrder": _sale,
    "creditMemo": _sale,
    "invoice": _sale,
    "cashSale": _cash,
    "returnAuthorization": _authorization,
    "inventoryTransfer": transfer,
    "purchaseOrder": _purchase,
    "customerRefund": refund,
    "customerDeposit": deposit,
}
