"""What a payload says is shown as text, leads nowhere, and costs no more than it may."""

from __future__ import annotations

import copy
import gzip
import json
import re
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from connectors import registry
from connectors.kit.account import Account
from connectors.kit.capabilities import Message
from connectors.kit.errors import Trouble
from connectors.kit.http import Http
from tests.contract.bench import Free
from tests.web.conftest import Hub

Path = tuple[Any, ...]
LISTS = ("/admin/", "/admin/orders/", "/admin/orders/?attention=1", "/admin/cases/", "/admin/codes/", "/admin/events/")
MORE = ("/admin/events/?state=quarantined", "/admin/steps/", "/admin/attempts/", "/admin/audit/", "/admin/proof/")


def leaves(tree: Any, at: Path = ()) -> Iterator[Path]:
    """The place of every text in a document."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*at, key))
    elif isinstance(tree, list):
        for n, value in enumerate(tree):
            yield from leaves(value, (*at, n))
    elif isinstance(tree, str):
        yield at


def put(tree: Any, at: Path, value: str) -> None:
    for key in at[:-1]:
        tree = tree[key]
    tree[at[-1]] = value


def tag(n: int) -> str:
    """Breaks out of a text, of an attribute in either quotes, of a comment and of a script."""
    return f"--></script>\"'><x-poison{n} onpoison=1 src=x>&lt;"


class Poisoned(HTMLParser):
    """The elements and attributes of a page that no template of ours made."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = [name for name, value in attributes if name.startswith("on") or "script:" in (value or "").lower()]
        if tag.startswith("x-") or named:
            self.found.append(f"<{tag} {attributes}>")


def poisoned(page: str) -> list[str]:
    parser = Poisoned()
    parser.feed(page)
    return parser.found


def reads(body: Any, topic: str) -> bool:
    try:
        registry.read(Account("shop", "acme", ""), Message(topic, "x", json.dumps(body).encode()))
    except (Trouble, ValueError, TypeError, ArithmeticError):
        return False
    return True


def variants(row: dict[str, Any], poison: Callable[[int], str]) -> Iterator[tuple[dict[str, Any], list[int]]]:
    """One order with every text poisoned that may be anything, and one for each that may not: those are quarantined."""
    at = [place for place in leaves(row) if place not in (("id",), ("currency",), ("updated_at",), ("placed_at",))]
    free, bound = copy.deepcopy(row), []
    for n, place in enumerate(at):
        tried = copy.deepcopy(free)
        put(tried, place, poison(n))
        if reads({"type": "order.placed", "data": tried}, "order.placed"):
            free = tried
        else:
            bound.append((n, place))
    yield free, [n for n in range(len(at)) if n not in {n for n, _ in bound}]
    for n, place in [*bound, *enumerate((("id",), ("currency",), ("updated_at",), ("placed_at",)), len(at))]:
        tried = copy.deepcopy(row)
        put(tried, place, poison(n))
        yield tried, [n]


def pages(hub: Hub) -> list[str]:
    """Every page that shows something of one thing, and every list."""
    found = [*LISTS, *MORE]
    found += [f"/admin/orders/{row.waybill}" for row in hub.rows("SELECT waybill FROM subjects WHERE waybill <> ''")]
    found += [f"/admin/events/{row.id}" for row in hub.rows("SELECT id FROM events")]
    for row in hub.rows("SELECT id FROM cases"):
        found += [f"/admin/cases/{row.id}", f"/admin/cases/{row.id}/plan"]
    for row in hub.rows("SELECT id FROM attempts"):
        found += [f"/admin/attempts/{row.id}", f"/admin/attempts/{row.id}/exchange"]
    return found


def test_no_text_of_an_order_becomes_a_part_of_a_page(busy: Hub) -> None:
    """Every string field of an order, one way or the other: shown on every page that shows it, and only ever as text."""
    played = busy.world
    assert played is not None
    row = played.place(note="a note", tags=["a tag"], cancel_reason="")
    row["shipments"] = [{"id": "p-1", "status": "sent", "lines": [], "trackings": [{"number": "N", "carrier": "c", "url": "u"}],
                         "location": "l", "service": "s", "shipped_at": row["placed_at"], "updated_at": row["updated_at"]}]  # fmt: skip
    sent: list[int] = []
    for n, (variant, numbers) in enumerate(variants(row, tag)):
        if variant["id"] == row["id"]:
            variant["id"] = f"9{n:05}"
        played.deliver("order.placed", variant, name=f"poison-{n}", at=variant["updated_at"])
        sent += numbers
    played.pump(120)
    operator, seen = busy.come_in("operator"), ""
    for path in pages(busy):
        page = operator.get(path)
        assert page.status_code == 200, path
        assert not poisoned(page.text), (path, poisoned(page.text)[:3])
        seen += page.text
    shown = {int(n) for n in re.findall(r"x-poison(\d+)", seen)}
    assert len(sent) > 40
    assert shown >= set(sent), f"sent and never shown, so not tried: {sorted(set(sent) - shown)}"


def test_no_link_of_a_payload_is_a_script(busy: Hub) -> None:
    played = busy.world
    assert played is not None
    row = played.place()
    for n, (variant, _) in enumerate(variants(row, lambda n: f"javascript:poison({n})")):
        if n == 0:
            played.deliver("order.placed", {**variant, "id": "95000"}, name="script")
    played.pump(120)
    operator = busy.come_in("operator")
    for path in pages(busy)[-40:]:
        assert not poisoned(operator.get(path).text), path


# ---- addresses in payloads


