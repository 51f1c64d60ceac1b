"""The books of a NetSuite account: what a record must be, and what became of orders, shipments and refunds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.kit.simulator import Simulator
from connectors.netsuite.simulator_errors import Refused, nobody, value, wanting
from connectors.netsuite.simulator_fields import examine
from connectors.netsuite.simulator_sums import number, sums, told

Body = Mapping[str, Any]
Record = dict[str, Any]
KINDS = {
    kind.lower(): kind
    for kind in "customer salesOrder itemFulfillment creditMemo customerRefund customerDeposit inventoryItem".split()
}
NUMBERS = {
    "salesOrder": "SO",
    "itemFulfillment": "IF",
    "creditMemo": "CM",
    "customerRefund": "RF",
    "customerDeposit": "CD",
}
SHIPS = ("InvtPart", "NonInvtPart", "Kit", "Assembly")
SUBLISTS = {
    "item": "lines",
    "taxDetails": "taxDetails",
    "giftCertRedemption": "giftCertRedemption",
    "apply": "apply",
    "package": "package",
}


@dataclass
class Books:
    """All records. Every change is made under the memory's lock, whole or not at all."""

    simulator: Simulator
    subsidiaries: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    refused_emails: tuple[str, ...] = ()
    open_catalogue: bool = True
    rules: dict[str, Callable[[Record, Body], None]] = field(init=False)

    def __post_init__(self) -> None:
        self.rules = {
            "customer": self._customer,
            "salesOrder": self._sale,
            "creditMemo": self._sale,
            "customerRefund": self._refund,
            "customerDeposit": self._deposit,
        }

    # ---- reading

    def table(self, kind: str) -> dict[str, Record]:
        return self.simulator.memory.table(kind)

    def find(self, kind: str, ref: str) -> Record | None:
        """By internal id, or by "eid:" and the external id."""
        if ref.startswith("eid:"):
            return self.table(kind).get(self.simulator.memory.table(f"{kind}_eid").get(ref[4:], ""))
        return self.table(kind).get(ref)

    def get(self, kind: str, ref: str) -> Record:
        found = self.find(kind, ref)
        if found is None:
            raise nobody(kind, ref)
        return found

    # ---- writing

    def upsert(self, kind: str, ref: str, body: Any, replace: Sequence[str], strict: bool) -> Record:
        """PUT: only an external id can be one; it inserts or updates."""
        if not ref.startswith("eid:"):
            raise Refused(
                "An external identifier (eid:...) is needed to insert or update a record.", "INVALID_ID", status=400
            )
        if body.get("externalId", ref[4:]) != ref[4:]:
            raise value("externalId", body["externalId"])
        with self.simulator.memory.lock:
            return self.save(kind, self.find(kind, ref), {**body, "externalId": ref[4:]}, replace, strict)

    def create(self, kind: str, body: Any, strict: bool) -> Record:
        name = body.get("externalId") if isinstance(body, Mapping) else None
        with self.simulator.memory.lock:
            if name and self.find(kind, f"eid:{name}") is not None:
                raise Refused(f"This record already exists: external ID {name}.", "DUP_RCRD", "externalId")
            return self.save(kind, None, body, (), strict)

    def save(self, kind: str, old: Record | None, body: Any, replace: Sequence[str], strict: bool) -> Record:
        """Checks a body, merges it into what there is and keeps it."""
        examine(kind, body, strict)
        with self.simulator.memory.lock:
            record = self._merged(old or {}, body, replace)
            self.rules[kind](record, body)
            return self._keep(kind, record)

    def _merged(self, old: Record, body: Body, replace: Sequence[str]) -> Record:
        """Header fields are set; a sublist grows by its rows unless it is replaced; rows with `line` are changed."""
        new = {**old, **{name: given for name, given in told(dict(body)).items() if name not in SUBLISTS}}
        for name, kept in SUBLISTS.items():
            if name in body:
                rows = [] if name in replace else [dict(row) for row in old.get(kept, ())]
                if (
                    name == "item"
                    and name in replace
                    and any(number(row.get("quantityFulfilled")) for row in old.get(kept, ()))
                ):
                    raise Refused("You cannot remove a line that is linked to another transaction.", path="item")
                new[kept] = _rows(name, rows, told(dict(body[name])["items"]))
        return new

    def _keep(self, kind: str, record: Record) -> Record:
        memory = self.simulator.memory
        if "id" not in record:
            record["id"] = str(memory.next_id("records", 1001))
            if kind in NUMBERS:
                record["tranId"] = record.get("tranId") or f"{NUMBERS[kind]}{memory.next_id(kind, 10001)}"
            self.simulator.created(kind, record["id"])
        if record.get("externalId"):
            memory.put(f"{kind}_eid", record["externalId"], record["id"])
        stored: Record = memory.put(kind, record["id"], record)
        return stored

    # ---- rules

    def _customer(self, record: Record, body: Body) -> None:
        person = record.get("isPerson", True)
        if person and not record.get("lastName"):
            raise wanting("Last Name")
        if not person and not record.get("companyName"):
            raise wanting("Company Name")
        if self.subsidiaries:
            self._known("subsidiary", record, self.subsidiaries, "Subsidiary")
        if str(record.get("email", "")).casefold() in self.refused_emails:
            raise Refused(
                "Error while accessing a resource. This customer is on credit hold and may not be used.",
                "USER_ERROR",
                "email",
            )

    def _known(self, name: str, record: Body, among: Sequence[str], label: str) -> None:
        given = record.get(name)
        if not given:
            raise wanting(label)
        if str(given["id"]) not in among:
            raise value(name, given["id"])

    def _entity(self, name: str, record: Body, label: str) -> Record:
        if not record.get(name):
            raise wanting(label)
        found = self.table("customer").get(str(record[name]["id"]))
        if found is None:
            raise value(name, record[name]["id"])
        if str(found.get("email", "")).casefold() in self.refused_emails:
            raise Refused(
                "Error while accessing a resource. This customer is on credit hold and may not be used.",
                "USER_ERROR",
                name,
            )
        return found

    def _sale(self, record: Record, body: Body) -> None:
        """A sales order or credit memo: a customer, lines of known items, taxes that belong to its lines."""
        self._entity("entity", record, "Customer")
        if self.currencies and record.get("currency"):
            self._known("currency", record, self.currencies, "Currency")
        if self.locations and record.get("location"):
            self._known("location", record, self.locations, "Location")
        if not record.get("lines"):
            raise Refused(
                "Error while accessing a resource. You must enter at least one line item for this transaction.",
                path="item",
            )
        for index, line in enumerate(record["lines"]):
            self._line(index, line)
        self._details(record)
        if "shippingCost" in record and not record.get("shipMethod"):
            raise wanting("Ship Via")
        if record.get("discountRate") and not record.get("discountItem"):
            raise wanting("Discount")
        record["status"] = status(record)

    def _line(self, index: int, line: Record) -> None:
        path = f"item.items[{index}]"
        item = self.item(str((line.get("item") or {}).get("id", "")))
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

    def item(self, key: str) -> Record | None:
        found = self.simulator.memory.table("items").get(key)
        if found is None and self.open_catalogue and key.isdigit():
            return {"sku": key, "type": "InvtPart"}
        return dict(found) if found else None

    def _details(self, record: Record) -> None:
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

    def _refund(self, record: Record, body: Body) -> None:
        """A customer refund takes from credits of the same customer no more than is left of them."""
        self._entity("customer", record, "Customer")
        if not record.get("paymentOption"):
            raise wanting("Payment Option")
        rows = [row for row in record.get("apply", ()) if row.get("apply")]
        if not rows:
            raise Refused(
                "Error while accessing a resource. You must apply this refund to at least one transaction.",
                path="apply",
            )
        for index, row in enumerate(rows):
            memo = self.table("creditMemo").get(str(row["doc"]["id"]))
            if memo is None or memo["entity"]["id"] != record["customer"]["id"]:
                raise value(f"apply.items[{index}].doc", row["doc"]["id"])
            if not 0 < number(row.get("amount")) <= self.remaining(memo, record.get("id", "")):
                raise value(f"apply.items[{index}].amount", row.get("amount"))
        record["total"] = str(sum((number(row["amount"]) for row in rows), Decimal(0)))

    def remaining(self, memo: Record, but: str = "") -> Decimal:
        """What is left of a credit memo beside what other refunds took."""
        others = (one for key, one in self.table("customerRefund").items() if key != but)
        taken = (
            number(row["amount"]) for one in others for row in one.get("apply", ()) if row["doc"]["id"] == memo["id"]
        )
        return sums(memo)["total"] - sum(taken, Decimal(0))

    def _deposit(self, record: Record, body: Body) -> None:
        self._entity("customer", record, "Customer")
        if number(record.get("payment")) <= 0:
            raise wanting("Payment Amount")
        if not record.get("paymentOption"):
            raise wanting("Payment Option")
        order = record.get("salesOrder")
        if order and str(order["id"]) not in self.table("salesOrder"):
            raise value("salesOrder", order["id"])

    # ---- shipping

    def fulfil(self, ref: str, body: Any, strict: bool) -> Record:
        """!transform/itemFulfillment: every open line whole, but for what the body says of it."""
        examine("itemFulfillment", body, strict)
        with self.simulator.memory.lock:
            order = self.get("salesOrder", ref)
            name = body.get("externalId")
            if name and self.find("itemFulfillment", f"eid:{name}") is not None:
                raise Refused(f"This record already exists: external ID {name}.", "DUP_RCRD", "externalId")
            if order["status"] not in ("B", "D", "E"):
                raise Refused(
                    "Error while accessing a resource. This transaction is not open for fulfillment.",
                    "INVALID_TRANS_STATUS",
                )
            sent = self._sent(order, body.get("item", {}).get("items", []))
            self._leave(order, sent)
            header = self._merged({}, {name: given for name, given in body.items() if name != "item"}, ())
            record = {**header, "lines": sent, "createdFrom": {"id": order["id"]}, "entity": order["entity"]}
            return self._keep("itemFulfillment", record)

    def _sent(self, order: Record, asked: Sequence[Body]) -> list[Record]:
        lines = {int(line["line"]): line for line in order["lines"] if openness(line) > 0 and line["itemType"] in SHIPS}
        said = {int(row.get("orderLine", 0)): (index, row) for index, row in enumerate(asked)}
        for key, (index, row) in said.items():
            if key not in lines:
                raise value(f"item.items[{index}].orderLine", row.get("orderLine"))
        sent = [self._shipped(line, *said.get(key, (0, {}))) for key, line in lines.items()]
        sent = [row for row in sent if number(row["quantity"])]
        if not sent:
            raise Refused(
                "Error while accessing a resource. You must have at least one valid line item for this transaction.",
                path="item",
            )
        return sent

    def _shipped(self, line: Record, index: int, row: Body) -> Record:
        quantity = number(row.get("quantity", openness(line))) if row.get("itemReceive", True) else Decimal(0)
        if quantity > openness(line):
            raise Refused(
                f"Error while accessing a resource. The quantity {quantity} exceeds the {openness(line)} that remain.",
                path=f"item.items[{index}].quantity",
            )
        place = (row.get("location") or line.get("location") or {}).get("id")
        if quantity and not place and self.locations:
            raise wanting("Location")
        return {"orderLine": line["line"], "item": line["item"], "quantity": str(quantity), "location": {"id": place}}

    def _leave(self, order: Record, sent: Sequence[Record]) -> None:
        by_number = {line["line"]: line for line in order["lines"]}
        for row in sent:
            line = by_number[row["orderLine"]]
            line["quantityFulfilled"] = str(number(line.get("quantityFulfilled")) + number(row["quantity"]))
            self._draw(str(row["item"]["id"]), str(row["location"]["id"]), number(row["quantity"]))
        order["status"] = status(order)
        self._keep("salesOrder", order)

    def _draw(self, item: str, location: str, quantity: Decimal) -> None:
        held = self.simulator.memory.table("stock").get(f"{item}@{location}")
        if held is not None:
            less = {name: str(number(held.get(name)) - quantity) for name in ("available", "onhand")}
            self.simulator.memory.put("stock", f"{item}@{location}", {**held, **less})


