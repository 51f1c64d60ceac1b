"""A sales order as SAP holds it, and one request that changes a part of it, in the words of the V2 service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sap_s4hana.odata import Row

ORDER, ITEM = "A_SalesOrder", "A_SalesOrderItem"
HEADER_PRICE, ITEM_PRICE = "A_SalesOrderHeaderPrElement", "A_SalesOrderItemPrElement"
ADDRESS, PARTNER, TEXT = "A_SalesOrderPartnerAddress", "A_SalesOrderHeaderPartner", "A_SalesOrderText"


@dataclass(frozen=True, slots=True)
class Ask:
    """PATCH or DELETE of the record of `entity` that the keys name, in the state of `etag`; POST of one more to what
    stands `below` it ("to_Item").
    """

    method: str
    entity: str
    keys: Mapping[str, str]
    body: Mapping[str, Any] = field(default_factory=dict)
    etag: str = "*"
    below: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A sales order as SAP holds it: the header with conditions, texts and partners; the items with their conditions;
    the addresses, where the service shows them.
    """

    header: Row
    items: tuple[Row, ...]
    addresses: tuple[Row, ...] = ()

    @property
    def number(self) -> str:
        return str(self.header["SalesOrder"])

    @property
    def keys(self) -> dict[str, str]:
        return {"SalesOrder": self.number}


def item_keys(order: str, item: Row) -> dict[str, str]:
    return {"SalesOrder": order, "SalesOrderItem": str(item["SalesOrderItem"])}
