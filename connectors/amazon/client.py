"""Amazon's own words: one method for each operation of the Selling Partner API that the hub uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from connectors.amazon.auth import OURSELVES, RESTRICTED, SELLER, access_token, restricted
from connectors.amazon.refusals import garbled, sorted_out
from connectors.kit.account import Connection
from connectors.kit.errors import Rejected, Transient, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.paging import walk

Row = Mapping[str, Any]
ORDERS, V0, FEEDS = "/orders/2026-01-01/orders", "/orders/v0/orders", "/feeds/2021-06-30"
LISTINGS, NOTIFICATIONS = "/listings/2021-08-01/items", "/notifications/v1"
INCLUDED = "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT"
MOST = 20  # SKUs of one search
AGENT = "Waybill/1.0 (Language=Python)"
STORES = (".amazonaws.com", ".cloudfront.net")  # where feed documents lie


class Client:
    """Calls of one seller. Raises what refusals.sorted_out makes of an answer, and the kit's errors for lost ones."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.settings = settings = connection.account.settings
        self.seller = str(settings.get("seller_id", ""))
        self.marketplaces: tuple[str, ...] = tuple(settings.get("marketplaces", ()))
        self._page = int(settings.get("page_size", 100))

    # ---- orders

    def order(self, order_id: str) -> Any:
        """The order; None when there is none of this id."""
        path = f"{ORDERS}/{quote(order_id, safe='')}"
        answer = self._call("GET", path, "orders.get", query={"includedData": INCLUDED}, absent=(404,))
        return None if answer.status == 404 else answer.json()["order"]

    def orders_changed(self, since: datetime, until: datetime) -> Iterator[Row]:
        """Orders updated at or after `since` and at or before `until`, whole."""
        asked = {
            "lastUpdatedAfter": stamp(since),
            "lastUpdatedBefore": stamp(until),
            "marketplaceIds": ",".join(self.marketplaces),
            "maxResultsPerPage": self._page,
            "includedData": INCLUDED,
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

    def refunds(self, order_id: str) -> list[Row]:
        """Financial events of refunds of an order; those of the last two days may be missing."""

        def page(token: str | None) -> tuple[Sequence[Row], str | None]:
            path = f"/finances/v0/orders/{quote(order_id, safe='')}/financialEvents"
            answer = self._call("GET", path, "finances.order", query={"NextToken": token} if token else None)
            said = answer.json()["payload"]
            return (said.get("FinancialEvents") or {}).get("RefundEventList") or (), said.get("NextToken") or None

        return list(walk(page))

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

    # ---- the door

    def _call(
        self, method: str, path: str, operation: str, *, token: str = SELLER, absent: Sequence[int] = (), **rest: Any
    ) -> Answer:
        """One call; with a token that was refused once more, with a fresh one: nothing was done."""
        answer, used = self._sent(method, path, operation, token, rest)
        if answer.status in (401, 403):
            self._connection.tokens.refused(token, used)
            answer, _ = self._sent(method, path, operation, token, rest)
        self._heed(operation, answer)
        found = None if answer.status in absent else sorted_out(answer)
        if found is not None:
            raise found
        return answer

    def _sent(self, method: str, path: str, operation: str, token: str, rest: Row) -> tuple[Answer, str]:
        used = self._restricted() if token == RESTRICTED else self._token(token)
        return self._asked(method, path, operation, used, rest), used

    def _asked(self, method: str, path: str, operation: str, token: str, rest: Row) -> Answer:
        headers = {"x-amz-access-token": token, "user-agent": AGENT}
        return self._connection.http.call(method, path, operation=operation, headers=headers, **rest)

    def _token(self, name: str) -> str:
        http, account = self._connection.http, self._connection.account
        return self._connection.tokens.get(name, lambda: access_token(http, account, name))

    def _restricted(self) -> str:
        """A restricted token is bought with the seller's, which is had before: no refresh waits for another."""
        tokens, seller = self._connection.tokens, self._token(SELLER)
        try:
            return tokens.get(RESTRICTED, lambda: self._bought(seller))
        except Unauthorized:
            tokens.refused(SELLER, seller)
        fresh = self._token(SELLER)
        return tokens.get(RESTRICTED, lambda: self._bought(fresh))

    def _bought(self, seller: str) -> tuple[str, float]:
        """One token for buyer and address of any order of v0, and for its items."""
        order = {"method": "GET", "path": f"{V0}/{{orderId}}", "dataElements": ["buyerInfo", "shippingAddress"]}
        items = {"method": "GET", "path": f"{V0}/{{orderId}}/orderItems", "dataElements": ["buyerInfo"]}
        path, body = "/tokens/2021-03-01/restrictedDataToken", {"restrictedResources": [order, items]}
        answer = self._asked("POST", path, "tokens.restricted", seller, {"json": body, "secret": True})
        self._heed("tokens.restricted", answer)
        found = sorted_out(answer)
        if found is not None:
            raise found
        return restricted(answer.json())

    def _heed(self, operation: str, answer: Answer) -> None:
        """The rate that Amazon grants this seller, and whether its bucket is empty just now."""
        said = answer.headers.get("x-amzn-ratelimit-limit", "")
        try:
            rate = float(said) if said else None
        except ValueError:
            rate = None
        limits, account = self._connection.http.limits, self._connection.account.name
        limits.told(account, operation, rate, empty=answer.status == 429)

    def _stored(self, method: str, url: str, operation: str, **rest: Any) -> Answer:
        """A document at the presigned address that Amazon names: only where Amazon stores such."""
        account = self._connection.account
        own = (urlsplit(account.base_url).netloc, *account.settings.get("document_hosts", ()))
        at = urlsplit(url)
        ours = at.netloc in own
        if not ours and (at.scheme != "https" or not (at.hostname or "").endswith(STORES)):
            raise Rejected(
                f"A feed's document is said to lie at {at.netloc}.", code="foreign_host", owner="integration"
            )
        door = replace(self._connection.http, hosts=(*self._connection.http.hosts, f"{at.scheme}://{at.netloc}"))
        return door.call(method, url, operation=operation, **rest)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