def _rows(name: str, rows: list[Record], given: Sequence[Record]) -> list[Record]:
    for row in given:
        old = next(
            (
                one
                for one in rows
                if name == "item" and row.get("line") is not None and int(one["line"]) == int(row["line"])
            ),
            None,
        )
        if name == "item" and row.get("line") is not None and old is None:
            raise value("item.line", row["line"])
        if old is not None:
            old.update(row)
        else:
            taken = max((int(one.get("line", 0)) for one in rows), default=0)
            rows.append({**row, **({"line": taken + 1} if name == "item" else {})})
    return rows


def openness(line: Mapping[str, Any]) -> Decimal:
    """How many of a line can still ship."""
    if line.get("isClosed"):
        return Decimal(0)
    return number(line.get("quantity")) - number(line.get("quantityFulfilled"))


def status(order: Mapping[str, Any]) -> str:
    """A pending approval, B pending fulfilment, D partially fulfilled, F pending billing, H closed."""
    goods = [line for line in order["lines"] if line["itemType"] in SHIPS]
    if order["lines"] and all(line.get("isClosed") for line in order["lines"]):
        return "H"
    left = sum((openness(line) for line in goods), Decimal(0))
    moved = any(number(line.get("quantityFulfilled")) for line in goods)
    if goods and not left:
        return "F" if moved else "H"
    if moved:
        return "D"
    return str((order.get("orderStatus") or {}).get("id", "A"))
