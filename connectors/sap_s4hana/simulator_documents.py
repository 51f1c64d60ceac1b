"""What follows an order: outbound deliveries, customer returns and credit memo requests; and who is a customer."""

from __future__ import annotations

import copy
from decimal import Decimal

from connectors.sap_s4hana.simulator_company import Company
from connectors.sap_s4hana.simulator_odata import Record, Refused, day, inner, kept
from connectors.sap_s4hana.simulator_orders import save

OPEN, DONE = "A", "C"


def deliver(company: Company, body: Record) -> Record:
    """A delivery with reference to a sales order: no more than is open of each item."""
    company.checked("A_OutbDeliveryHeader", body)
    lines = inner(body, "to_DeliveryDocumentItem")
    if not lines:
        raise Refused(400, "VL/367", "An item does not exist", "to_DeliveryDocumentItem")
    made: Record = {name: value for name, value in body.items() if not name.startswith("to_")}
    made |= {"items": [], "CreationDate": day(), "OverallPickingStatus": OPEN, "OverallGoodsMovementStatus": OPEN}
    orders: dict[str, Record] = {}
    for n, line in enumerate(lines, 1):
        company.checked("A_OutbDeliveryItem", line)
        made["items"].append(_line(company, orders, n * 10, line))
    number = str(80_000_000 + company.simulator.memory.next_id("deliveries", 1))
    made["DeliveryDocument"] = number
    for order in orders.values():
        save(company, order)
    company.simulator.created("deliveries", number)
    return company.keep("deliveries", number, made)


def _line(company: Company, orders: dict[str, Record], position: int, line: Record) -> Record:
    number, reference = (
        str(line.get("ReferenceSDDocument", "")),
        str(line.get("ReferenceSDDocumentItem", "")).lstrip("0"),
    )
    if number not in orders:
        found = company.rows("salesOrders").get(number)
        if found is None:
            raise Refused(400, "VL/302", f"Document {number} does not exist", "ReferenceSDDocument")
        orders[number] = copy.deepcopy(found)
    item = next((one for one in orders[number]["items"] if one["SalesOrderItem"] == reference), None)
    if item is None:
        raise Refused(400, "VL/367", "An item does not exist", "ReferenceSDDocumentItem")
    quantity = Decimal(str(line.get("ActualDeliveryQuantity") or item["RequestedQuantity"]))
    open_ = Decimal(item["RequestedQuantity"]) - Decimal(item["delivered"])
    if item["SalesDocumentRjcnReason"] or quantity <= 0 or quantity > open_:
        raise Refused(400, "VL/389", f"Only {open_} of item {reference} can be delivered", "ActualDeliveryQuantity")
    item["delivered"] = kept(Decimal(item["delivered"]) + quantity)
    storage = str(line.get("StorageLocation") or item.get("StorageLocation") or "")
    company.place(str(item.get("ProductionPlant", "")), storage)
    return {
        "DeliveryDocumentItem": str(position),
        "ReferenceSDDocument": number,
        "ReferenceSDDocumentItem": reference,
        "Material": item["Material"],
        "Plant": item.get("ProductionPlant", ""),
        "StorageLocation": storage,
        "ActualDeliveryQuantity": kept(quantity),
        "DeliveryQuantityUnit": item["RequestedQuantityUnit"],
    }


def pick(company: Company, one: Record) -> None:
    one["OverallPickingStatus"] = DONE
    company.keep("deliveries", one["DeliveryDocument"], one)


def issue(company: Company, one: Record) -> None:
    """The goods leave: their stock goes down. Raises Refused where they are not picked, or are gone already."""
    if one["OverallPickingStatus"] != DONE:
        raise Refused(400, "VL/608", "The delivery has not been picked completely")
    if one["OverallGoodsMovementStatus"] == DONE:
        raise Refused(400, "VL/600", "Goods issue has already been posted")
    one["OverallGoodsMovementStatus"] = DONE
    one["ActualGoodsMovementDate"] = one.get("ActualGoodsMovementDate") or day()
    for line in one["items"]:
        stock(
            company,
            line["Material"],
            f"{line['Plant']}/{line['StorageLocation']}",
            -Decimal(line["ActualDeliveryQuantity"]),
        )
    company.keep("deliveries", one["DeliveryDocument"], one)


