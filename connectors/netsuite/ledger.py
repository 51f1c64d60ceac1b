"""Sales orders and item fulfilments as NetSuite itself lists them, for those who hold its books against their own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.canonical.money import Money, parse
from connectors.kit.capabilities import Booking, Delivered
from connectors.netsuite.mapping.policy import Policy

KEY = ("id",)
COLUMNS = "t.id, t.externalid, t.foreigntotal, t.currency, TO_CHAR(t.createddate, 'YYYY-MM-DD HH24:MI:SS') AS created"
STAMP = "%Y-%m-%d %H:%M:%S"
SECOND = timedelta(seconds=1)
ORDERS = f"SELECT {COLUMNS} FROM transaction t WHERE t.type = 'SalesOrd'"  # noqa: S608 - our own text
# A transaction has one main line, and it is that which names what the transaction was made from (transactionline.createdfrom).
FULFILMENTS = (
    "SELECT t.id, t.externalid, tl.createdfrom, TO_CHAR(t.createddate, 'YYYY-MM-DD HH24:MI:SS') AS created "
    "FROM transaction t JOIN transactionline tl ON tl.transaction = t.id AND tl.mainline = 'T' WHERE t.type = 'ItemShip'"
)


def query(listed: str, since: datetime, until: datetime, policy: Policy) -> str:
    """SuiteQL for what is `listed` (ORDERS, FULFILMENTS) and was created in a window, whole seconds, both ends included, in the account's time zone.

    Which zone NetSuite compares in is not documented: `list_margin` hours are added on both sides.
    """
    margin = timedelta(hours=float(policy.list_margin))
    first, last = _told(since - margin, policy), _told(until + margin + SECOND, policy)
    made = f"t.createddate >= {first} AND t.createddate <= {last}"
    return f"{listed} AND {made} ORDER BY t.id"


def _told(at: datetime, policy: Policy) -> str:
    return f"TO_TIMESTAMP('{at.astimezone(ZoneInfo(policy.time_zone)):{STAMP}}', 'YYYY-MM-DD HH24:MI:SS')"


def booking(row: Mapping[str, Any], policy: Policy) -> Booking:
    """A row as the hub knows it; its time is as sure as the account's `time_zone`."""
    return Booking(str(row["id"]), str(row.get("externalid", "")), _total(row, policy), _created(row, policy))


def fulfilment(row: Mapping[str, Any], policy: Policy) -> Delivered:
    """A fulfilment of a sales order, or of what is no order of ours (a transfer, a vendor's return): its `booking` tells."""
    booking, reference = str(row.get("createdfrom", "")), str(row.get("externalid", ""))
    return Delivered(str(row["id"]), reference, booking, _created(row, policy))


def _created(row: Mapping[str, Any], policy: Policy) -> datetime | None:
    if "created" not in row:
        return None
    return datetime.strptime(row["created"], STAMP).replace(tzinfo=ZoneInfo(policy.time_zone))


def _total(row: Mapping[str, Any], policy: Policy) -> Money | None:
    """Redeemed gift certificates lower NetSuite's total, which is then no longer the order's: not said."""
    currency = policy.iso(str(row.get("currency", "")))
    if policy.gift_cards == "redemption" or not currency or "foreigntotal" not in row:
        return None
    return parse(str(row["foreigntotal"]), currency)
