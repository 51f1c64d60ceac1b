"""The part of SuiteQL that the hub asks, read strictly: anything else is refused as what cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connectors.kit.simulator import Simulator
from connectors.netsuite.simulator_errors import Refused
from connectors.netsuite.simulator_sums import sums

TEXT = r"'((?:[^']|'')*)'"
CUSTOMERS = re.compile(
    rf"SELECT id, externalid FROM customer WHERE \(externalid = {TEXT} OR LOWER\(email\) = {TEXT}\) "  # noqa: S608
    r"AND isinactive = 'F' ORDER BY id"
)
STOCK = re.compile(
    r"SELECT ail\.item AS item, item\.itemid AS sku, ail\.location AS location, ail\.quantityavailable AS available, "
    r"ail\.quantityonhand AS onhand, ail\.quantityonorder AS incoming, ail\.quantitycommitted AS committed "
    r"FROM aggregateItemLocation ail JOIN item ON item\.id = ail\.item(?: WHERE ail\.item IN \((\d+(?:, \d+)*)\))? "
    r"ORDER BY ail\.item, ail\.location"
)
STAMP = r"TO_TIMESTAMP\('([-0-9]{10} [:0-9]{8})', 'YYYY-MM-DD HH24:MI:SS'\)"
ORDERS = re.compile(
    r"SELECT t\.id, t\.externalid, t\.foreigntotal, t\.currency, TO_CHAR\(t\.createddate, 'YYYY-MM-DD HH24:MI:SS'\) AS created "  # noqa: S608
    rf"FROM transaction t WHERE t\.type = 'SalesOrd' AND t\.createddate >= {STAMP} AND t\.createddate <= {STAMP} ORDER BY t\.id"
)
FULFILMENTS = re.compile(
    r"SELECT t\.id, t\.externalid, tl\.createdfrom, TO_CHAR\(t\.createddate, 'YYYY-MM-DD HH24:MI:SS'\) AS created "  # noqa: S608
    r"FROM transaction t JOIN transactionline tl ON tl\.transaction = t\.id AND tl\.mainline = 'T' WHERE t\.type = 'ItemShip' "
    rf"AND t\.createddate >= {STAMP} AND t\.createddate <= {STAMP} ORDER BY t\.id"
)
ITEMS = re.compile(
    r"SELECT i\.id, i\.itemid, i\.displayname, i\.itemtype, i\.upccode, i\.isinactive, i\.parent, "  # noqa: S608
    r"TO_CHAR\(i\.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS'\) AS modified FROM item i "
    rf"WHERE i\.itemtype IN \(('\w+'(?:, '\w+')*)\)(?: AND i\.lastmodifieddate >= {STAMP})? ORDER BY i\.id"
)
PRICES = re.compile(
    r"SELECT p\.item, p\.unitprice, BUILTIN\.DF\(p\.quantity\) AS minimum FROM pricing p "
    r"WHERE p\.item IN \((\d+(?:, \d+)*)\) AND p\.currency = (\d+) AND p\.pricelevel = (\d+) ORDER BY p\.item, p\.quantity"
)
MOST = 1000
Rows = list[dict[str, Any]]


def run(simulator: Simulator, query: Any) -> Rows:
    """Every row of a query. Numbers come as text, and a column that is null is left out."""
    for shape, answer in SHAPES.items():
        asked = shape.fullmatch(query) if isinstance(query, str) else None
        if asked is not None:
            return [
                {"links": [], **{k: str(v) for k, v in row.items() if v not in (None, "")}}
                for row in answer(simulator, asked)
            ]
    raise Refused(
        "Invalid search query. Search error occurred: Invalid or unsupported search.",
        "INVALID_PARAMETER",
        "q",
        part="o:errorQueryParam",
    )


def _customers(simulator: Simulator, asked: re.Match[str]) -> Rows:
    name, email = (text.replace("''", "'") for text in asked.groups())
    held = simulator.memory.table("customer")
    return [
        {"id": key, "externalid": one.get("externalId")}
        for key, one in sorted(held.items(), key=lambda pair: int(pair[0]))
        if simulator.indexed("customer", key)
        and (one.get("externalId") == name or one.get("email", "").lower() == email)
    ]


def _stock(simulator: Simulator, asked: re.Match[str]) -> Rows:
    wanted = set(asked.group(1).split(", ")) if asked.group(1) else None
    held = simulator.memory.table("stock").values()
    return sorted(
        (_row(one, simulator.memory.table("items")) for one in held if wanted is None or one["item"] in wanted),
        key=lambda row: (int(row["item"]), int(row["location"]) if row["location"].isdigit() else 0, row["location"]),
    )


def _row(one: Mapping[str, Any], items: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "sku": items.get(one["item"], {}).get("sku", one["item"])}


def _plain(moment: str) -> str:
    """A moment as TO_CHAR gives it: 2026-11-20 10:00:00."""
    return moment.replace("T", " ").removesuffix("Z")


def _orders(simulator: Simulator, asked: re.Match[str]) -> Rows:
    return [
        {**_told(key, one), "foreigntotal": sums(one)["total"], "currency": (one.get("currency") or {}).get("id")}
        for key, one in _created(simulator, "salesOrder", *asked.groups())
    ]


def _fulfilments(simulator: Simulator, asked: re.Match[str]) -> Rows:
    return [
        {**_told(key, one), "createdfrom": one["createdFrom"]["id"]}
        for key, one in _created(simulator, "itemFulfillment", *asked.groups())
    ]


def _created(simulator: Simulator, kind: str, since: str, until: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The records of a kind that were made in a window and that the index shows, by id."""
    for key, one in sorted(simulator.memory.table(kind).items(), key=lambda pair: int(pair[0])):
        if simulator.indexed(kind, key) and since <= _plain(one["createdDate"]) <= until:
            yield key, one


