"""The sink: one HTTP/1.1 server with one fixed answer for all contestants, which notes when each call came.

`python -m bench.sink PORT`. Any path answers ANSWER; `delay` is set by PUT /_sink?delay=SECONDS (for paths that begin with `on`);
GET /_sink tells how many calls (but for tokens) it saw since the last DELETE /_sink and its processor time, GET /_sink?all=1 also each call;
with `since=N`, only those after the first N, with `on`, only those whose path begins so. Whoever asks often asks for what is new.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

# Acme's token, and the id of whatever was made: what every client here wants to read.
ANSWER = b'{"id":"1","access_token":"bench","expires_in":86400}'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "


def _framed(body: bytes) -> bytes:
    return HEAD + str(len(body)).encode() + b"\r\n\r\n" + body


FIXED = _framed(ANSWER)


@dataclass
class Seen:
    """Every call since the last time it was cleared: when it came (CLOCK_MONOTONIC, seconds) and its path."""

    calls: list[tuple[float, str]] = field(default_factory=list)
    delays: dict[str, float] = field(default_factory=dict)
    cpu: float = field(default_factory=time.process_time)

    tokens: int = 0

    def note(self, path: str) -> None:
        self.calls.append((time.monotonic(), path))
        self.tokens += path.endswith("/token")

    def clear(self) -> None:
        self.calls.clear()
        self.delays.clear()
        self.tokens, self.cpu = 0, time.process_time()

    def told(self, whole: bool, since: int = 0, on: str = "/") -> bytes:
        used, seen = time.process_time() - self.cpu, len(self.calls)
        calls = [call for call in self.calls[since:] if call[1].startswith(on)] if whole else []
        return json.dumps({"n": seen - self.tokens, "seen": seen, "calls": calls, "cpu_seconds": used}).encode()

    def delay(self, path: str) -> float:
        return next((seconds for start, seconds in self.delays.items() if path.startswith(start)), 0.0)


class Wire(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._out = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            whole = end + 4 + _length(self._read[:end])
            if len(self._read) < whole:
                return
            method, path = self._read.split(b" ", 2)[:2]
            self._read = self._read[whole:]
            self._answer(method.decode(), path.decode())

    def _answer(self, method: str, path: str) -> None:
        if path.startswith("/_sink"):
            self._out.write(_framed(_controlled(self._seen, method, path)))
            return
        self._seen.note(path)
        delay = self._seen.delay(path)
        if delay:
            asyncio.get_running_loop().call_later(delay, self._out.write, FIXED)
        else:
            self._out.write(FIXED)


def _length(head: bytes) -> int:
    """The body's length; our clients never send it in chunks."""
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def _controlled(seen: Seen, method: str, path: str) -> bytes:
    asked = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    told = seen.told("all" in asked, int(asked.get("since", "0")), asked.get("on", "/")) if method == "GET" else b"{}"
    if method == "PUT":
        seen.delays[asked.get("on", "/")] = float(asked["delay"])
    if method == "DELETE":
        seen.clear()
    return told


async def serve(port: int) -> None:
    seen = Seen()
    server = await asyncio.get_running_loop().create_server(lambda: Wire(seen), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
