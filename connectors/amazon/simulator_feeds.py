"""The simulated Amazon's feeds: a document is stored, submitted, worked through after a while, and reported on."""

from __future__ import annotations

import gzip
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, tostring

import simplejson
from flask import Response, request

from connectors.amazon.simulator_access import Refused
from connectors.amazon.simulator_listings import Listings
from connectors.amazon.simulator_store import Json, Store

TYPES = ("JSON_LISTINGS_FEED", "POST_ORDER_ACKNOWLEDGEMENT_DATA", "POST_PAYMENT_ADJUSTMENT_DATA")


class Feeds:
    """`seconds` until a feed is done; `packed`: reports are stored as GZIP."""

    def __init__(self, store: Store, listings: Listings, seller: str, seconds: float, packed: bool) -> None:
        self.store, self.listings, self.seller = store, listings, seller
        self.seconds, self.packed = seconds, packed
        self.memory = store.memory
        self.stuck = False  # a bad day: feeds stay in the queue
        self.fatal = 0  # so many of the next feeds are given up

    def rules(self) -> list[tuple[str, str, str, bool, Any, bool]]:
        at = "/feeds/2021-06-30"
        return [
            (f"{at}/documents", "feeds.documents.create", "POST", False, self.create_document, False),
            (f"{at}/documents/<name>", "feeds.documents.get", "GET", False, self.document, False),
            (f"{at}/feeds", "feeds.create", "POST", True, self.create, False),
            (f"{at}/feeds/<name>", "feeds.get", "GET", False, self.get, False),
        ]

    # ---- documents

    def create_document(self, token: Json) -> Any:
        kind = (request.get_json() or {}).get("contentType")
        if not kind:
            raise Refused(400, "InvalidInput", "contentType is required.")
        name = self._new_document(kind)
        return {"feedDocumentId": name, "url": self._url(name)}, 201

    def _new_document(self, kind: str, content: str = "", packed: bool = False) -> str:
        name = f"amzn1.tortuga.4.{secrets.token_hex(12)}"
        row = {"type": kind, "content": content, "packed": packed, "key": secrets.token_hex(8)}
        self.memory.put("documents", name, row)
        return name

    def _url(self, name: str) -> str:
        row = self.memory.table("documents")[name]
        return f"{request.host_url.rstrip('/')}/stored/{name}?X-Amz-Expires=300&X-Amz-Signature={row['key']}"

    def document(self, token: Json, name: str) -> Any:
        row = self.memory.table("documents").get(name)
        if row is None:
            raise Refused(404, "NotFound", "The document does not exist.")
        told = {"feedDocumentId": name, "url": self._url(name)}
        return {**told, **({"compressionAlgorithm": "GZIP"} if row["packed"] else {})}

    def stored(self, name: str) -> Response:
        """The store of documents, which knows no token but the address's own signature."""
        row = self.memory.table("documents").get(name)
        if row is None or request.args.get("X-Amz-Signature") != row["key"]:
            return Response("<Error><Code>AccessDenied</Code></Error>", 403, content_type="application/xml")
        if request.method == "PUT":
            if request.content_type != row["type"]:
                return Response(
                    "<Error><Code>SignatureDoesNotMatch</Code></Error>", 403, content_type="application/xml"
                )
            self.memory.put("documents", name, {**row, "content": request.get_data().decode()})
            return Response(status=200)
        content = row["content"].encode()
        return Response(gzip.compress(content) if row["packed"] else content, content_type=row["type"])

    # ---- feeds

    def create(self, token: Json) -> Any:
        asked: Mapping[str, Any] = request.get_json() or {}
        document = self.memory.table("documents").get(str(asked.get("inputFeedDocumentId")))
        if asked.get("feedType") not in TYPES:
            raise Refused(400, "InvalidInput", f"The feed type {asked.get('feedType')} is not supported.")
        if self.store.marketplace not in (asked.get("marketplaceIds") or ()):
            raise Refused(400, "InvalidInput", "marketplaceIds names no marketplace of this seller.")
        if document is None or not document["content"]:
            raise Refused(400, "InvalidInput", "The input document does not exist or is empty.")
        name = str(self.memory.next_id("feeds", 50_001))
        feed = {
            "type": asked["feedType"],
            "document": asked["inputFeedDocumentId"],
            "at": time.time(),
            "status": "IN_QUEUE",
        }
        self.memory.put("feeds", name, {**feed, "created": _now(), "ended": "", "result": ""})
        self.work()
        return {"feedId": name}, 202

    def get(self, token: Json, name: str) -> Any:
        self.work()
        row = self.memory.table("feeds").get(name)
        if row is None:
            raise Refused(404, "NotFound", "The feed does not exist.")
        told = {
            "feedId": name,
            "feedType": row["type"],
            "createdTime": row["created"],
            "processingStatus": row["status"],
        }
        told["marketplaceIds"] = [self.store.marketplace]
        if row["result"]:
            told["resultFeedDocumentId"] = row["result"]
        if row["ended"]:
            told["processingEndTime"] = row["ended"]
        return told

    def work(self) -> None:
        """Works through all that is due."""
        with self.memory.lock:
            for name, row in list(self.memory.table("feeds").items()):
                if row["status"] == "IN_QUEUE" and not self.stuck and time.time() >= row["at"] + self.seconds:
                    self._done(name, row)

    def _done(self, name: str, row: Json) -> None:
        content = self.memory.table("documents")[row["document"]]["content"]
        if self.fatal > 0:
            self.fatal -= 1
            self.memory.put("feeds", name, {**row, "status": "FATAL", "ended": _now()})
            return
        work = self._listings if row["type"] == "JSON_LISTINGS_FEED" else self._orders
        kind, report = work(name, content)
        result = self._new_document(kind, report, self.packed)
        self.memory.put("feeds", name, {**row, "status": "DONE", "ended": _now(), "result": result})

    # ---- listings

    def _listings(self, name: str, content: str) -> tuple[str, str]:
        """listings-feed-schema-v2 in, listings-feed-processing-report-schema-v2 out."""
        told = simplejson.loads(content, use_decimal=True)
        issues: list[Json] = []
        messages = told.get("messages", [])
        for message in messages:
            try:
                self.listings.apply(message["sku"], message["patches"])
            except Refused as no:
                told_of = {"messageId": message["messageId"], "sku": message["sku"], "severity": "ERROR"}
                issues.append({**told_of, "code": no.error["code"], "message": no.error["message"]})
        invalid = len({one["messageId"] for one in issues})
        summary = {
            "errors": len(issues),
            "warnings": 0,
            "messagesProcessed": len(messages),
            "messagesAccepted": len(messages) - invalid,
            "messagesInvalid": invalid,
        }
        header = {"sellerId": self.seller, "version": "2.0", "feedId": name}
        return "application/json; charset=UTF-8", simplejson.dumps(
            {"header": header, "issues": issues, "summary": summary}
        )

    # ---- orders

    def _orders(self, name: str, content: str) -> tuple[str, str]:
        """An AmazonEnvelope in, a ProcessingReport out."""
        results: list[tuple[str, str]] = []
        try:
            envelope = fromstring(content)  # noqa: S314 - what our own connector stored
        except ParseError:
            return "text/xml; charset=UTF-8", _report(name, 0, [("0", "The document is no XML.")])
        messages = envelope.findall("Message")
        kind = envelope.findtext("MessageType") or ""
        for message in messages:
            number = message.findtext("MessageID") or "0"
            found = message.find(kind)
            try:
                if found is None or kind not in self._acts:
                    raise Refused(400, "InvalidInput", f"The message holds no {kind or 'MessageType'}.")
                self._acts[kind](found)
            except Refused as no:
                results.append((number, no.error["message"]))
        return "text/xml; charset=UTF-8", _report(name, len(messages), results)

    @property
    def _acts(self) -> dict[str, Callable[[Element], None]]:
        return {"OrderAcknowledgement": self._acknowledge, "OrderAdjustment": self._adjust}

    def _acknowledge(self, told: Element) -> None:
        name, status = told.findtext("AmazonOrderID") or "", told.findtext("StatusCode")
        if status == "Success":
            number = told.findtext("MerchantOrderID")
            self.store.acknowledge(name, number or "")
        elif status == "Failure":
            self.store.cancel(name, reason=told.findtext("Item/CancelReason") or "")
        else:
            raise Refused(400, "InvalidInput", "StatusCode is Success or Failure.")

    def _adjust(self, told: Element) -> None:
        self.store.refund(told.findtext("AmazonOrderID") or "", list(_adjusted(told)))