def stock(company: Company, material: str, place: str, more: Decimal, kind: str = "01", batch: str = "") -> None:
    """Pieces come or go; what goes is taken from the batches by their numbers."""
    key = f"{material}@{place}@{kind}"
    old = company.rows("stock").get(key) or {"Material": material, "place": place, "kind": kind, "quantity": "0"}
    batches = {name: Decimal(many) for name, many in old.get("batches", {}).items()}
    if batch:
        batches[batch] = batches.get(batch, Decimal(0)) + more
    gone = max(Decimal(0), -more)
    for name in sorted(batches) if not batch else ():
        taken = min(gone, batches[name])
        batches[name], gone = batches[name] - taken, gone - taken
    told = {name: kept(many) for name, many in batches.items() if many}
    company.keep("stock", key, {**old, "quantity": kept(Decimal(old["quantity"]) + more), "batches": told})


def credit(company: Company, body: Record) -> Record:
    """A request: its item's price and taxes make what is to be paid back; it waits for a person's release."""
    company.checked("A_CreditMemoRequest", body)
    made = _document(company, body, "A_CreditMemoRequestItem")
    net = tax = Decimal(0)
    for item in inner(body, "to_Item"):
        for one in inner(item, "to_PricingElement"):
            kind = company.conditions.get(str(one.get("ConditionType", "")), "")
            if kind not in ("price", "net", "tax"):
                raise Refused(
                    400, "VK/015", f"Condition type {one.get('ConditionType')} is not allowed here", "ConditionType"
                )
            amount = Decimal(str(one["ConditionRateValue"]))
            net, tax = (net, tax + amount) if kind == "tax" else (net + amount, tax)
    made |= {"TotalNetAmount": kept(net), "tax": kept(tax), "HeaderBillingBlockReason": "08"}
    return _numbered(company, "credits", "CreditMemoRequest", 60_000_000, made)


def come_back(company: Company, body: Record) -> Record:
    company.checked("A_CustomerReturn", body)
    made = _document(company, body, "A_CustomerReturnItem")
    for n, item in enumerate(made["items"], 1):
        company.place(str(item.get("Plant", "")), "")
        item["CustomerReturnItem"] = str(n * 10)
    return _numbered(company, "returns", "CustomerReturn", 70_000_000, made)


def _document(company: Company, body: Record, entity: str) -> Record:
    company.in_area(body)
    company.sold_to(str(body.get("SoldToParty", "")))
    if not body.get("SDDocumentReason"):
        raise Refused(400, "V1/555", "Enter an order reason", "SDDocumentReason")
    items = inner(body, "to_Item")
    for item in items:
        company.checked(entity, item)
        company.material(str(item.get("Material", "")))
    made: Record = {name: value for name, value in body.items() if not name.startswith("to_")}
    plain = [{name: value for name, value in one.items() if not name.startswith("to_")} for one in items]
    return made | {"items": plain, "CreationDate": day()}


def _numbered(company: Company, table: str, key: str, first: int, made: Record) -> Record:
    number = str(first + company.simulator.memory.next_id(table, 1))
    company.simulator.created(table, number)
    return company.keep(table, number, {**made, key: number})


def partner(company: Company, body: Record) -> Record:
    """A business partner in the roles of a customer; its numbers as partner and as customer are one."""
    for place in inner(body, "to_BusinessPartnerAddress"):
        if not place.get("Country"):
            raise Refused(400, "AM/021", "Enter a country", "Country")
        for mail in inner(place, "to_EmailAddress"):
            company.postable(str(mail.get("EmailAddress", "")))
    if not (body.get("LastName") or body.get("OrganizationBPName1")):
        raise Refused(400, "R1/102", "Enter a name", "LastName")
    number = str(1_000_000 + company.simulator.memory.next_id("partners", 1))
    told = {name: value for name, value in body.items() if not name.startswith("to_")}
    company.simulator.created("partners", number)
    own = {"BusinessPartner": number, "Customer": number, "BusinessPartnerIsBlocked": False}
    return company.keep("partners", number, {**told, **own})