def _told(key: str, one: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": key, "externalid": one.get("externalId"), "created": _plain(one["createdDate"])}


def _items(simulator: Simulator, asked: re.Match[str]) -> Rows:
    kinds, since = [kind.strip("'") for kind in asked.group(1).split(", ")], asked.group(2) or ""
    return [
        {
            "id": key,
            "itemid": one["sku"],
            "displayname": one.get("title"),
            "itemtype": one["type"],
            "upccode": one.get("barcode"),
            "isinactive": "T" if one.get("inactive") else "F",
            "modified": one.get("modified"),
        }
        for key, one in sorted(simulator.memory.table("items").items(), key=lambda pair: int(pair[0]))
        if one["type"] in kinds and str(one.get("modified", "")) >= since
    ]


def _prices(simulator: Simulator, asked: re.Match[str]) -> Rows:
    """An item's `prices`: currency's id/level's id -> {from how many on: price}."""
    items, currency, level = asked.groups()
    held = simulator.memory.table("items")
    return [
        {"item": key, "unitprice": one, "minimum": minimum}
        for key in sorted(items.split(", "), key=int)
        for minimum, one in held.get(key, {}).get("prices", {}).get(f"{currency}/{level}", {}).items()
    ]


SHAPES: dict[re.Pattern[str], Callable[[Simulator, re.Match[str]], Rows]] = {
    CUSTOMERS: _customers,
    STOCK: _stock,
    ORDERS: _orders,
    FULFILMENTS: _fulfilments,
    ITEMS: _items,
    PRICES: _prices,
}


def page(rows: Rows, limit: int, offset: int) -> dict[str, Any]:
    """One page in the envelope of a collection."""
    if not 1 <= limit <= MOST or offset < 0 or offset % limit:
        raise Refused(
            f"The limit is 1 to {MOST} and the offset a multiple of it.",
            "INVALID_PARAMETER",
            "limit",
            part="o:errorQueryParam",
        )
    part = rows[offset : offset + limit]
    more = offset + limit < len(rows)
    return {
        "links": [],
        "count": len(part),
        "hasMore": more,
        "items": part,
        "offset": offset,
        "totalResults": len(rows),
    }
