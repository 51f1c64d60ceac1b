"""The books of a company in Business Central: its records by SystemId, and the rules of its pages."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.business_central.simulator_fields import examine
from connectors.business_central.simulator_refusals import Refused, changed, no_token, nobody
from connectors.business_central.simulator_sums import PRICE, kept, number, reckon
from connectors.kit.simulator import Simulator

Record = dict[str, Any]
NOWHERE = "00000000-0000-0000-0000-000000000000"
ENTITY = {
    "customers": "customer",
    "salesOrders": "salesOrder",
    "salesCreditMemos": "salesCreditMemo",
    "salesInvoices": "salesInvoice",
    "salesShipments": "salesShipment",
    "items": "item",
    "journalLines": "journalLine",
    "customerPayments": "customerPayment",
}
LINES = {
    "salesOrders": ("salesOrderLines", "salesOrderLine"),
    "salesCreditMemos": ("salesCreditMemoLines", "salesCreditMemoLine"),
    "salesShipments": ("salesShipmentLines", "salesShipmentLine"),
}
NUMBERS = {"salesOrders": "S-ORD", "salesCreditMemos": "S-CR", "salesInvoices": "PS-INV", "salesShipments": "S-SHPT"}


@dataclass
class Books:
    """All records of one company. Every request is done whole or not at all."""

    simulator: Simulator
    rates: Mapping[str, Decimal]
    currencies: Mapping[str, Decimal]
    accounts: frozenset[str] = frozenset()
    locations: frozenset[str] = frozenset()
    journals: frozenset[str] = frozenset()
    refused_emails: tuple[str, ...] = ()
    rounding: str = "nearest"
    manual_numbers: bool = True
    undo: list[list[tuple[str, str, Record | None]]] = field(default_factory=list)

    # ---- reading

    def rows(self, table: str) -> dict[str, Record]:
        return {key: one for key, one in self.simulator.memory.table(table).items() if one is not None}

    def get(self, table: str, key: str) -> Record:
        found = self.simulator.memory.table(table).get(key.lower())
        if found is None:
            raise nobody(ENTITY[table], key)
        return dict(found)

    def by_number(self, table: str, wanted: str) -> Record | None:
        return next((one for one in self.rows(table).values() if one["number"] == wanted.upper()), None)

    # ---- writing

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What was changed when something is refused is changed back."""
        with self.simulator.memory.lock:
            self.undo.append([])
            try:
                yield
            except Refused:
                for table, key, old in reversed(self.undo.pop()):
                    self.simulator.memory.put(table, key, old)
                raise
            done = self.undo.pop()
            if self.undo:
                self.undo[-1].extend(done)

    def put(self, table: str, key: str, record: Record | None) -> None:
        memory = self.simulator.memory
        with memory.lock:
            if self.undo:
                self.undo[-1].append((table, key, memory.table(table).get(key)))
            memory.put(table, key, record)

    def keep(self, table: str, record: Record) -> Record:
        """Under its id, with a new ETag and time of change."""
        memory, now = self.simulator.memory, datetime.now(UTC)
        if not record.get("id"):
            record["id"] = str(uuid.uuid4())
            self.simulator.created(table, record["id"])
        record["etag"] = f'W/"{memory.next_id("etags", 1001)}"'
        stamp = record.pop("_stamp", None) or now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record["lastModifiedDateTime"] = stamp
        self.put(table, record["id"].lower(), record)
        return record

    def drop(self, table: str, key: str) -> None:
        self.put(table, key.lower(), None)

    def numbered(self, table: str) -> str:
        return f"{NUMBERS[table]}{self.simulator.memory.next_id(table, 101001)}"

    @staticmethod
    def matched(record: Mapping[str, Any], etag: str) -> None:
        """If-Match must be there, and be the record's own or a star."""
        if not etag:
            raise no_token()
        if etag not in ("*", record["etag"]):
            raise changed()

    # ---- customers

    def customer(self, body: Mapping[str, Any]) -> Record:
        examine("customer", body)
        wanted = str(body.get("number", "")).upper()
        if wanted and not self.manual_numbers:
            words = "You may not enter numbers manually. If you want to enter numbers manually, please activate Manual Nos. in No. Series CUST."
            raise Refused(words)
        if wanted and self.by_number("customers", wanted):
            words = f"The Customer already exists. Identification fields and values: No.='{wanted}'"
            raise Refused(words, "Internal_EntityWithSameKeyExists")
        if str(body.get("email", "")).casefold() in self.refused_emails:
            raise Refused("The customer is on credit hold.", "Application_DialogException")
        own = wanted or f"C{self.simulator.memory.next_id('customers', 10001)}"
        return self.keep("customers", {"type": "Company", "blocked": " ", **body, "number": own})

    # ---- documents

    def create(self, table: str, body: Mapping[str, Any]) -> Record:
        """A document with its lines, in one transaction (deep insert)."""
        lines, kind = LINES[table]
        examine(ENTITY[table], body)
        header = {name: _told(value) for name, value in body.items() if name != lines}
        record = self._headed(table, header)
        record["lines"] = []
        for one in body.get(lines, ()):
            self._add(record, table, kind, one)
        self._reckon(record)
        return self.keep(table, record)

    def _headed(self, table: str, header: Record) -> Record:
        if not header.get("customerId") and not header.get("customerNumber"):
            raise Refused('A "customerNumber" or a "customerId" must be provided.')
        found = self.rows("customers").get(str(header.get("customerId", "")).lower())
        if found is None:
            raise Refused("The sell-to customer cannot be found.")
        if found.get("blocked") == "All":
            raise Refused(
                f"You cannot create this type of document when Customer {found['number']} is blocked with type All"
            )
        self._currency(header)
        today = datetime.now(UTC).date().isoformat()
        about = {
            "number": self.numbered(table),
            "customerNumber": found["number"],
            "customerName": found["displayName"],
        }
        common = {"status": "Draft", "pricesIncludeTax": False, "discountAmount": "0", "partialShipping": True}
        dates = {"orderDate": today, "postingDate": today}
        own = (
            common
            if table == "salesOrders"
            else {name: one for name, one in common.items() if name != "partialShipping"}
        )
        bill = {
            "billToName": found["displayName"],
            "billToCustomerId": found["id"],
            "billToCustomerNumber": found["number"],
        }
        return {**own, **dates, **bill, **header, **about}

    def _currency(self, header: Record) -> None:
        code = str(header.get("currencyCode", "") or next(iter(self.currencies)))
        if code not in self.currencies:
            raise Refused('The "currencyCode" does not match to a Currency.')
        header["currencyCode"] = code
        if header.get("externalDocumentNumber"):
            header["externalDocumentNumber"] = str(header["externalDocumentNumber"]).upper()

    def change(self, table: str, key: str, body: Mapping[str, Any], etag: str) -> Record:
        record = deepcopy(self.get(table, key))
        self.matched(record, etag)
        examine(ENTITY[table], body)
        if LINES[table][0] in body:
            raise Refused("Nested navigation properties cannot be updated.", "BadRequest")
        record |= {name: _told(value) for name, value in body.items()}
        self._currency(record)
        self._reckon(record)
        return self.keep(table, record)

    def delete(self, table: str, key: str, etag: str) -> None:
        """An order of which something is shipped and not invoiced stays; what is posted is no draft any more."""
        record = self.get(table, key)
        self.matched(record, etag)
        if any(number(line.get("shippedQuantity")) != number(line.get("invoicedQuantity")) for line in record["lines"]):
            raise Refused(
                f"You cannot delete order {record['number']}, because at least one line is shipped and not invoiced."
            )
        if table == "salesCreditMemos" and record["status"] != "Draft":
            raise Refused("You cannot delete a posted credit memo.")
        self.drop(table, key)
        self.put(f"{table}Deleted", record["id"].lower(), {**record, "deletedAt": time.time()})

    # ---- lines

    def line(self, table: str, key: str, body: Mapping[str, Any]) -> Record:
        record = deepcopy(self.get(table, key))
        made = self._add(record, table, LINES[table][1], body)
        self._reckon(record)
        self.keep(table, record)
        return made

    def owner(self, table: str, line: str) -> Record:
        """The document that a line is of."""
        owners = (one for one in self.rows(table).values() for row in one["lines"] if row["id"].lower() == line.lower())
        found = next(owners, None)
        if found is None:
            raise nobody(LINES[table][1], line)
        return deepcopy(found)

    def change_line(self, table: str, line: str, body: Mapping[str, Any], etag: str) -> Record:
        record = self.owner(table, line)
        row: Record = next(one for one in record["lines"] if one["id"].lower() == line.lower())
        self.matched({**row, "etag": record["etag"]}, etag)
        examine(LINES[table][1], body)
        self._set(row, body)
        self._reckon(record)
        self.keep(table, record)
        return row

    def delete_line(self, table: str, line: str, etag: str) -> None:
        record = self.owner(table, line)
        row = next(one for one in record["lines"] if one["id"].lower() == line.lower())
        self.matched({**row, "etag": record["etag"]}, etag)
        if number(row.get("shippedQuantity")):
            raise Refused(
                "Quantity Shipped must be equal to '0' in Sales Line.", "Application_FieldValidationException"
            )
        record["lines"] = [one for one in record["lines"] if one is not row]
        self._reckon(record)
        self.keep(table, record)

    def _add(self, record: Record, table: str, kind: str, body: Mapping[str, Any]) -> Record:
        examine(kind, body)
        last = max((one["sequence"] for one in record["lines"]), default=0)
        row: Record = {
            "id": str(uuid.uuid4()),
            "sequence": last + 10000,
            "quantity": "0",
            "unitPrice": "0",
            "discountAmount": "0",
        }
        if table == "salesOrders":
            row |= {"shippedQuantity": "0", "invoicedQuantity": "0", "shipQuantity": "0", "invoiceQuantity": "0"}
        row["documentId"] = record.get("id", "")
        record["lines"].append(row)
        self._set(row, body)
        return row

    def _set(self, row: Record, body: Mapping[str, Any]) -> None:
        """The fields in the order in which they are told, each with what it brings along."""
        for name, value in body.items():
            if name == "quantity":
                self._quantity(row, number(value))
            elif name == "unitPrice":
                row[name] = kept(number(value).quantize(PRICE))
                row["discountAmount"] = "0"
            else:
                row[name] = _told(value)
            if name in ("lineObjectNumber", "itemId"):
                self._object(row)
            if name == "taxCode" and value not in self.rates:
                raise _unrelated("VAT Prod. Posting Group", str(value), "VAT Product Posting Group")
            if name == "locationId" and value != NOWHERE and str(value).lower() not in self.locations:
                raise Refused('The "locationId" does not match to a Location.')
        self._sound(row)

    def _quantity(self, row: Record, quantity: Decimal) -> None:
        """A changed quantity brings the item's own price and no discount; what is to be shipped follows it."""
        shipped = number(row.get("shippedQuantity"))
        if abs(quantity) < abs(shipped):
            words = f"Quantity must not be less than the shipped quantity {shipped} in Sales Line."
            raise Refused(words, "Application_FieldValidationException")
        row["quantity"] = kept(quantity)
        if row.get("lineType") == "Item":
            item = self.by_number("items", str(row.get("lineObjectNumber", ""))) or {}
            row["unitPrice"], row["discountAmount"] = str(item.get("unitPrice", "0")), "0"
        if "shipQuantity" in row:
            row["shipQuantity"] = row["invoiceQuantity"] = kept(quantity - shipped)

    def _object(self, row: Record) -> None:
        if row.get("lineType") == "Item":
            found = self.by_number("items", str(row.get("lineObjectNumber", "")))
            if found is None:
                raise _unrelated("No.", str(row.get("lineObjectNumber", "")), "Item")
            if found.get("blocked"):
                raise Refused(
                    f"Blocked must be equal to 'No' in Item: No.={found['number']}. Current value is 'Yes'.",
                    "Application_FieldValidationException",
                )
            row |= {
                "itemId": found["id"],
                "lineObjectNumber": found["number"],
                "unitOfMeasureCode": found.get("baseUnitOfMeasureCode", "PCS"),
            }
        elif row.get("lineType") == "Account" and self.accounts and row.get("lineObjectNumber") not in self.accounts:
            raise _unrelated("No.", str(row.get("lineObjectNumber", "")), "G/L Account")

    @staticmethod
    def _sound(row: Record) -> None:
        quantity, price = number(row["quantity"]), number(row["unitPrice"])
        discount = number(row["discountAmount"])
        if discount and not 0 <= discount <= quantity * price + Decimal("0.005"):
            raise Refused(
                "Line Discount Amount must be between 0 and the line's amount.", "Application_FieldValidationException"
            )
        left = quantity - number(row.get("shippedQuantity"))
        if "shipQuantity" in row and abs(number(row["shipQuantity"])) > abs(left):
            raise Refused(f"You cannot ship more than {kept(left)} units.")
        if "invoiceQuantity" in row:
            free = number(row["shipQuantity"]) + number(row["shippedQuantity"]) - number(row["invoicedQuantity"])
            if abs(number(row["invoiceQuantity"])) > abs(free):
                raise Refused(f"You cannot invoice more than {kept(free)} units.")

    def _reckon(self, record: Record) -> None:
        reckon(record, record["lines"], self.rates, self.unit(record), self.rounding)

    def unit(self, record: Mapping[str, Any]) -> Decimal:
        """The smallest amount of the document's currency, as the company set it."""
        return self.currencies[str(record["currencyCode"])]

    # ---- journals

    def journal(self, table: str, journal: str, body: Mapping[str, Any]) -> Record:
        examine(ENTITY[table], body)
        if self.journals and journal.lower() not in self.journals:
            raise nobody("journal", journal)
        customer = str(body.get("customerId") or body.get("accountId") or "").lower()
        if customer and customer not in self.rows("customers"):
            raise Refused('The "customerId" does not match to a Customer.')
        if table == "customerPayments" and number(body.get("amount")) > 0:
            raise Refused('The "amount" should be a negative number.')
        external = {"externalDocumentNumber": str(body.get("externalDocumentNumber", "")).upper()}
        told = {name: _told(value) for name, value in body.items()}
        lines = self.rows(table).values()
        last = max((one["lineNumber"] for one in lines if one["journalId"] == journal.lower()), default=0)
        return self.keep(table, {**told, **external, "journalId": journal.lower(), "lineNumber": last + 10000})


def _told(value: Any) -> Any:
    numeric = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return kept(number(value)) if numeric else value


def _unrelated(name: str, value: str, table: str) -> Refused:
    words = f"The field {name} of table Sales Line contains a value ({value}) that cannot be found in the related table ({table})."
    return Refused(words, "Internal_InvalidTableRelation")
