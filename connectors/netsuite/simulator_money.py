"""A customer's money in a NetSuite account: deposits, what they were applied to, refunds, what is left of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.netsuite.simulator_errors import Refused, value, wanting
from connectors.netsuite.simulator_fields import examine
from connectors.netsuite.simulator_sums import number, sums

if TYPE_CHECKING:
    from connectors.netsuite.simulator_books import Books

Body = Mapping[str, Any]
Record = dict[str, Any]


def entity(books: Books, name: str, record: Body, label: str) -> Record:
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


def deposit(books: Books, record: Record) -> None:
    entity(books, "customer", record, "Customer")
    if number(record.get("payment")) <= 0:
        raise wanting("Payment Amount")
    if not record.get("paymentOption"):
        raise wanting("Payment Option")
    order = record.get("salesOrder")
    if order and str(order["id"]) not in books.table("salesOrder"):
        raise value("salesOrder", order["id"])


def refund(books: Books, record: Record) -> None:
    """A customer refund takes from credits and deposits of the same customer no more than is left of them."""
    entity(books, "customer", record, "Customer")
    if not record.get("paymentOption"):
        raise wanting("Payment Option")
    if record.get("deposit") and "id" in record:
        raise Refused("The deposit sublist cannot be updated.", path="deposit")
    rows = [(name, index, row) for name in ("apply", "deposit") for index, row in enumerate(_marked(record, name))]
    if not rows:
        raise Refused(
            "Error while accessing a resource. You must apply this refund to at least one transaction.",
            path="apply",
        )
    for name, index, row in rows:
        _taken(books, record, f"{name}.items[{index}]", row, "creditMemo" if name == "apply" else "customerDeposit")
    record["total"] = str(sum((number(row["amount"]) for _, _, row in rows), Decimal(0)))


def _marked(record: Body, name: str) -> Sequence[Record]:
    return [row for row in record.get(name, ()) if row.get("apply")]


def _taken(books: Books, record: Body, path: str, row: Body, kind: str) -> None:
    source = books.table(kind).get(str(row["doc"]["id"]))
    owner = "entity" if kind == "creditMemo" else "customer"
    if source is None or source[owner]["id"] != record["customer"]["id"]:
        raise value(f"{path}.doc", row["doc"]["id"])
    left = (remaining if kind == "creditMemo" else deposit_left)(books, source, record.get("id", ""))
    if not 0 < number(row.get("amount")) <= left:
        raise value(f"{path}.amount", row.get("amount"))


def remaining(books: Books, memo: Record, but: str = "") -> Decimal:
    """What is left of a credit memo beside what other refunds took."""
    return sums(memo)["total"] - sum(_refunded(books, "apply", memo["id"], but), Decimal(0))


def deposit_left(books: Books, held: Record, but: str = "") -> Decimal:
    """What is left of a deposit beside what was applied and refunded of it."""
    applied = (number(one["applied"]) for one in _applications(books) if one["deposit"]["id"] == held["id"])
    given = _refunded(books, "deposit", held["id"], but)
    return number(held["payment"]) - sum(applied, Decimal(0)) - sum(given, Decimal(0))


def _refunded(books: Books, name: str, source: str, but: str = "") -> Iterator[Decimal]:
    others = (one for key, one in books.table("customerRefund").items() if key != but)
    return (number(row["amount"]) for one in others for row in one.get(name, ()) if row["doc"]["id"] == source)


def _applications(books: Books) -> Sequence[Record]:
    return list(books.table("depositApplication").values())


def owed(books: Books, invoice: Record) -> Decimal:
    """What is not paid of an invoice."""
    paid = (
        number(row["amount"])
        for one in _applications(books)
        for row in one["apply"]
        if row["doc"]["id"] == invoice["id"]
    )
    return sums(invoice)["total"] - sum(paid, Decimal(0))


def apply_deposit(books: Books, ref: str, body: Any, replace: Sequence[str], strict: bool) -> Record:
    """!transform/depositApplication: rows are named by `doc`; without an amount it is the lesser of both."""
    examine("depositApplication", body, strict)
    with books.simulator.memory.lock:
        books.unused("depositApplication", body)
        held = books.get("customerDeposit", ref)
        left, rows = deposit_left(books, held), []
        for index, row in enumerate(body.get("apply", {}).get("items", ())):
            if row.get("apply"):
                rows.append(_application(books, held, left, row, f"apply.items[{index}]"))
                left -= number(rows[-1]["amount"])
        if not rows:
            raise Refused("You must apply this deposit to at least one transaction.", path="apply")
        return books.keep("depositApplication", _applied(held, rows, body))


def _application(books: Books, held: Record, left: Decimal, row: Body, path: str) -> Record:
    invoice = books.table("invoice").get(str(row["doc"]["id"]))
    if invoice is None or invoice["entity"]["id"] != held["customer"]["id"]:
        raise value(f"{path}.doc", row["doc"]["id"])
    most = min(left, owed(books, invoice))
    amount = number(row["amount"]) if row.get("amount") is not None else most
    if not 0 < amount <= most:
        raise value(f"{path}.amount", amount)
    return {"doc": {"id": invoice["id"]}, "apply": True, "amount": str(amount)}


def _applied(held: Record, rows: list[Record], body: Body) -> Record:
    header = {name: given for name, given in body.items() if name != "apply"}
    total = sum((number(row["amount"]) for row in rows), Decimal(0))
    link = {"customer": held["customer"], "deposit": {"id": held["id"]}}
    return {**header, **link, "apply": rows, "applied": str(total)}


def settle_by_itself(books: Books, invoice: Record) -> None:
    """Where the account is set so, an invoice takes its sales order's deposits as far as they go."""
    for held in list(books.table("customerDeposit").values()):
        ours = (held.get("salesOrder") or {}).get("id") == invoice["createdFrom"]["id"]
        most = min(deposit_left(books, held), owed(books, invoice))
        if ours and most > 0:
            row = {"doc": {"id": invoice["id"]}, "apply": True, "amount": str(most)}
            books.keep("depositApplication", _applied(held, [row], {}))


def standing(books: Books, kind: str, record: Record) -> dict[str, Any]:
    """What a GET tells of a record that other records make of it."""
    if kind == "invoice":
        left = owed(books, record)
        return {
            "amountPaid": sums(record)["total"] - left,
            "amountRemaining": left,
            "status": {"id": "A" if left else "B"},
        }
    if kind == "customerDeposit":
        given = sum(_refunded(books, "deposit", record["id"]), Decimal(0))
        return {
            "refundedAmountTotalBox": given,
            "status": {"id": "C" if deposit_left(books, record) <= 0 else "A"},
        }
    return {}
