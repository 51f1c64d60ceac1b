"""The simulated Amazon's operations of orders: 2026-01-01, v0, the confirmation of packages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from flask import request

from connectors.amazon import simulator_views as views
from connectors.amazon.simulator_access import Refused, opens
from connectors.amazon.simulator_store import Json, Store

T = TypeVar("T")
NUMBER = re.compile(r"\d{3}-\d{7}-\d{7}")
DATA = frozenset(
    "BUYER RECIPIENT PROCEEDS EXPENSE PROMOTION CANCELLATION FULFILLMENT PACKAGES TAX PAYMENT FULFILLMENT_ORDERS".split()
)
SHOWN = {
    "BUYER": "buyer",
    "RECIPIENT": "recipient",
    "PROCEEDS": "proceeds",
    "PACKAGES": "packages",
    "PAYMENT": "payment",
}
BEFORE = timedelta(minutes=2)


class Orders:
    """Handlers; each is given the token's row."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def rules(self) -> list[tuple[str, str, str, bool, Any, bool]]:
        """(rule, operation, method, write, handle, grantless)"""
        return [
            ("/orders/2026-01-01/orders", "orders.search", "GET", False, self.search, False),
            ("/orders/2026-01-01/orders/<name>", "orders.get", "GET", False, self.get, False),
            ("/orders/v0/orders", "orders_v0.list", "GET", False, self.list_v0, False),
            ("/orders/v0/orders/<name>", "orders_v0.get", "GET", False, self.get_v0, False),
            ("/orders/v0/orders/<name>/orderItems", "orders_v0.items", "GET", False, self.items_v0, False),
            ("/orders/v0/orders/<name>/shipmentConfirmation", "orders.confirm", "POST", True, self.confirm, False),
        ]

    # ---- 2026-01-01

    def search(self, token: Json) -> Any:
        since, until = _window("lastUpdatedAfter", "lastUpdatedBefore", "createdAfter")
        size = size_of("maxResultsPerPage")
        rows, following = self._page(since, until, size, request.args.get("paginationToken"))
        told: Json = {"orders": [self._shown(row) for row in rows], "lastUpdatedBefore": _told(until)}
        if following:
            told["pagination"] = {"nextToken": following}
        return told

    def get(self, token: Json, name: str) -> Any:
        numbered(name)
        return {"order": self._shown(self.store.find(name))}

    def _shown(self, row: Json) -> Json:
        """Only the data sets that were asked for."""
        asked = set(filter(None, request.args.get("includedData", "").split(",")))
        if asked - DATA:
            raise Refused(400, "InvalidInput", f"includedData: {', '.join(sorted(asked - DATA))} is unknown.")
        told = views.order(self.store, row)
        for name, member in SHOWN.items():
            if name not in asked:
                told.pop(member, None)
        if "PROCEEDS" not in asked:
            for item in told["orderItems"]:
                item.pop("proceeds", None)
        if "FULFILLMENT" not in asked:
            told.pop("fulfillment", None)
        return told

    def _page(self, since: datetime, until: datetime, size: int, token: str | None) -> tuple[list[Json], str | None]:
        """By time of update, from the place that the token names. A row that moves leaves its place."""
        rows = [row for row in self.store.orders() if since <= moment(row["updated"]) <= until]
        rows.sort(key=lambda row: (row["updated"], row["id"]))
        return page_of(self.store, rows, size, token)

    # ---- v0

    def list_v0(self, token: Json) -> Any:
        if not request.args.get("MarketplaceIds"):
            raise Refused(400, "InvalidInput", "MarketplaceIds is required.")
        since, until = _window("LastUpdatedAfter", "LastUpdatedBefore", "CreatedAfter")
        rows, following = self._page(since, until, size_of("MaxResultsPerPage"), request.args.get("NextToken"))
        told: Json = {"Orders": [views.order_v0(self.store, row, False, False) for row in rows]}
        return {"payload": {**told, **({"NextToken": following} if following else {})}}

    def get_v0(self, token: Json, name: str) -> Any:
        numbered(name)
        seen = [opens(token, "GET", request.path, one) for one in ("buyerInfo", "shippingAddress")]
        return {"payload": views.order_v0(self.store, self.store.find(name), seen[0], seen[1])}

    def items_v0(self, token: Json, name: str) -> Any:
        numbered(name)
        row, buyer = self.store.find(name), opens(token, "GET", request.path, "buyerInfo")
        items = [views.item_v0(self.store, row, item, buyer) for item in row["items"]]
        start = _start(request.args.get("NextToken"))
        told: Json = {"AmazonOrderId": name, "OrderItems": items[start : start + 50]}
        return {"payload": {**told, **({"NextToken": f"page-{start + 50}"} if start + 50 < len(items) else {})}}

    def confirm(self, token: Json, name: str) -> Any:
        numbered(name)
        asked: Mapping[str, Any] = request.get_json()
        detail = _needed(asked, "packageDetail")
        if _needed(asked, "marketplaceId") != self.store.marketplace:
            raise Refused(400, "InvalidInput", "The order was placed in another marketplace.")
        reference = str(_needed(detail, "packageReferenceId"))
        if not reference.isdigit() or int(reference) < 1:
            raise Refused(400, "InvalidInput", "packageReferenceId: only positive numeric values are supported.")
        carrier = str(_needed(detail, "carrierCode"))
        if carrier == "Other" and not detail.get("carrierName"):
            raise Refused(400, "InvalidInput", "carrierName is required when carrierCode is Other.")
        items = [
            {"orderItemId": str(one["orderItemId"]), "quantity": int(one["quantity"])}
            for one in _needed(detail, "orderItems")
        ]
        package = {
            "packageReferenceId": reference,
            "createdTime": _told(datetime.now(UTC)),
            "packageStatus": {"status": "SHIPPED"},
            "carrier": detail.get("carrierName") or carrier,
            "shipTime": _date(str(_needed(detail, "shipDate"))),
            "shippingService": str(detail.get("shippingMethod", "")),
            "trackingNumber": str(_needed(detail, "trackingNumber")),
            "packageItems": items,
        }
        self.store.ship(name, package)
        return "", 204


