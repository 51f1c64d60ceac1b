"""The simulated Amazon's notifications: destinations, subscriptions, and a queue that speaks SQS (moto plays it)."""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import simplejson
from flask import Response, request

from connectors.amazon.simulator_access import Refused
from connectors.amazon.simulator_store import Json
from connectors.amazon.simulator_views import V0_STATUS
from connectors.kit.simulator import Memory

REGION, OWNER = "eu-west-1", "123456789012"
JSON = "application/x-amz-json-1.0"


@dataclass
class Habits:
    """Shares (0-1) of notifications that come twice, late and out of order, or never."""

    duplicates: float = 0.0
    reordered: float = 0.0
    never_sent: float = 0.0


class SqsServer(Protocol):
    """A WSGI application that plays SQS."""

    def test_client(self) -> Any: ...


@dataclass
class Notes:
    memory: Memory
    seller: str
    marketplace: str
    queue: str
    habits: Habits
    server: SqsServer | None = None
    held: list[Json] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:{REGION}:{OWNER}:{self.queue}"

    def rules(self) -> list[tuple[str, str, str, bool, Any, bool]]:
        at = "/notifications/v1"
        return [
            (f"{at}/destinations", "destinations.list", "GET", False, self.destinations, True),
            (f"{at}/destinations", "destinations.create", "POST", True, self.create_destination, True),
            (f"{at}/subscriptions/<topic>", "subscriptions.get", "GET", False, self.subscription, False),
            (f"{at}/subscriptions/<topic>", "subscriptions.create", "POST", True, self.subscribe, False),
        ]

    # ---- who wants to hear of what

    def destinations(self, token: Json) -> Any:
        return {"payload": list(self.memory.table("destinations").values())}

    def create_destination(self, token: Json) -> Any:
        asked: Mapping[str, Any] = request.get_json() or {}
        arn = ((asked.get("resourceSpecification") or {}).get("sqs") or {}).get("arn", "")
        if not asked.get("name") or not arn.startswith("arn:aws:sqs:"):
            raise Refused(400, "InvalidInput", "name and the queue's ARN are required.")
        if any(one["resource"]["sqs"]["arn"] == arn for one in self.memory.table("destinations").values()):
            raise Refused(409, "InvalidInput", "The queue is a destination already.")
        name = secrets.token_hex(16)
        row = {"destinationId": name, "name": asked["name"], "resource": {"sqs": {"arn": arn}}}
        self.memory.put("destinations", name, row)
        return {"payload": row}

    def subscription(self, token: Json, topic: str) -> Any:
        row = self.memory.table("subscriptions").get(topic)
        if not row:
            raise Refused(404, "NotFound", "There is no subscription of this type.")
        return {"payload": row}

    def subscribe(self, token: Json, topic: str) -> Any:
        asked: Mapping[str, Any] = request.get_json() or {}
        if self.memory.table("subscriptions").get(topic):
            raise Refused(409, "InvalidInput", "There is a subscription of this type already.")
        if asked.get("destinationId") not in self.memory.table("destinations") or not asked.get("payloadVersion"):
            raise Refused(400, "InvalidInput", "destinationId and payloadVersion are required.")
        row = {
            "subscriptionId": secrets.token_hex(16),
            "payloadVersion": "1.0",
            "destinationId": asked["destinationId"],
        }
        self.memory.put("subscriptions", topic, row)
        return {"payload": row}

    def lapse(self) -> None:
        """Every subscription is gone."""
        with self.memory.lock:
            for topic in list(self.memory.table("subscriptions")):
                self.memory.put("subscriptions", topic, None)

    # ---- telling

    def tell(self, order: Json, change: str) -> None:
        row = self.memory.table("subscriptions").get("ORDER_CHANGE")
        ours = [
            one["destinationId"]
            for one in self.memory.table("destinations").values()
            if one["resource"]["sqs"]["arn"] == self.arn
        ]
        if not row or row["destinationId"] not in ours or self.server is None:
            return
        self.put(self.notification(order, change, row["subscriptionId"]))

    def notification(self, order: Json, change: str, subscription: str) -> Json:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        items = [
            {
                "OrderItemId": item["id"],
                "SellerSKU": item["sku"],
                "SupplySourceId": "waybill",
                "OrderItemStatus": V0_STATUS[order["status"]],
                "Quantity": item["quantity"],
                "QuantityShipped": item["shipped"],
                "IsBuyerRequestedCancel": order["asked"],
            }
            for item in order["items"]
        ]
        summary = {
            "MarketplaceId": self.marketplace,
            "OrderStatus": V0_STATUS[order["status"]],
            "PurchaseDate": order["created"],
            "DestinationPostalCode": order["address"].get("postalCode"),
            "FulfillmentType": "AFN" if order["by"] == "AMAZON" else "MFN",
            "OrderType": "StandardOrder",
            "OrderItems": items,
        }
        told = {
            "NotificationLevel": "OrderLevel",
            "SellerId": self.seller,
            "AmazonOrderId": order["id"],
            "OrderChangeType": change,
            "OrderChangeTrigger": {"TimeOfOrderChange": order["updated"], "ChangeReason": "Status Change"},
            "Summary": summary,
        }
        metadata = {
            "ApplicationId": "amzn1.sellerapps.app.waybill",
            "SubscriptionId": subscription,
            "PublishTime": now,
            "NotificationId": secrets.token_hex(16),
        }
        return {
            "NotificationVersion": "1.0",
            "NotificationType": "ORDER_CHANGE",
            "PayloadVersion": "1.0",
            "EventTime": now,
            "Payload": {"OrderChangeNotification": told},
            "NotificationMetadata": metadata,
        }

    def put(self, note: Json) -> None:
        """Into the queue, by the habits of the day."""
        if random.random() < self.habits.never_sent:
            return
        with self.lock:
            if random.random() < self.habits.reordered:
                self.held.append(note)
                return
            due = [note, *self.held]
            self.held.clear()
        for one in due:
            for _ in range(2 if random.random() < self.habits.duplicates else 1):
                self.send(simplejson.dumps(one))

    def flush(self) -> None:
        with self.lock:
            due = list(self.held)
            self.held.clear()
        for one in due:
            self.send(simplejson.dumps(one))

    # ---- the queue

    def open(self, server: SqsServer) -> None:
        self.server = server
        self._ask("CreateQueue", {"QueueName": self.queue})

    def send(self, body: str) -> None:
        self._ask("SendMessage", {"QueueUrl": f"http://localhost/{OWNER}/{self.queue}", "MessageBody": body})

    def _ask(self, action: str, asked: Json) -> Response:
        scope = f"Credential=simulator/20260101/{REGION}/sqs/aws4_request"
        headers = {"authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=none"}
        return self.relay(action, simplejson.dumps(asked).encode(), headers)

    def relay(self, action: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """A request of SQS's JSON protocol, answered by the server."""
        if self.server is None:
            return Response(status=503)
        told = {**headers, "x-amz-target": f"AmazonSQS.{action}", "content-type": JSON}
        answer = self.server.test_client().post("/", data=body, headers=told)
        return Response(answer.get_data(), answer.status_code, content_type=JSON)
