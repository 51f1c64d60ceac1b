"""A Shopify shop for each test, a bench before it, an address that takes its webhooks, and the schema once a session."""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_ast_schema, parse

from connectors.kit.account import Account
from tests.contract.bench import Bench, MemoryCodes, served
from tests.contract.system import System

SDL = Path(__file__).parents[4] / "shared" / "specs" / "shopify" / "admin-2026-07.schema.graphql"
DESCRIPTION = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""')
TOKEN = "shpat_of_the_tests"
CODES = {
    "sku": {sku: sku for sku in ("WB-TEE", "WB-MUG", "WB-CAP", "WB-BAG", "WB-SOAP", "WB-GONE", "WB-ALSO-GONE")},
    "location": {"main": "70001", "second": "70002"},
    "carrier": {"dhl": "DHL"},
}


@pytest.fixture(scope="session")
def schema() -> GraphQLSchema:
    """Shopify's own schema, read once: its 3.8 MB take seconds, and a third of that without the descriptions."""
    if not SDL.exists():
        pytest.skip("Shopify's schema is not beside this checkout (../shared/specs/shopify)")
    gc.disable()  # hundreds of thousands of nodes that all stay
    try:
        document = parse(DESCRIPTION.sub("", SDL.read_text()), no_location=True)
        return build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)
    finally:
        gc.enable()


@pytest.fixture
def shop(request: pytest.FixtureRequest) -> Iterator[System]:
    """A shop; `@pytest.mark.parametrize("shop", [{...}], indirect=True)` gives it settings."""
    settings: dict[str, Any] = getattr(request, "param", {})
    with served("shopify", {"access_token": TOKEN, "senders": 0, **settings}) as system:
        yield system


@pytest.fixture
def bench(shop: System) -> Bench:
    settings = {"currency": "EUR", "page_size": 3}
    return Bench(Account("tried", "shopify", shop.address, {"access_token": TOKEN}, settings), MemoryCodes(CODES))


class Inbox:
    """Where webhooks arrive: what came, and what is answered (200 unless told otherwise)."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.url = ""

    def topics(self) -> list[str]:
        return [headers["x-shopify-topic"] for headers, _ in self.came]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    box = Inbox()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            box.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(box.answers.pop(0) if box.answers else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    box.url = f"http://127.0.0.1:{server.server_port}/hooks/shop"
    yield box
    server.shutdown()
    server.server_close()
