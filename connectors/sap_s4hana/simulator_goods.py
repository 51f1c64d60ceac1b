"""Goods that come back to a company and are moved in it: returns deliveries, their receipts, and movements by material documents."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from decimal import Decimal

from connectors.sap_s4hana.simulator_company import Company
from connectors.sap_s4hana.simulator_documents import DONE, OPEN, stock
from connectors.sap_s4hana.simulator_odata import Record, Refused, day, inner, kept

ISSUE, TRANSFER = "03", "04"
# movement type -> (goods movement code, whether it must stay in its plant)
TYPES = {"311": (TRANSFER, True), "301": (TRANSFER, False), "551": (ISSUE, True)}


def arrive(company: Company, body: Record) -> Record:
    """A returns delivery with reference to a customer return: no more than is open of each item, into the plant's first storage location."""
    company.checked("A_ReturnsDeliveryHeader", body)
    lines = inner(body, "to_DeliveryDocumentItem")
    if not lines:
        raise Refused(400, "VL/367", "An item does not exist", "to_DeliveryDocumentItem")
    made: Record = {name: value for name, value in body.items() if not name.startswith("to_")}
    made |= {"items": [], "CreationDate": day(), "OverallPickingStatus": OPEN, "OverallGoodsMovementStatus": OPEN}
    backs: dict[str, Record] = {}
    for n, line in enumerate(lines, 1):
        company.checked("A_ReturnsDeliveryItem", line)
        made["items"].append({"DeliveryDocumentItem": str(n * 10), **_item(company, backs, line)})
    number = str(84_000_000 + company.simulator.memory.next_id("arrivals", 1))
    for name, back in backs.items():
        company.keep("returns", name, back)
    company.simulator.created("arrivals", number)
    return company.keep("arrivals", number, {**made, "DeliveryDocument": number})


def _item(company: Company, backs: dict[str, Record], line: Record) -> Record:
    number, position = str(line.get("ReferenceSDDocument", "")), str(line.get("ReferenceSDDocumentItem", ""))
    if number not in backs:
        found = company.rows("returns").get(number)
        if found is None:
            raise Refused(400, "VL/302", f"Document {number} does not exist", "ReferenceSDDocument")
        backs[number] = copy.deepcopy(found)
    item = next((one for one in backs[number]["items"] if one["CustomerReturnItem"] == position.lstrip("0")), None)
    if item is None:
        raise Refused(400, "VL/367", "An item does not exist", "ReferenceSDDocumentItem")
    quantity = Decimal(str(line.get("ActualDeliveryQuantity") or item["RequestedQuantity"]))
    open_ = Decimal(item["RequestedQuantity"]) - Decimal(item.get("delivered", "0"))
    if quantity <= 0 or quantity > open_:
        raise Refused(400, "VL/389", f"Only {open_} of item {position} can be delivered", "ActualDeliveryQuantity")
    item["delivered"] = kept(Decimal(item.get("delivered", "0")) + quantity)
    plant = str(item.get("Plant", ""))
    storage = next((one.partition("/")[2] for one in sorted(company.places) if one.partition("/")[0] == plant), "")
    return {
        "ReferenceSDDocument": number,
        "ReferenceSDDocumentItem": position,
        "Material": item["Material"],
        "Plant": plant,
        "StorageLocation": storage,
        "ActualDeliveryQuantity": kept(quantity),
        "DeliveryQuantityUnit": item["RequestedQuantityUnit"],
    }


def put_away(company: Company, one: Record) -> None:
    one["OverallPickingStatus"] = DONE
    company.keep("arrivals", one["DeliveryDocument"], one)


def receive(company: Company, one: Record) -> None:
    """The goods are in stock from now on. Raises Refused where they are not put away, or are there already."""
    if one["OverallPickingStatus"] != DONE:
        raise Refused(400, "VL/608", "The delivery has not been put away completely")
    if one["OverallGoodsMovementStatus"] == DONE:
        raise Refused(400, "VL/600", "Goods receipt has already been posted")
    one["OverallGoodsMovementStatus"] = DONE
    one["ActualGoodsMovementDate"] = one.get("ActualGoodsMovementDate") or day()
    for line in one["items"]:
        place = f"{line['Plant']}/{line['StorageLocation']}"
        stock(company, line["Material"], place, Decimal(line["ActualDeliveryQuantity"]))
    company.keep("arrivals", one["DeliveryDocument"], one)


def move(company: Company, body: Record) -> Record:
    """A material document, whole or not at all: what is moved must be there."""
    company.checked("A_MaterialDocumentHeader", body)
    items = inner(body, "to_MaterialDocumentItem")
    if not items:
        raise Refused(400, "M7/053", "Enter at least one item", "to_MaterialDocumentItem")
    for name in ("PostingDate", "DocumentDate"):
        if not body.get(name):
            raise Refused(400, "M7/090", f"Enter {name}", name)
    moved = [_moved(company, one, str(body.get("GoodsMovementCode", ""))) for one in items]
    for material, start, goal, quantity in moved:
        stock(company, material, start, -quantity)
        if goal:
            stock(company, material, goal, quantity)
    number, year = str(4_900_000_000 + company.simulator.memory.next_id("moves", 1)), str(datetime.now(UTC).year)
    made = {name: value for name, value in body.items() if not name.startswith("to_")}
    made |= {"MaterialDocument": number, "MaterialDocumentYear": year, "CreationDate": day()}
    made["items"] = [{**one, "MaterialDocumentItem": str(n)} for n, one in enumerate(items, 1)]
    company.simulator.created("moves", number)
    return company.keep("moves", number, made)


def _moved(company: Company, item: Record, code: str) -> tuple[str, str, str, Decimal]:
    """(material, from, to, quantity); nowhere is empty."""
    company.checked("A_MaterialDocumentItem", item)
    kind = str(item.get("GoodsMovementType", ""))
    if kind not in TYPES:
        raise Refused(400, "M7/001", f"Movement type {kind} is not defined", "GoodsMovementType")
    wanted, stays = TYPES[kind]
    if code != wanted:
        raise Refused(400, "M7/020", f"Movement type {kind} does not go with code {code}", "GoodsMovementCode")
    start, goal = _place(company, item, "Plant", "StorageLocation"), ""
    if wanted == TRANSFER:
        goal = _place(company, item, "IssuingOrReceivingPlant", "IssuingOrReceivingStorageLoc")
        if (goal.partition("/")[0] == start.partition("/")[0]) != stays:
            raise Refused(400, "M7/062", f"Movement type {kind} does not fit these plants", "GoodsMovementType")
    company.material(str(item.get("Material", "")))
    quantity = Decimal(str(item.get("QuantityInEntryUnit", "0")))
    there = company.rows("stock").get(f"{item['Material']}@{start}@01")
    if quantity <= 0 or there is None or Decimal(there["quantity"]) < quantity:
        raise Refused(
            400, "M7/021", f"Deficit of SL Unrestricted-use : {item['Material']} {start}", "QuantityInEntryUnit"
        )
    return str(item["Material"]), start, goal, quantity


def _place(company: Company, item: Record, plant: str, storage: str) -> str:
    told = (str(item.get(plant, "")), str(item.get(storage, "")))
    if not all(told):
        raise Refused(400, "M7/018", f"Enter {storage if told[0] else plant}", storage if told[0] else plant)
    company.place(*told)
    return "/".join(told)
