"""Amazon's own words: one method for each operation of the Selling Partner API that the hub uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from connectors.amazon.auth import OURSELVES, RESTRICTED
from connectors.amazon.door import V0, Door, Row
from connectors.amazon.mapping.refunds import LISTS
from connectors.amazon.refusals import garbled
from connectors.kit.account import Connection
from connectors.kit.errors import Transient
from connectors.kit.paging import walk

ORDERS, FEEDS = "/orders/2026-01-01/orders", "/feeds/2021-06-30"
LISTINGS, NOTIFICATIONS, FINANCES = "/listings/2021-08-01/items", "/notifications/v1", "/finances/v0"
LONGEST = timedelta(days=180)  # of a look at financial events
# Data sets of an order that are asked for; what the application has no role for is not told.
INCLUDED = ("BUYER", "RECIPIENT", "PROCEEDS", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES", "TAX", "PAYMENT")
MOST = 20  # SKUs of one search


class Client(Door):
    """Operations of one seller, by the names that quotas and call logs have for them."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.settings = settings = connection.account.settings
        self.seller = str(settings.get("seller_id", ""))
        self.marketplaces: tuple[str, ...] = tuple(settings.get("marketplaces", ()))
        self._page = int(settings.get("page_size", 100))
        self._included = ",".join(settings.get("included_data", INCLUDED))

    # ---- orders

    def order(self, order_id: str) -> Any:
        """The order; None when there is none of this id."""
        path = f"{ORDERS}/{quote(order_id, safe='')}"
        answer = self._call("GET", path, "orders.get", query={"includedData": self._included}, absent=(404,))
        return None if answer.status == 404 else answer.json()["order"]

    def orders_changed(self, since: datetime, until: datetime) -> Iterator[Row]:
        """Orders updated at or after `since` and at or before `until`, whole."""
        asked = {
            "lastUpdatedAfter": stamp(since),
            "lastUpdatedBefore": stamp(until),
            "marketplaceIds": ",".join(self.marketplaces),
            "maxResultsPerPage": self._page,
            "includedData": self._included,
        }

        def page(token: str | None) -> tuple[Sequence[Row], str | None]:
            query = {**asked, **({"paginationToken": token} if token else {})}
            said = self._call("GET", ORDERS, "orders.search", query=query).json()
            return said["orders"], (said.get("pagination") or {}).get("nextToken") or None

        return walk(page)

    def order_v0(self, order_id: str) -> Any:
        """The order as v0 has it, with buyer and address (restricted data); None when there is none."""
        path = f"{V0}/{quote(order_id, safe='')}"
        answer = self._call("GET", path, "orders_v0.get", token=RESTRICTED, absent=(404,))
        return None if answer.status == 404 else answer.json()["payload"]

    def items_v0(self, order_id: str) -> list[Row]:
        def page(token: str | None) -> tuple[Sequence[Row], str | None]:
            path, query = f"{V0}/{quote(order_id, safe='')}/orderItems", {"NextToken": token} if token else {}
            said = self._call("GET", path, "orders_v0.items", query=query, token=RESTRICTED).json()["payload"]
            return said["OrderItems"], said.get("NextToken") or None

        return list(walk(page))

    def orders_v0_changed(self, since: datetime, until: datetime) -> Iterator[Row]:
        """Headers of orders updated in [since, until], without restricted data."""
        asked = {
            "LastUpdatedAfter": stamp(since),
            "LastUpdatedBefore": stamp(until),
            "MarketplaceIds": ",".join(self.marketplaces),
            "MaxResultsPerPage": self._page,
        }

        def page(token: str | None) -> tuple[Sequence[Row], str | None]:
            query = {**asked, **({"NextToken": token} if token else {})}
            said = self._call("GET", V0, "orders_v0.list", query=query).json()["payload"]
            return said["Orders"], said.get("NextToken") or None

        return walk(page)

    def confirm_shipment(self, order_id: str, body: Row) -> None:
        path = f"{V0}/{quote(order_id, safe='')}/shipmentConfirmation"
        answer = self._call("POST", path, "orders.confirm", write=True, json=body)
        if answer.status != 204:
            raise garbled(answer, write=True)

    # ---- money given back

    def refunds(self, order_id: str) -> dict[str, list[Row]]:
        """All events of an order by which money went back to its buyer, by their list; those of the last two days may be missing."""
        path = f"{FINANCES}/orders/{quote(order_id, safe='')}/financialEvents"
        found: dict[str, list[Row]] = {name: [] for name in LISTS}
        for name, event in self._events(path, "finances.order", {}):
            found[name].append(event)
        return found

    def refunds_posted(self, since: datetime, until: datetime) -> Iterator[Row]:
        """The same of all orders, posted at or after `since` and at or before `until`. Amazon leaves out its end, and answers
        nothing at all for more than 180 days."""
        while since <= until:
            end = min(since + LONGEST, until + timedelta(milliseconds=1))
            asked = {"PostedAfter": stamp(since), "PostedBefore": stamp(end), "MaxResultsPerPage": self._page}
            yield from (event for _, event in self._events(f"{FINANCES}/financialEvents", "finances.list", asked))
            since = end

    def _events(self, path: str, operation: str, asked: Row) -> Iterator[tuple[str, Row]]:
        def page(token: str | None) -> tuple[Sequence[tuple[str, Row]], str | None]:
            query = {**asked, **({"NextToken": token} if token else {})}
            said = self._call("GET", path, operation, query=query or None).json()["payload"]
            told = said.get("FinancialEvents") or {}
            rows = [(name, event) for name in LISTS for event in told.get(name) or ()]
            return rows, said.get("NextToken") or None

        return walk(page)

    # ---- feeds

    def create_document(self, content_type: str) -> Row:
        """{feedDocumentId, url}: the address takes the document for five minutes. Of itself it does nothing."""
        body = {"contentType": content_type}
        made: Row = self._call("POST", f"{FEEDS}/documents", "feeds.documents.create", json=body).json()
        return made

    def upload(self, url: str, content: bytes, content_type: str) -> None:
        answer = self._stored("PUT", url, "feeds.upload", body=content, headers={"content-type": content_type})
        if answer.status not in (200, 201, 204):
            raise Transient("The feed's document could not be stored.", code="feed_document")

    def create_feed(self, feed_type: str, document: str, marketplaces: Sequence[str]) -> str:
        body = {"feedType": feed_type, "marketplaceIds": list(marketplaces), "inputFeedDocumentId": document}
        answer = self._call("POST", f"{FEEDS}/feeds", "feeds.create", write=True, json=body)
        said = answer.json()
        if answer.status != 202 or not isinstance(said, Mapping) or not said.get("feedId"):
            raise garbled(answer, write=True)
        return str(said["feedId"])

    def feed(self, feed_id: str) -> Row:
        said: Row = self._call("GET", f"{FEEDS}/feeds/{quote(feed_id, safe='')}", "feeds.get").json()
        return said

    def result(self, document: str) -> tuple[bytes, str]:
        """A feed's report as stored, and how it is compressed (GZIP or not at all)."""
        path = f"{FEEDS}/documents/{quote(document, safe='')}"
        told = self._call("GET", path, "feeds.documents.get").json()
        answer = self._stored("GET", str(told["url"]), "feeds.download")
        if answer.status != 200:
            raise Transient("The feed's report could not be read.", code="feed_document")
        return answer.body, str(told.get("compressionAlgorithm") or "")

    # ---- listings

    def listings(self, skus: Sequence[str]) -> Iterator[Row]:
        """Listings by SKU, twenty in one call; one whose SKU has a comma by itself."""
        plain = [sku for sku in dict.fromkeys(skus) if "," not in sku]
        for start in range(0, len(plain), MOST):
            yield from self._search(plain[start : start + MOST])
        for sku in (one for one in dict.fromkeys(skus) if "," in one):
            found = self._listing(sku)
            if found is not None:
                yield found

    def _search(self, skus: Sequence[str]) -> Iterator[Row]:
        asked = {**self._shown, "identifiers": ",".join(skus), "identifiersType": "SKU", "pageSize": MOST}

        def page(token: str | None) -> tuple[Sequence[Row], str | None]:
            query = {**asked, **({"pageToken": token} if token else {})}
            said = self._call("GET", self._listings_at(), "listings.search", query=query).json()
            return said["items"], (said.get("pagination") or {}).get("nextToken") or None

        return walk(page)

    def _listing(self, sku: str) -> Any:
        answer = self._call("GET", self._listings_at(sku), "listings.get", query=self._shown, absent=(404,))
        return None if answer.status == 404 else answer.json()

    @property
    def _shown(self) -> dict[str, Any]:
        wanted = "summaries,attributes,fulfillmentAvailability"
        return {"marketplaceIds": ",".join(self.marketplaces), "includedData": wanted}

    def patch_listing(self, sku: str, body: Row) -> Row:
        """{status, submissionId, issues}."""
        query = {"marketplaceIds": ",".join(self.marketplaces), "includedData": "issues"}
        answer = self._call("PATCH", self._listings_at(sku), "listings.patch", write=True, query=query, json=body)
        said = answer.json()
        if not isinstance(said, Mapping) or "status" not in said:
            raise garbled(answer, write=True)
        return said

    def _listings_at(self, sku: str = "") -> str:
        return f"{LISTINGS}/{quote(self.seller, safe='')}" + (f"/{quote(sku, safe='')}" if sku else "")

    # ---- notifications

    def subscription(self, topic: str) -> Any:
        """The subscription of a notification type; None where there is none."""
        path = f"{NOTIFICATIONS}/subscriptions/{topic}"
        answer = self._call("GET", path, "subscriptions.get", query={"payloadVersion": "1.0"}, absent=(404,))
        return None if answer.status == 404 else answer.json().get("payload")

    def create_subscription(self, topic: str, destination: str) -> None:
        body = {"payloadVersion": "1.0", "destinationId": destination}
        self._call("POST", f"{NOTIFICATIONS}/subscriptions/{topic}", "subscriptions.create", write=True, json=body)

    def destinations(self) -> list[Row]:
        answer = self._call("GET", f"{NOTIFICATIONS}/destinations", "destinations.list", token=OURSELVES)
        return list(answer.json().get("payload") or ())

    def create_destination(self, name: str, arn: str) -> str:
        body = {"name": name, "resourceSpecification": {"sqs": {"arn": arn}}}
        path = f"{NOTIFICATIONS}/destinations"
        answer = self._call("POST", path, "destinations.create", write=True, json=body, token=OURSELVES)
        return str(answer.json()["payload"]["destinationId"])


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


__all__ = ["Client", "Row", "stamp"]
