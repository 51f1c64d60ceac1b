"""Items and their prices as NetSuite's SuiteQL lists them, as products and prices of ours.

The tables `item` and `pricing` and their columns are from public code: no help page tells them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.canonical.money import parse
from connectors.canonical.product import Price, Product, ProductKind
from connectors.kit.errors import Unreadable
from connectors.netsuite.mapping.policy import Policy

STAMP = "%Y-%m-%d %H:%M:%S"
KEY = ("id",)
PRICE_KEY = ("item", "minimum")
KINDS: dict[str, tuple[ProductKind, bool]] = {
    "InvtPart": (ProductKind.GOODS, True),
    "Assembly": (ProductKind.GOODS, True),
    "NonInvtPart": (ProductKind.GOODS, False),
    "Kit": (ProductKind.BUNDLE, False),
    "Service": (ProductKind.SERVICE, False),
    "GiftCert": (ProductKind.GIFT_CARD, False),
    "DwnLdItem": (ProductKind.DIGITAL, False),
}
COLUMNS = (
    "i.id, i.itemid, i.displayname, i.itemtype, i.upccode, i.isinactive, i.parent, "
    "TO_CHAR(i.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS modified"
)


def query(policy: Policy, since: datetime | None = None) -> str:
    """SuiteQL for what can be sold; of what was changed since then, as the account's own clock says."""
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    told = f"{since.astimezone(ZoneInfo(policy.time_zone)):{STAMP}}" if since else ""
    newer = f" AND i.lastmodifieddate >= TO_TIMESTAMP('{told}', 'YYYY-MM-DD HH24:MI:SS')" if since else ""
    return f"SELECT {COLUMNS} FROM item i WHERE i.itemtype IN ({kinds}){newer} ORDER BY i.id"  # noqa: S608 - words of ours


def prices(items: Sequence[str], currency: str, level: str) -> str:
    """SuiteQL for the prices of items (internal ids) at one price level in one currency, each with the quantity it is from."""
    wanted = ", ".join(str(int(item)) for item in items)
    return (
        "SELECT p.item, p.unitprice, BUILTIN.DF(p.quantity) AS minimum FROM pricing p "  # noqa: S608 - numbers only
        f"WHERE p.item IN ({wanted}) AND p.currency = {int(currency)} AND p.pricelevel = {int(level)} ORDER BY p.item, p.quantity"
    )


def product(row: Mapping[str, Any], sku: str, policy: Policy) -> Product:
    kind, tracked = KINDS[str(row["itemtype"])]
    told = row.get("modified")
    modified = (
        datetime.strptime(told, STAMP).replace(tzinfo=ZoneInfo(policy.time_zone)).astimezone(UTC) if told else None
    )
    return Product(
        id=str(row["id"]),
        sku=sku,
        title=str(row.get("displayname") or row["itemid"]),
        kind=kind,
        parent_id=str(row.get("parent", "")),
        barcode=str(row.get("upccode", "")),
        active=row.get("isinactive") != "T",
        tracked=tracked,
        updated_at=modified,
    )


def price(row: Mapping[str, Any], sku: str, currency: str) -> Price | None:
    """A price from a quantity on; None where NetSuite leaves it open."""
    if row.get("unitprice") in (None, ""):
        return None
    minimum = Decimal(str(row.get("minimum") or 1))
    try:
        amount = parse(str(row["unitprice"]), currency)
    except ValueError:
        raise Unreadable(f"{row['unitprice']!r} is no price.", field="unitprice") from None
    return Price(sku, amount, min_quantity=max(Decimal(1), minimum))
