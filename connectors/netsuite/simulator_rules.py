"""What a NetSuite record must be before it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.netsuite.simulator_errors import Refused, value, wanting
from connectors.netsuite.simulator_lines import status
from connectors.netsuite.simulator_sums import number, sums

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


def _entity(books: Books, name: str, record: Body, label: str) -> Record:
    if not record.get(name):
        raise wanting(label)
    found = books.table("customer").get(str(record[name]["id"]))
    if found is None:
        raise value(name, record[name]["id"])
    if str(found.get("email", "")).casefold() in books.refused_emails:
        raise Refused(
            "Error while accessing a resource. This customer is on credit hold and may not be used.",
            "USER_ERROR",
            name,
        )
    return found


def _sale(books: Books, record: Record) -> None:
    """A sales order or credit memo: a customer, lines of known items, taxes that belong to its lines."""
    _entity(books, "entity", record, "Customer")
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
    if record.get("discountRate") and not record.get("discountItem"):
        raise wanting("Discount")
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


def _refund(books: Books, record: Record) -> None:
    """A customer refund takes from credits of the same customer no more than is left of them."""
    _entity(books, "customer", record, "Customer")
    if not record.get("paymentOption"):
        raise wanting("Payment Option")
    rows = [row for row in record.get("apply", ()) if row.get("apply")]
    if not rows:
        raise Refused(
            "Error while accessing a resource. You must apply this refund to at least one transaction.",
            path="apply",
        )
    for index, row in enumerate(rows):
        memo = books.table("creditMemo").get(str(row["doc"]["id"]))
        if memo is None or memo["entity"]["id"] != record["customer"]["id"]:
            raise value(f"apply.items[{index}].doc", row["doc"]["id"])
        if not 0 < number(row.get("amount")) <= remaining(books, memo, record.get("id", "")):
            raise value(f"apply.items[{index}].amount", row.get("amount"))
    record["total"] = str(sum((number(row["amount"]) for row in rows), Decimal(0)))


def remaining(books: Books, memo: Record, but: str = "") -> Decimal:
    """What is left of a credit memo beside what other refunds took."""
    others = (one for key, one in books.table("customerRefund").items() if key != but)
    taken = (number(row["amount"]) for one in others for row in one.get("apply", ()) if row["doc"]["id"] == memo["id"])
    return sums(memo)["total"] - sum(taken, Decimal(0))


def _deposit(books: Books, record: Record) -> None:
    _entity(books, "customer", record, "Customer")
    if number(record.get("payment")) <= 0:
        raise wanting("Payment Amount")
    if not record.get("paymentOption"):
        raise wanting("Payment Option")
    order = record.get("salesOrder")
    if order and str(order["id"]) not in books.table("salesOrder"):
        raise value("salesOrder", order["id"])


RULES: dict[str, Callable[[Books, Record], None]] = {
    "customer": _customer,
    "salesOrder": _sale,
    "creditMemo": _sale,
    "customerRefund": _refund,
    "customerDeposit": _deposit,
}
