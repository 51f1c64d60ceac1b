"""Sales orders: made whole, priced by their conditions, changed piece by piece, rejected item by item."""

from __future__ import annotations

import uuid
from decimal import ROUND_HALF_UP, Decimal

from connectors.sap_s4hana.simulator_company import Company
from connectors.sap_s4hana.simulator_odata import Record, Refused, day, inner, kept

ZERO = Decimal(0)

# ---- making one


def create(company: Company, body: Record) -> Record:
    """A whole sales order, or nothing. Raises Refused."""
    company.checked("A_SalesOrder", body)
    company.in_area(body)
    company.sold_to(str(body.get("SoldToParty", "")))
    if body.get("TransactionCurrency") not in company.currencies:
        raise Refused(400, "V1/505", "The currency is not defined", "TransactionCurrency")
    if not inner(body, "to_Item"):
        raise Refused(400, "V1/001", "Enter at least one item", "to_Item")
    order: Record = {name: value for name, value in body.items() if not name.startswith("to_")}
    order |= {"items": [], "prices": [], "partners": [], "texts": [], "CreationDate": day()}
    for one in inner(body, "to_Item"):
        add_item(company, order, one)
    for one in inner(body, "to_PricingElement"):
        add_price(company, order["prices"], one, header=True)
    for one in inner(body, "to_Partner"):
        add_partner(company, order, one)
    for one in inner(body, "to_Text"):
        add_text(company, order, one)
    reckon(company, order)
    order["SalesOrder"] = str(company.simulator.memory.next_id("salesOrders", 1))
    company.simulator.created("salesOrders", order["SalesOrder"])
    return company.keep("salesOrders", order["SalesOrder"], order)


def add_item(company: Company, order: Record, body: Record) -> Record:
    company.checked("A_SalesOrderItem", body)
    material = company.material(str(body.get("Material", "")))
    company.place(str(body.get("ProductionPlant", "")), str(body.get("StorageLocation", "")))
    quantity = Decimal(str(body.get("RequestedQuantity", "0")))
    if quantity <= 0:
        raise Refused(400, "V1/061", "Enter a quantity", "RequestedQuantity")
    last = max((int(one["SalesOrderItem"]) for one in order["items"]), default=0)
    item: Record = {name: value for name, value in body.items() if not name.startswith("to_")}
    item |= {
        "SalesOrderItem": str(last + 10),
        "RequestedQuantity": kept(quantity),
        "RequestedQuantityUnit": body.get("RequestedQuantityUnit") or material["unit"],
        "SalesDocumentRjcnReason": "",
        "prices": [],
        "delivered": "0",
    }
    for one in inner(body, "to_PricingElement"):
        add_price(company, item["prices"], one, header=False)
    order["items"].append(item)
    return item


def add_price(company: Company, prices: list[Record], body: Record, header: bool) -> Record:
    company.checked("A_SalesOrderItemPrElement", body)
    kind = company.conditions.get(str(body.get("ConditionType", "")), "")
    if not kind or kind.startswith("header") is not header:
        raise Refused(400, "VK/015", f"Condition type {body.get('ConditionType')} is not allowed here", "ConditionType")
    if any(one["ConditionType"] == body["ConditionType"] for one in prices):
        raise Refused(400, "V1/801", f"Condition {body['ConditionType']} exists already", "ConditionType")
    step = {"PricingProcedureStep": str(100 + 10 * len(prices)), "PricingProcedureCounter": "1"}
    if any(one["PricingProcedureStep"] == step["PricingProcedureStep"] for one in prices):
        step["PricingProcedureCounter"] = str(2 + len(prices))
    made = {**body, **step}
    prices.append(made)
    return made


def add_partner(company: Company, order: Record, body: Record) -> Record:
    company.checked("A_SalesOrderHeaderPartner", body)
    company.sold_to(str(body.get("Customer", "")))
    addresses = inner(body, "to_Address")
    for one in addresses:
        company.checked("A_SalesOrderPartnerAddress", one)
        company.postable(str(one.get("EmailAddress", "")))
    place = {"AddressRepresentationCode": "", **(addresses[0] if addresses else {})}
    made = {"PartnerFunction": body["PartnerFunction"], "Customer": body.get("Customer", ""), "address": place}
    order["partners"].append(made)
    return made