def _adjusted(told: Element) -> Iterator[Json]:
    for item in told.findall("AdjustedItem"):
        for component in item.findall("ItemPriceAdjustments/Component"):
            amount = component.find("Amount")
            try:
                value = Decimal((amount.text if amount is not None else "") or "")
            except InvalidOperation:
                raise Refused(400, "InvalidInput", "An adjustment's amount is no number.") from None
            yield {
                "item": item.findtext("AmazonOrderItemCode") or "",
                "id": item.findtext("MerchantAdjustmentItemID") or "",
                "reason": item.findtext("AdjustmentReason") or "",
                "kind": component.findtext("Type") or "",
                "amount": str(value),
            }


def _report(name: str, processed: int, errors: list[tuple[str, str]]) -> str:
    envelope = Element("AmazonEnvelope")
    SubElement(envelope, "MessageType").text = "ProcessingReport"
    message = SubElement(envelope, "Message")
    SubElement(message, "MessageID").text = "1"
    report = SubElement(message, "ProcessingReport")
    SubElement(report, "DocumentTransactionID").text = name
    SubElement(report, "StatusCode").text = "Complete"
    summary = SubElement(report, "ProcessingSummary")
    counts = {"Processed": processed, "Successful": processed - len(errors), "WithError": len(errors), "WithWarning": 0}
    for word, count in counts.items():
        SubElement(summary, f"Messages{word}").text = str(count)
    for number, said in errors:
        result = SubElement(report, "Result")
        SubElement(result, "MessageID").text = number
        SubElement(result, "ResultCode").text = "Error"
        SubElement(result, "ResultMessageCode").text = "18028"
        SubElement(result, "ResultDescription").text = said
    return tostring(envelope, encoding="unicode")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
