"""The load: signed webhooks, written out beforehand, sent over kept-alive connections as fast as they are answered or by the clock."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectors.acme import simulator_goods as goods

SECRET = "whsec_" + base64.b64encode(b"the secret of the load lab, 32 B").decode()
FLOOR_SECRET = b"the secret of the load lab, 32 B"


@dataclass
class Told:
    """What the sender saw: seconds from the moment a delivery was due to its whole answer, how it was answered, the ids of those acknowledged."""

    took: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    retry_after: int = 0
    acknowledged: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Deliveries acknowledged (2xx) a second."""
        return sum(n for status, n in self.statuses.items() if status < 300) / self.seconds if self.seconds else 0.0


def order(name: str) -> dict[str, object]:
    """An order as the shop's webhook tells it: two lines, shipping, a payment; 2 kB."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    document = goods.order(name, now, {})
    document["updated_at"] = now
    return document


def delivery(name: str, account: str = "shop", topic: str = "order.placed") -> bytes:
    """A whole HTTP request: the order under both signatures, Standard Webhooks for the hub and a plain HMAC for the floor."""
    body = json.dumps({"type": topic, "timestamp": "2026-11-20T10:00:00Z", "data": order(name)}).encode()
    at = str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = base64.b64encode(hmac.new(key, f"msg-{name}.{at}.".encode() + body, hashlib.sha256).digest()).decode()
    head = (
        f"POST /hooks/{account} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nwebhook-id: msg-{name}\r\nwebhook-timestamp: {at}\r\nwebhook-signature: v1,{mac}\r\n"
        f"x-proof: {hmac.new(FLOOR_SECRET, body, hashlib.sha256).hexdigest()}\r\n\r\n"
    )
    return head.encode() + body


class Sender:
    """One kept-alive connection, opened again when the server closes it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and head of the answer. A connection that an idle server has closed is opened once more."""
        for attempt in (1, 2):
            try:
                return await self._exchange(request)
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()
                if attempt == 2:
                    raise
        raise ConnectionError("no answer")

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        at = head.find(b"content-length:")
        if at >= 0:
            await reader.readexactly(int(head[at + 15 :].split(b"\r\n", 1)[0]))
        if b"connection: close" in head:
            self.close()
        return int(head[9:12]), head

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


def delivery_id(request: bytes) -> str:
    """The id under which the hub keeps it."""
    return request.split(b"\r\nwebhook-id: ", 1)[1].split(b"\r\n", 1)[0].decode()


def _note(told: Told, request: bytes, began: float, status: int, head: bytes) -> None:
    told.took.append(time.monotonic() - began)
    told.statuses[status] = told.statuses.get(status, 0) + 1
    if status < 300:
        told.acknowledged.append(delivery_id(request))
    told.retry_after += b"retry-after:" in head


async def _closed(port: int, requests: Iterable[bytes], at_once: int) -> Told:
    told, left = Told(), iter(requests)

    async def one() -> None:
        sender = Sender(port)
        for request in left:
            began = time.monotonic()
            _note(told, request, began, *await sender.send(request))
        sender.close()

    began = time.monotonic()
    await asyncio.gather(*(one() for _ in range(at_once)))
    told.seconds = time.monotonic() - began
    return told


def closed(port: int, requests: Iterable[bytes], at_once: int = 16) -> Told:
    """As fast as they are answered, so many at a time."""
    return asyncio.run(_closed(port, requests, at_once))


async def _by_the_clock(port: int, requests: Sequence[bytes], rate: float, most: int) -> Told:
    told, idle = Told(), [Sender(port) for _ in range(most)]
    free = asyncio.Semaphore(most)
    began = time.monotonic()

    async def one(request: bytes, due: float) -> None:
        async with free:
            sender = idle.pop()
            try:
                _note(told, request, due, *await sender.send(request))
            except (ConnectionError, asyncio.IncompleteReadError, OSError):
                _note(told, request, due, 599, b"")
            finally:
                idle.append(sender)

    under_way = set()
    for n, request in enumerate(requests):
        due = began + n / rate
        if (wait := due - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(request, due))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    told.seconds = time.monotonic() - began
    for sender in idle:
        sender.close()
    return told


def by_the_clock(port: int, requests: Sequence[bytes], rate: float, most: int = 256) -> Told:
    """Open loop: each leaves when it is due, whatever became of the others; its time counts from when it was due."""
    return asyncio.run(_by_the_clock(port, requests, rate, most))
