"""SCAPI Orders v1 as the simulated site answers it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Response, request

from connectors.salesforce_commerce import simulator_views as views
from connectors.salesforce_commerce.simulator_http import Json, body, nothing, number, only, said
from connectors.salesforce_commerce.simulator_refusal import Refused
from connectors.salesforce_commerce.simulator_site import Site, moment

Handle = Callable[..., Response]
PAGE, MOST, REACH = 100, 200, 10_000
FILTERS = {
    "status": ("status", ("new", "completed", "cancelled"), 2),
    "exportStatus": ("exportStatus", ("not_exported", "exported", "ready", "failed"), 3),
    "confirmationStatus": ("confirmationStatus", ("confirmed", "not_confirmed"), 1),
    "paymentStatus": ("paymentStatus", ("not_paid", "part_paid", "paid"), 2),
    "shippingStatus": ("shippingStatus", ("not_shipped", "part_shipped", "shipped"), 2),
}
BOUNDS = ("creationDateFrom", "creationDateTo", "lastModifiedDateFrom", "lastModifiedDateTo")
SORTS = {"creation_date": "creationDate", "last_modified_date": "lastModified"}
KNOWN = {*FILTERS, *BOUNDS, "siteId", "limit", "offset", "sortBy", "sortOrder", "externalStatus"}
EVENT = ("id", "occurredAt", "type", "lineItems", "trackingNumber", "trackingUrl", "carrier", "description")


class Orders:
    """The handlers, one for each operation."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def list(self) -> Response:
        """Placed orders only; `From` includes its instant, `To` does not."""
        for name in request.args:
            if name not in KNOWN:
                raise Refused(400, f"There is no parameter {name}.", "bad-request")
        limit, offset = number("limit", PAGE, 1, MOST), number("offset", 0, 0, REACH)
        if limit + offset > REACH:
            raise Refused(400, f"The sum of offset and limit must not exceed {REACH}.", "bad-request")
        found = [one for one in self._site.orders() if self._listed(one)]
        key = SORTS[self._word("sortBy", "creation_date", tuple(SORTS))]
        down = self._word("sortOrder", "desc", ("asc", "desc")) == "desc"
        found.sort(key=lambda one: (one[key], one["orderNo"]), reverse=down)
        shown = found[offset : offset + limit]
        answer = said({"data": [views.order(one) for one in shown]})
        self._shift(shown)
        return answer

    def _listed(self, order: Json) -> bool:
        placed = order["status"] in FILTERS["status"][1] and self._site.simulator.indexed("orders", order["orderNo"])
        return placed and self._within(order) and all(self._chosen(name, order) for name in FILTERS)

    def _within(self, order: Json) -> bool:
        for prefix, field in (("creationDate", "creationDate"), ("lastModifiedDate", "lastModified")):
            at, since, until = moment(order[field]), _time(f"{prefix}From"), _time(f"{prefix}To")
            if (since and at < since) or (until and at >= until):
                return False
        return True

    def _chosen(self, name: str, order: Json) -> bool:
        if name not in request.args:
            return True
        field, allowed, most = FILTERS[name]
        wanted = request.args[name].split(",")
        if len(wanted) > most or not set(wanted) <= set(allowed):
            raise Refused(400, f"The parameter {name} takes up to {most} of {', '.join(allowed)}.", "bad-request")
        return order[field] in wanted

    def _word(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        word = request.args.get(name, default)
        if word not in allowed:
            raise Refused(400, f"The parameter {name} is one of {', '.join(allowed)}.", "bad-request")
        return word

    def _shift(self, shown: Any) -> None:
        """On a day of shifting pages an order that was just listed is touched, and moves."""
        shift = self._site.simulator.passive("page_shift")
        if shift is not None and shown:
            shift.times = None if shift.times is None else shift.times - 1
            self._site.changed(self._site.order(shown[0]["orderNo"]))

    def get(self, order_no: str) -> Response:
        return said(views.order(self._site.order(order_no)))

    def update(self, order_no: str) -> Response:
        order, wanted = self._site.order(order_no), body()
        only(wanted, [name for name in wanted if name.startswith("c_")])
        self._site.changed(order, **wanted)
        return nothing()

    def status(self, field: str, allowed: tuple[str, ...]) -> Handle:
        """A handler that sets one of the order's statuses."""

        def put(order_no: str) -> Response:
            order, wanted = self._site.order(order_no), body()
            only(wanted, ("status",), ("status",))
            word = wanted["status"]
            if allowed and word not in allowed:
                words = f"Decoding of the property with path '$.status' failed: {word} is none of {', '.join(allowed)}."
                raise Refused(400, words, "bad-request")
            with self._site.memory.lock:
                self._set(order, field, word)
            return nothing()

        return put

    def _set(self, order: Json, field: str, word: str) -> None:
        if field == "status":
            self._site.set_status(order, word)
            if word == "cancelled":
                self._site.memory.put("called_off", order["orderNo"], True)  # by an API client, not by its customer
        elif field == "exportStatus":
            self._site.set_export(order, word)
        else:
            self._site.changed(order, **{field: word})

    def event(self, order_no: str) -> Response:
        """Checked and queued; nothing of the order changes by it."""
        order, wanted = self._site.order(order_no), body()
        only(wanted, ("omsOrderId", "fulfillmentEvent", "adjustment"))
        if ("fulfillmentEvent" in wanted) == ("adjustment" in wanted):
            raise Refused(400, "Exactly one of fulfillmentEvent and adjustment must be present.", "bad-request")
        if "fulfillmentEvent" in wanted:
            _checked(wanted["fulfillmentEvent"])
        with self._site.memory.lock:
            told = [*order["events"], request.get_data(as_text=True)]
            self._site.memory.put("orders", order_no, {**self._site.order(order_no), "events": told})
        return nothing(202)


def _checked(event: Json) -> None:
    path = "$.fulfillmentEvent"
    needed = EVENT[:4] if event.get("type") == "processing" else EVENT[:6]
    only(event, EVENT, needed, path)
    for n, line in enumerate(event["lineItems"]):
        only(line, ("id", "quantity"), ("id",), f"{path}.lineItems[{n}]")
        if not isinstance(line.get("quantity"), int) or line["quantity"] < 0:
            raise Refused(
                400, f"Decoding of the property with path '{path}.lineItems[{n}].quantity' failed.", "bad-request"
            )


def _time(name: str) -> datetime | None:
    if name not in request.args:
        return None
    try:
        return moment(request.args[name])
    except ValueError as error:
        raise Refused(400, f"The parameter {name} is no time.", "bad-request") from error


def operations(site: Site) -> list[tuple[str, str, str, bool, Handle]]:
    """(address below /organizations/{id}, name, method, write, handler)."""
    at, one = Orders(site), "/orders/<order_no>"
    statuses = (
        ("confirmation-status", "confirmationStatus", ("confirmed", "not_confirmed")),
        ("export-status", "exportStatus", FILTERS["exportStatus"][1]),
        ("external-status", "externalOrderStatus", ()),
        ("shipping-status", "shippingStatus", FILTERS["shippingStatus"][1]),
        ("status", "status", ("created", "new", "completed", "cancelled", "failed", "failed_with_reopen")),
    )
    return [
        ("/orders", "orders.list", "GET", False, at.list),
        (one, "orders.get", "GET", False, at.get),
        (one, "orders.update", "PATCH", True, at.update),
        (f"{one}/oms-status-events", "orders.events", "POST", True, at.event),
        *((f"{one}/{path}", f"orders.{path}", "PUT", True, at.status(field, words)) for path, field, words in statuses),
    ]
