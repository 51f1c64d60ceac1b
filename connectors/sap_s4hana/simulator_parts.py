"""The parts of a sales order by their keys, whichever service names them."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from connectors.sap_s4hana.simulator_company import Company
from connectors.sap_s4hana.simulator_odata import Record, Refused

Keys = Mapping[str, str]


def order_of(company: Company, keys: Keys) -> Record:
    """A copy of the order: it is kept when the whole request is taken."""
    number = keys.get("") or keys.get("SalesOrder", "")
    found = company.rows("salesOrders").get(number)
    if found is None:
        raise Refused(404, "/IWBEP/CM_MGW_RT/020", f"Sales order {number} not found")
    return copy.deepcopy(found)


def part_of(parts: list[Record], keys: Keys, *names: str) -> Record:
    found = next((one for one in parts if all(one[name] == keys[name] for name in names)), None)
    if found is None:
        raise Refused(404, "/IWBEP/CM_MGW_RT/020", "Resource not found")
    return found


def item_of(order: Record, keys: Keys) -> Record:
    return part_of(order["items"], {"SalesOrderItem": keys["SalesOrderItem"].lstrip("0")}, "SalesOrderItem")


def prices_of(order: Record, keys: Keys) -> list[Record]:
    prices: list[Record] = (item_of(order, keys) if "SalesOrderItem" in keys else order)["prices"]
    return prices


def price_of(order: Record, keys: Keys) -> Record:
    return part_of(prices_of(order, keys), keys, "PricingProcedureStep", "PricingProcedureCounter")


def partner_of(order: Record, keys: Keys) -> Record:
    return part_of(order["partners"], keys, "PartnerFunction")


def text_of(order: Record, keys: Keys) -> Record:
    return part_of(order["texts"], keys, "LongTextID")