def add_text(company: Company, order: Record, body: Record) -> Record:
    company.checked("A_SalesOrderText", body)
    made = dict(body)
    order["texts"].append(made)
    return made


# ---- what it comes to


def reckon(company: Company, order: Record) -> None:
    """Net and tax of every item: its own conditions, and its share of the header's by its worth."""
    unit = company.currencies[order["TransactionCurrency"]]
    for item in order["items"]:
        item["net"], item["tax"] = _own(company, item, unit)
    live = [one for one in order["items"] if not one["SalesDocumentRjcnReason"]] or order["items"]
    for kind, name in (("header_net", "net"), ("header_tax", "tax")):
        for one in order["prices"]:
            if company.conditions[one["ConditionType"]] == kind:
                _spread(live, Decimal(str(one["ConditionRateValue"])), name, unit)
    for item in order["items"]:
        item["NetAmount"], item["TaxAmount"] = kept(item.pop("net")), kept(item.pop("tax"))
        item["DeliveryStatus"] = _delivery(item)
    worth = (Decimal(one["NetAmount"]) for one in order["items"] if not one["SalesDocumentRjcnReason"])
    order["TotalNetAmount"] = kept(sum(worth, ZERO))


def _own(company: Company, item: Record, unit: Decimal) -> tuple[Decimal, Decimal]:
    sums = {"net": ZERO, "tax": ZERO}
    quantity = Decimal(item["RequestedQuantity"])
    for one in item["prices"]:
        rate, kind = Decimal(str(one["ConditionRateValue"])), company.conditions[one["ConditionType"]]
        if kind == "price":
            per = Decimal(str(one.get("ConditionQuantity") or 1))
            sums["net"] += (quantity * rate / per).quantize(unit, ROUND_HALF_UP)
        else:
            sums[kind] += rate
    return sums["net"], sums["tax"]


def _spread(items: list[Record], amount: Decimal, name: str, unit: Decimal) -> None:
    """A sum of the header over the items; what rounding leaves goes to the dearest."""
    worth = sum((abs(one["net"]) for one in items), ZERO)
    shares = [
        (amount * abs(one["net"]) / worth if worth else amount / len(items)).quantize(unit, ROUND_HALF_UP)
        for one in items
    ]
    dearest = max(range(len(items)), key=lambda n: abs(items[n]["net"]))
    shares[dearest] += amount - sum(shares, ZERO)
    for one, share in zip(items, shares, strict=True):
        one[name] += share


def _delivery(item: Record) -> str:
    delivered = Decimal(item["delivered"])
    if not delivered:
        return "A"
    return "C" if delivered >= Decimal(item["RequestedQuantity"]) else "B"


# ---- changing one


def save(company: Company, order: Record) -> None:
    order["version"] = uuid.uuid4().hex[:8]
    reckon(company, order)
    company.keep("salesOrders", order["SalesOrder"], order)


def change_item(company: Company, item: Record, body: Record) -> None:
    company.checked("A_SalesOrderItem", body)
    quantity = Decimal(str(body.get("RequestedQuantity", item["RequestedQuantity"])))
    reason = body.get("SalesDocumentRjcnReason", item["SalesDocumentRjcnReason"])
    if quantity < Decimal(item["delivered"]):
        raise Refused(400, "V1/331", "The quantity is less than what was delivered", "RequestedQuantity")
    if reason and item["DeliveryStatus"] == "C":
        raise Refused(
            400, "V1/408", "The item is delivered completely and cannot be rejected", "SalesDocumentRjcnReason"
        )
    if reason and reason not in company.reasons:
        raise Refused(400, "V1/555", f"Rejection reason {reason} is not defined", "SalesDocumentRjcnReason")
    item.update(body)
    item["RequestedQuantity"] = kept(quantity)
