"""The books of a NetSuite account: its records, under their ids and external ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.kit.simulator import Simulator
from connectors.netsuite.simulator_errors import Refused, nobody, value
from connectors.netsuite.simulator_fields import examine
from connectors.netsuite.simulator_lines import merged_rows
from connectors.netsuite.simulator_rules import RULES
from connectors.netsuite.simulator_sums import number, told

Body = Mapping[str, Any]
Record = dict[str, Any]
KINDS = {
    kind.lower(): kind
    for kind in (
        "customer salesOrder itemFulfillment creditMemo customerRefund customerDeposit depositApplication invoice "
        "cashSale returnAuthorization itemReceipt inventoryTransfer purchaseOrder inventoryItem"
    ).split()
}
NUMBERS = {
    "salesOrder": "SO",
    "itemFulfillment": "IF",
    "creditMemo": "CM",
    "customerRefund": "RF",
    "customerDeposit": "CD",
    "depositApplication": "DA",
    "invoice": "INV",
    "cashSale": "CS",
    "returnAuthorization": "RMA",
    "itemReceipt": "IR",
    "purchaseOrder": "PO",
    "inventoryTransfer": "IT",
}
SUBLISTS = {
    "item": "lines",
    "taxDetails": "taxDetails",
    "giftCertRedemption": "giftCertRedemption",
    "apply": "apply",
    "deposit": "deposit",
    "inventory": "inventory",
    "package": "package",
}


@dataclass
class Books:
    """All records. Every change is made under the memory's lock, whole or not at all."""

    simulator: Simulator
    subsidiaries: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    refused_emails: tuple[str, ...] = ()
    open_catalogue: bool = True
    applies_deposits: bool = False
    bill_drift: str = ""

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

    def item(self, key: str) -> Record | None:
        found = self.table("items").get(key)
        if found is None and self.open_catalogue and key.isdigit():
            return {"sku": key, "type": "InvtPart"}
        return dict(found) if found else None

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
        with self.simulator.memory.lock:
            self.unused(kind, body if isinstance(body, Mapping) else {})
            return self.save(kind, None, body, (), strict)

    def unused(self, kind: str, body: Body) -> None:
        """Refuses a new record under an external id that another of its kind bears."""
        name = body.get("externalId")
        if name and self.find(kind, f"eid:{name}") is not None:
            raise Refused(f"This record already exists: external ID {name}.", "DUP_RCRD", "externalId")

    def save(self, kind: str, old: Record | None, body: Any, replace: Sequence[str], strict: bool) -> Record:
        """Checks a body, merges it into what there is and keeps it."""
        examine(kind, body, strict)
        if old is None and kind not in RULES:
            raise Refused(f"A {kind} is made only by a transformation of another record.", "USER_ERROR")
        with self.simulator.memory.lock:
            record = self.merged(old or {}, body, replace)
            if kind in RULES:
                RULES[kind](self, record)
            return self.keep(kind, record)

    def merged(self, old: Record, body: Body, replace: Sequence[str]) -> Record:
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
                new[kept] = merged_rows(name, rows, told(dict(body[name])["items"]))
        return new

    def keep(self, kind: str, record: Record) -> Record:
        memory = self.simulator.memory
        if "id" not in record:
            record["id"] = str(memory.next_id("records", 1001))
            if kind in NUMBERS:
                record["tranId"] = record.get("tranId") or f"{NUMBERS[kind]}{memory.next_id(kind, 10001)}"
            record["createdDate"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            self.simulator.created(kind, record["id"])
        if record.get("externalId"):
            memory.put(f"{kind}_eid", record["externalId"], record["id"])
        stored: Record = memory.put(kind, record["id"], record)
        return stored
