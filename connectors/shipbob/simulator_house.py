"""What stands around the simulated warehouse: its door (token, limit, channel), its post, its memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from threading import Thread
from typing import Any

from flask import Response, request
from werkzeug.serving import WSGIRequestHandler, make_server

from connectors.kit.simulator import Memory, Simulator
from connectors.shipbob.simulator_limit import SlidingWindow
from connectors.shipbob.simulator_post import Post
from connectors.shipbob.simulator_shelves import Row
from connectors.shipbob.simulator_warehouse import Warehouse


class _Headers(WSGIRequestHandler):
    """Keeps header names with underscores (shipbob_channel_id), which werkzeug's own server drops."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def make_environ(self) -> Any:
        kept = {f"HTTP_{name.upper()}": value for name, value in self.headers.items() if "_" in name}
        return {**super().make_environ(), **kept, "shipbob.headers": "all"}

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's own name
        return


class ShipBobSimulator(Simulator):
    """The kit's base with a warehouse, a post and a limit."""

    settings: Row
    warehouse: Warehouse
    post: Post
    window: SlidingWindow

    @classmethod
    def made(cls, settings: Row, topics: Sequence[str]) -> ShipBobSimulator:
        settings.setdefault("channels", {"4001": "Waybill"})
        settings.setdefault("token", "pat-demo")
        memory = Memory(Path(settings["path"]) if settings.get("path") else None)
        made = cls("shipbob", memory, error=_error)
        made.settings, made.post = settings, Post(memory, settings)
        made.window = SlidingWindow(int(settings.get("limit", 150)), float(settings.get("window", 60)))
        made._subscribe(topics)
        made.warehouse = Warehouse(memory, settings, made.post.tell)
        made.warehouse.shelves.open(dict(settings.get("stock", {})))
        return made

    def _subscribe(self, topics: Sequence[str]) -> None:
        """The first subscription, as someone would have made it in ShipBob's dashboard."""
        url, secret = self.settings.get("webhook_url"), self.settings.get("webhook_secret", "")
        there = self.memory.table("webhooks").get("configured", {})
        if not url or (there.get("url"), there.get("secret")) == (url, secret):
            return
        hook = {"id": "configured", "url": url, "secret": secret, "topics": list(topics)}
        rest = {"enabled": True, "created_at": "2026-01-01T00:00:00Z", "description": "configured"}
        self.memory.put("webhooks", "configured", {**hook, **rest})

    @contextmanager
    def served(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        server = make_server(host, port, self.app, threaded=True, request_handler=_Headers)
        server.block_on_close = False  # type: ignore[attr-defined]  # kept-alive connections end with the process
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://{host}:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()


def admitted(sim: ShipBobSimulator, handle: Callable[..., Any]) -> Callable[..., Any]:
    """Token, then limit, then the operation; every answer tells how many calls are left."""

    @wraps(handle)
    def admit(**args: Any) -> Any:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token not in (
            sim.settings["token"],
            sim.settings.get("read_token", "pat-read"),
        ):
            return sim.refuse(401, "Access denied due to a missing or invalid token.")
        wait, left = sim.window.take(token)
        if wait:
            headers = {"x-retry-after": str(wait), "x-remaining-calls": "0"}
            return sim.refuse(429, f"Rate limit is exceeded. Try again in {wait} seconds.", headers)
        if request.method != "GET" and token != sim.settings["token"]:
            return sim.refuse(403, "The token has no write scope.")
        with sim.memory.lock:
            answer: Response = sim.app.make_response(handle(sim, **args))
        answer.headers["x-remaining-calls"] = str(left)
        return answer

    return admit


def _error(status: int, sentence: str) -> tuple[Any, Mapping[str, str]]:
    """An error in the shape of who answers: the gateway, inventory (problem details), orders (field -> sentences)."""
    if status == 429:
        return {"statusCode": 429, "message": sentence}, {"x-remaining-calls": "0"}
    if "/inventory" in request.path:
        body = {
            "type": "about:blank",
            "title": sentence,
            "status": status,
            "detail": sentence,
            "instance": request.path,
        }
        return body, {}
    return ({"": [sentence]} if status in (400, 404, 422, 500) else {"message": sentence}), {}