@contextmanager
def canary() -> Iterator[tuple[str, list[Any]]]:
    """Somebody in the house who must never be called: its address, and who called."""
    heard: list[Any] = []
    with socket.socket() as ear:
        ear.bind(("127.0.0.1", 0))
        ear.listen(64)
        ear.settimeout(0.2)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                try:
                    caller, address = ear.accept()
                    caller.close()
                    heard.append(address)
                except TimeoutError:
                    continue
                except OSError:
                    return

        listening = threading.Thread(target=listen, daemon=True)
        listening.start()
        yield f"http://127.0.0.1:{ear.getsockname()[1]}/latest/meta-data", heard
        over.set()
        listening.join()


def test_no_address_in_a_payload_is_called(busy: Hub) -> None:
    """Every text of an order, its id, and a thin delivery's id are an address of our own network: nobody calls it."""
    played = busy.world
    assert played is not None
    with canary() as (address, heard):
        for n, (variant, _) in enumerate(variants(played.place(), lambda n: address)):
            if n == 0:
                variant["id"] = "97000"
            played.deliver("order.placed", variant, name=f"canary-{n}", at="2026-11-20T10:00:00Z")
        for name in (address, f"//{address[7:]}", f"../../{address}", f"1001?x={address}", f"1001#{address}"):
            played.deliver("order.changed", {"id": name}, name=f"thin-{name}")
        played.pump(120)
        assert not heard
        with socket.create_connection(("127.0.0.1", int(address.split(":")[2].split("/")[0]))):
            pass  # the ear does hear


@contextmanager
def vendor(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def called(address: str) -> Http:
    return Http(Account(f"at {address}", "tried", address, timeout=20), Free())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_vendor_sends_us_nowhere_else(status: int) -> None:
    """A redirect is an answer like any other: the credentials that went with the call do not go on."""
    with canary() as (elsewhere, heard):

        def redirect(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            handler.send_header("Location", elsewhere)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        with vendor(redirect) as address:
            assert called(address).call("GET", "/x", operation="x").status == status
        assert not heard


def test_a_vendors_bomb_costs_no_more_than_the_longest_answer() -> None:
    """A gigabyte in a megabyte: cut off at the cap, whatever the coding hides."""
    bomb = gzip.compress(b"0" * 100_000_000, mtime=0) * 10

    def explode(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", str(len(bomb)))
        handler.end_headers()
        try:
            handler.wfile.write(bomb)
        except OSError:
            return

    with vendor(explode) as address:
        tracemalloc.start()
        with pytest.raises(Trouble):
            called(address).call("GET", "/x", operation="x")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 80_000_000


# ---- statements and headers

SPLIT = "x\r\nX-Injected: yes\r\n\r\n<x-poison0>"
QUOTES = (
    "' OR 1=1 --",
    "'; UPDATE users SET role = 'admin'; --",
    "\\'; --",
    "%27",
    "$$",
    "{}",
    ":who",
    "%(account)s",
    "\u2019",
    SPLIT,
)
FORMS = (
    ("/admin/codes/", {"account": "erp", "kind": "sku"}, ("ours", "theirs", "account", "kind")),
    ("/admin/accounts/erp/limits", {"rate": "1", "burst": "1", "hours": "1"}, ("name", "rate", "burst", "hours")),
    ("/admin/users/", {"password": "long enough for it", "role": "viewer"}, ("login", "role")),
    ("/admin/users/viewer/changes", {"role": "viewer", "active": "1"}, ("role",)),
    ("/admin/cases/1/retries", {}, ("member", "all")),
    ("/admin/steps/retries", {}, ("step",)),
    ("/admin/accounts/letters/pauses", {}, ()),
    ("/admin/events/1/replays", {}, ()),
)  # fmt: skip


@pytest.mark.parametrize("word", QUOTES, ids=range(len(QUOTES)))
def test_no_word_in_a_form_or_address_is_a_statement_or_a_header(busy: Hub, word: str) -> None:
    admin = busy.come_in("admin")
    people = busy.rows(
        "SELECT login, role FROM users WHERE login IN ('viewer', 'support', 'operator', 'admin') ORDER BY login"
    )
    for path, form, names in FORMS:
        for name in (*names, "reason", "back"):
            answer = admin.press(path, **{**form, name: word})
            assert answer.status_code < 500, (path, name)
            assert "X-Injected" not in answer.headers, (path, name)
            assert "\n" not in answer.headers.get("Location", "")
    for path in (*LISTS, *MORE):
        asked = dict.fromkeys(
            (
                "q",
                "account",
                "state",
                "kind",
                "owner",
                "name",
                "who",
                "object",
                "word",
                "before",
                "after",
                "channel",
                "next",
                "a",
                "k",
                "o",
            ),
            word,
        )
        answer = admin.get(path.partition("?")[0], query_string=asked)
        assert answer.status_code in (200, 302), path
        assert "X-Injected" not in answer.headers
        assert not poisoned(answer.text)
    assert people == busy.rows(
        "SELECT login, role FROM users WHERE login IN ('viewer', 'support', 'operator', 'admin') ORDER BY login"
    )
    admin.press("/admin/accounts/letters/resumptions")


def test_what_a_delivery_names_is_no_statement(busy: Hub) -> None:
    """Ids, topics and headers of a proved delivery."""
    from app.journal.accept import accept

    before = busy.one("SELECT count(*) FROM users")
    for word in QUOTES:
        kept = accept("shop", word, word, {word: word}, b'{"type": "' + word.encode().replace(b"\\", b"") + b'"}')
        assert kept.fresh
        assert busy.one("SELECT topic FROM events WHERE id = :id", id=kept.event_id) == word
    assert busy.world is not None
    busy.world.pump()
    assert busy.one("SELECT count(*) FROM users") == before
