"""The simulated seller's listings: their attributes as patched, shown a little later where the day is bad."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import simplejson
from flask import Response, request

from connectors.amazon.simulator_access import Refused
from connectors.amazon.simulator_store import Json, Store

SELECTORS = {
    "fulfillment_availability": ("fulfillment_channel_code",),
    "purchasable_offer": ("marketplace_id", "currency", "audience"),
}


class Listings:
    """By SKU: attributes as JSON text, so that a decimal stays what it was."""

    def __init__(self, store: Store, seller: str) -> None:
        self.store, self.seller, self.memory = store, seller, store.memory

    def rules(self) -> list[tuple[str, str, str, bool, Any, bool]]:
        at = f"/listings/2021-08-01/items/{self.seller}"
        return [
            (at, "listings.search", "GET", False, self.search, False),
            (f"{at}/<path:sku>", "listings.get", "GET", False, self.get, False),
            (f"{at}/<path:sku>", "listings.patch", "PATCH", True, self.patch, False),
        ]

    def add(self, sku: str, channel: str = "DEFAULT", quantity: int = 0, product_type: str = "SHIRT") -> None:
        held = {"fulfillment_channel_code": channel, **({"quantity": quantity} if channel == "DEFAULT" else {})}
        self._keep(sku, {"fulfillment_availability": [held], "purchasable_offer": []}, product_type)

    def _keep(self, sku: str, attributes: Json, product_type: str) -> None:
        before = self.memory.table("listings").get(sku)
        row = {"attributes": _dumped(attributes), "type": product_type, "before": (before or {}).get("attributes", "")}
        self.memory.put("listings", sku, row)

    # ---- telling

    def search(self, token: Json) -> Response:
        asked = request.args.get("identifiers", "").split(",")
        if (
            len(asked) > 20
            or request.args.get("identifiersType") != "SKU"
            or int(request.args.get("pageSize", 10)) > 20
        ):
            raise Refused(400, "InvalidInput", "At most 20 identifiers of the type SKU, and 20 to a page.")
        known = self.memory.table("listings")
        rows = [self._shown(sku) for sku in asked if sku in known]
        size, start = int(request.args.get("pageSize", 10)), int(request.args.get("pageToken", 0))
        told: Json = {"numberOfResults": len(rows), "items": rows[start : start + size]}
        if start + size < len(rows):
            told["pagination"] = {"nextToken": str(start + size)}
        return _json(told)

    def get(self, token: Json, sku: str) -> Response:
        if sku not in self.memory.table("listings"):
            raise Refused(404, "NOT_FOUND", f"SKU '{sku}' not found in marketplace {self.store.marketplace}")
        return _json(self._shown(sku))

    def _shown(self, sku: str) -> Json:
        row = self.memory.table("listings")[sku]
        late = row["before"] and not self.store.simulator.indexed("listing", sku)
        attributes = simplejson.loads(row["before"] if late else row["attributes"], use_decimal=True)
        held = attributes["fulfillment_availability"]
        at = datetime(2026, 1, 5, tzinfo=UTC).isoformat()
        summary = {"marketplaceId": self.store.marketplace, "productType": row["type"], "status": ["BUYABLE"]}
        return {
            "sku": sku,
            "summaries": [{**summary, "asin": "B000000001", "createdDate": at, "lastUpdatedDate": at}],
            "attributes": attributes,
            "fulfillmentAvailability": [
                {
                    "fulfillmentChannelCode": one["fulfillment_channel_code"],
                    **({"quantity": one["quantity"]} if "quantity" in one else {}),
                }
                for one in held
            ],
        }

    # ---- changing

    def patch(self, token: Json, sku: str) -> Response:
        asked = simplejson.loads(request.get_data(), use_decimal=True)
        if not asked.get("productType") or not asked.get("patches") or not request.args.get("marketplaceIds"):
            raise Refused(400, "BAD_REQUEST", "productType, patches and marketplaceIds are required.")
        told: Json = {"sku": sku, "status": "ACCEPTED", "submissionId": secrets.token_hex(16), "issues": []}
        try:
            self.apply(sku, asked["patches"])
        except Refused as no:
            issue = {"severity": "ERROR", "categories": ["INVALID_ATTRIBUTE"], **no.error}
            issue.pop("details")
            told.update(status="INVALID", issues=[issue])
        return _json(told)

    def apply(self, sku: str, patches: Iterable[Mapping[str, Any]]) -> None:
        """All of them, or none. Raises Refused with an issue's code."""
        row = self.memory.table("listings").get(sku)
        if row is None:
            raise Refused(400, "8541", f"There is no listing with the SKU {sku} in the catalogue.")
        attributes = simplejson.loads(row["attributes"], use_decimal=True)
        for one in patches:
            name = str(one["path"]).removeprefix("/attributes/")
            if name not in SELECTORS or one["op"] not in ("merge", "replace"):
                raise Refused(400, "90000900", f"The attribute {name} cannot be changed by {one['op']}.")
            value = list(one.get("value") or ())
            _checked(name, value)
            attributes[name] = value if one["op"] == "replace" else _merged(attributes[name], value, SELECTORS[name])
        self._keep(sku, attributes, row["type"])
        self.store.simulator.created("listing", sku)


def _checked(name: str, value: Sequence[Mapping[str, Any]]) -> None:
    for one in value:
        if name == "fulfillment_availability" and (not isinstance(one.get("quantity"), int) or one["quantity"] < 0):
            raise Refused(400, "90220", "'quantity' of fulfillment_availability is no count.")
        if name == "purchasable_offer":
            prices = [
                row.get("value_with_tax") for price in one.get("our_price", ()) for row in price.get("schedule", ())
            ]
            if not prices or any(price is None or price <= 0 for price in prices):
                raise Refused(400, "99022", "purchasable_offer.our_price does not have enough values.")
            for row in (row for price in one.get("discounted_price", ()) for row in price.get("schedule", ())):
                if (
                    not row.get("start_at")
                    or str(row["start_at"]) > str(row.get("end_at", ""))
                    or not row.get("value_with_tax", 0) > 0
                ):
                    raise Refused(400, "90000", "discounted_price needs value_with_tax, start_at and a later end_at.")


def _merged(known: list[Json], given: Sequence[Mapping[str, Any]], selectors: tuple[str, ...]) -> list[Json]:
    """An instance with the same selectors is changed where it is told, any other is added."""
    made = [dict(one) for one in known]
    for one in given:
        key = tuple(one.get(name) for name in selectors)
        same = next((there for there in made if tuple(there.get(name) for name in selectors) == key), None)
        if same is None:
            made.append(dict(one))
        else:
            same.update(one)
    return made


def _dumped(value: Any) -> str:
    return simplejson.dumps(value, use_decimal=True)


def _json(value: Any) -> Response:
    return Response(_dumped(value), content_type="application/json")
