"""The queue that Amazon's notifications come by: SQS, asked by its JSON protocol under a signature of version 4.

Sources: docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html,
docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import simplejson

from connectors.kit.account import Connection
from connectors.kit.capabilities import Message
from connectors.kit.errors import Rejected, Transient, Unauthorized
from connectors.kit.http import dump_json
from connectors.kit.verdicts import trouble

HIDDEN = 120  # seconds that a received message is hidden from other readers
MOST = 10  # messages of one call
JSON = "application/x-amz-json-1.0"
DENIED = ("AccessDenied", "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken")


@dataclass(frozen=True)
class Queue:
    """One queue, by its address (settings.queue_url)."""

    connection: Connection

    def receive(self, limit: int) -> Sequence[Message]:
        asked = {"MaxNumberOfMessages": min(limit, MOST), "VisibilityTimeout": HIDDEN, "WaitTimeSeconds": 0}
        if not self._url:
            return []
        return [_message(row) for row in self._call("ReceiveMessage", asked).get("Messages") or ()]

    def settle(self, receipts: Iterable[str]) -> None:
        """What cannot be deleted comes again, and is known then."""
        given = list(receipts)
        for start in range(0, len(given), MOST):
            some = given[start : start + MOST]
            rows = [{"Id": str(n), "ReceiptHandle": one} for n, one in enumerate(some)]
            self._call("DeleteMessageBatch", {"Entries": rows})

    @property
    def _url(self) -> str:
        return str(self.connection.account.settings.get("queue_url", ""))

    def _call(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        at = urlsplit(self._url)
        body = dump_json({"QueueUrl": self._url, **asked})
        headers = {"host": at.netloc, "content-type": JSON, "x-amz-target": f"AmazonSQS.{action}"}
        account = self.connection.account
        keys = (account.credentials["aws_access_key_id"], account.credentials["aws_secret_access_key"])
        signed = sign(headers, body, keys, self._region(at.hostname or ""), self.connection.now())
        origin = f"{at.scheme}://{at.netloc}"
        door = replace(self.connection.http, hosts=(*self.connection.http.hosts, origin))
        answer = door.call("POST", f"{origin}/", operation=f"sqs.{action}", body=body, headers=signed)
        if answer.status >= 400:
            raise _refused(answer.body, answer.status) or trouble(answer) or Transient("The queue does not answer.")
        told: dict[str, Any] = answer.json() or {}
        return told

    def _region(self, host: str) -> str:
        """sqs.eu-west-1.amazonaws.com says its own."""
        named = str(self.connection.account.settings.get("queue_region", ""))
        parts = host.split(".")
        return named or (parts[1] if len(parts) > 3 and parts[0] == "sqs" else "us-east-1")


def _refused(body: bytes, status: int) -> Unauthorized | Rejected | None:
    """The queue's own errors: {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": ...}."""
    try:
        told = simplejson.loads(body)
    except (ValueError, UnicodeDecodeError):
        return None
    said = str(told.get("__type", "")).rpartition("#")[2] if isinstance(told, dict) else ""
    if status in (401, 403) or said.startswith(DENIED):
        remedy = "Compare the key's rights (sqs:ReceiveMessage, sqs:DeleteMessage) with the queue's policy."
        return Unauthorized(f"The queue refuses our key ({said or status}).", remedy=remedy, owner="integration desk")
    if status < 500 and status != 429 and said and "Throttl" not in said:
        return Rejected(f"The queue refuses this request ({said}).", code="queue", owner="integration desk")
    return None


# ---- what a message is


def _message(row: dict[str, Any]) -> Message:
    """NotificationId recognises it when it comes again; names are written in capitals by some types, by others not."""
    body = str(row.get("Body", ""))
    topic, name = identify(body)
    delivery = name or f"sqs:{row.get('MessageId', '')}"
    return Message(topic or "unknown", delivery, body.encode(), receipt=str(row["ReceiptHandle"]))


def identify(body: str) -> tuple[str, str]:
    """Type and id of a notification; empty where the body is none."""
    try:
        told = simplejson.loads(body)
    except ValueError:
        return "", ""
    if not isinstance(told, dict):
        return "", ""
    meta = either(told, "NotificationMetadata")
    name = either(meta, "NotificationId") if isinstance(meta, dict) else None
    return str(either(told, "NotificationType") or ""), str(name or "")


def either(node: dict[str, Any], name: str) -> Any:
    """A member whose name begins with a capital or not."""
    return node.get(name, node.get(name[0].lower() + name[1:]))


# ---- signature


def sign(
    headers: dict[str, str], body: bytes, keys: tuple[str, str], region: str, now: datetime, service: str = "sqs"
) -> dict[str, str]:
    """The headers with date and signature, for a POST to "/" without a query; `keys` are access key id and secret."""
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    signed = {**headers, "x-amz-date": stamp}
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name].strip()}\n" for name in sorted(signed))
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{keys[1]}".encode()
    for part in (stamp[:8], region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    proof = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    told = f"AWS4-HMAC-SHA256 Credential={keys[0]}/{scope}, SignedHeaders={names}, Signature={proof}"
    return {**signed, "authorization": told}