def page_of(store: Store, rows: list[T], size: int, token: str | None) -> tuple[list[T], str | None]:
    """A page, from the place that the token names; and the token of the next."""
    start = _start(token)
    fault = store.simulator.passive("page_shift") if start else None
    if fault is not None:
        if fault.times is not None:
            fault.times -= 1
        start -= 1
    following = start + size
    return rows[start:following], f"page-{following}" if following < len(rows) else None


def _needed(asked: Mapping[str, Any], name: str) -> Any:
    if asked.get(name) in (None, "", []):
        raise Refused(400, "InvalidInput", f"{name} is required.")
    return asked[name]


def numbered(name: str) -> None:
    if not NUMBER.fullmatch(name):
        raise Refused(400, "InvalidInput", "The order id is not in 3-7-7 format.")


def _window(after: str, before: str, created: str) -> tuple[datetime, datetime]:
    """Exactly one beginning; the end two minutes in the past."""
    if (after in request.args) == (created in request.args):
        raise Refused(400, "InvalidInput", f"Give exactly one of {after} and {created}.")
    since, latest = moment(request.args[after]), datetime.now(UTC) - BEFORE
    until = moment(request.args[before]) if before in request.args else latest
    if until > latest or until < since:
        raise Refused(400, "InvalidInput", f"{before} must be after {after} and two minutes before the request.")
    return since, until


def size_of(name: str) -> int:
    size = int(request.args.get(name, 100))
    if not 1 <= size <= 100:
        raise Refused(400, "InvalidInput", f"{name} must be between 1 and 100.")
    return size


def _start(token: str | None) -> int:
    if token is None:
        return 0
    number = token.removeprefix("page-")
    if not number.isdigit():
        raise Refused(400, "InvalidInput", "The pagination token is not valid.")
    return int(number)


def _date(text: str) -> str:
    return _told(moment(text))


def moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(400, "InvalidInput", f"{text} is no date in ISO 8601.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _told(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
