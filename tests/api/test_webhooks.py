"""Partners are told of events: signed, retried, each once by its webhook-id, replayed when a person or the partner asks."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.direct.simulator import create
from connectors.kit.simulator import Fault, Simulator
from tests.api.conftest import Market, order

PRIVATE = 'settings = { private_hosts = ["127.0.0.1:*"] }\ntimeout = 1.0\n'
here = pytest.mark.parametrize("market", [PRIVATE], indirect=True)
EVENTS = ["order.accepted", "order.shipped", "order.cancelled", "order.refunded"]


class Listening:
    """The partner's own server, and what it did with what it was told."""

    def __init__(self, market: Market, simulator: Simulator, address: str) -> None:
        self.market, self.simulator, self.address = market, simulator, address
        self.id = ""
        self.secret = ""

    def subscribe(self, events: Any = EVENTS) -> Any:
        answer = self.market.mine.ask("POST", "/webhooks", {"url": f"{self.address}/events", "events": events})
        if answer.status_code == 201:
            self.id, self.secret = answer.json["id"], answer.json["secret"]
            self.knows(self.secret)
        return answer

    def knows(self, *secrets: str) -> None:
        self.simulator.memory.put("secrets", "all", list(secrets))

    def answers(self, status: int) -> None:
        self.simulator.memory.put("settings", "answers", status)

    @property
    def done(self) -> dict[str, int]:
        return dict(self.simulator.memory.table("effects"))

    @property
    def told(self) -> list[str]:
        """The webhook-id of every request."""
        return [call.key for call in self.simulator.calls]

    def tellings(self) -> dict[str, str]:
        rows = self.market.mine.ask("GET", f"/webhooks/{self.id}/events").json["events"]
        return {row["event"]: row["state"] for row in rows}


@pytest.fixture
def listening(market: Market) -> Iterator[Listening]:
    from tasks.engine.connecting import limiter

    limiter().warm("market")
    simulator = create({})
    with simulator.served() as address:
        yield Listening(market, simulator, address)


def shipped(market: Market, waybill: str) -> None:
    parcel = market.world.ask("warehouse", "POST", f"/_sim/requests/{waybill}/shipments", json={})
    market.world.deliver("shipment.sent", parcel, account="warehouse")
    market.world.pump()


@here
def test_the_life_of_an_order_is_told(listening: Listening) -> None:
    market = listening.market
    assert listening.subscribe().status_code == 201
    waybill = market.mine.place(order())
    market.rival.place(order("R-1"))  # another's, whom nobody listens to
    market.world.pump()
    shipped(market, waybill)
    money = {"shop": {"amount": "8.50", "currency": "EUR"}}
    nothing = {"shop": {"amount": "0", "currency": "EUR"}}
    refund = {
        "id": "RF-1",
        "total": money,
        "lines": [{"line_id": "M-1-2", "quantity": "1", "subtotal": money, "tax": nothing}],
        "payments": [{"id": "RF-1-p", "kind": "refund", "tender": "card", "gateway": "card", "amount": money}],
    }
    market.mine.place(order(updated_at="2026-11-21T10:00:00+01:00", refunds=[refund]))
    market.world.pump()
    second = market.mine.place(order("M-2"))
    market.world.pump()
    piece = {"lines": [{"line_id": "M-2-1", "quantity": "1"}]}
    market.mine.ask("POST", f"/orders/{second}/cancellations", piece)
    market.world.pump()
    market.mine.ask("POST", f"/orders/{second}/cancellations", {})
    market.world.pump()
    parcel = market.world.one("SELECT child->>'id' FROM runs WHERE flow = 'order_shipped'")
    assert listening.done == {
        "order.accepted:M-1": 1,
        f"order.shipped:M-1:{parcel}": 1,
        "order.refunded:M-1": 1,
        "order.accepted:M-2": 1,
        "order.cancelled:M-2": 2,  # a piece, then the rest
    }
    events = list(listening.simulator.memory.table("seen").values())
    whole = [event["data"]["whole"] for event in events if event["type"] == "order.cancelled"]
    assert whole == [False, True]
    assert all(event["data"]["waybill"] in (waybill, second) for event in events)
    assert not any("ana@example.com" in str(event) or "Musterweg" in str(event) for event in events)


@here
def test_what_is_not_taken_is_sent_again_under_the_same_id(listening: Listening) -> None:
    """500, 503, 429, a cut line after it was done, an odd status: tried again, done once."""
    listening.subscribe(["order.accepted"])
    for kind in ("broken", "unavailable", "throttle", "commit_then_drop", "drop"):
        listening.simulator.faults.append(Fault(kind, times=1, value=0))
    listening.market.mine.place(order())
    listening.market.world.pump()
    assert listening.done == {"order.accepted:M-1": 1}
    assert len(listening.told) >= 5
    assert len(set(listening.told)) == 1
    listening.answers(302)
    listening.market.mine.place(order("M-2"))
    listening.market.world.pump(until=lambda: len(listening.told) >= 8)
    listening.answers(204)
    listening.market.world.pump()
    assert listening.done == {"order.accepted:M-1": 1, "order.accepted:M-2": 1}


@here
def test_a_dead_listener_is_left_alone_and_holds_nobody_else_up(listening: Listening) -> None:
    """One that answers 503 and one that nobody hears are called now and then; the partner's third has every event at once."""
    from sqlalchemy import text

    from app.database import transaction
    from config.reader import config

    world = listening.market.world
    rule = world.folder / "settings.toml"
    rule.write_text(rule.read_text().replace("pause = 0.3", "pause = 5").replace("most = 0.5", "most = 60"))
    config.cache_clear()
    listening.subscribe(["order.accepted"])
    listening.answers(503)
    with create({}).served() as deaf:
        pass  # gone: nothing listens at that port any more
    third = create({})
    with third.served() as address:
        for url in (f"{deaf}/events", f"{address}/events"):
            made = listening.market.mine.ask("POST", "/webhooks", {"url": url, "events": ["order.accepted"]}).json
        third.memory.put("secrets", "all", [made["secret"]])
        for n in range(12):
            listening.market.mine.place(order(f"M-{n}"))
        world.pump(until=lambda: len(third.memory.table("effects")) == 12)
        tried = world.one(
            "SELECT count(*) FROM attempts WHERE code IN ('http_503', 'unreachable', 'server_error') AND account = 'market'"
        )
        assert len(listening.told) <= tried < 16
        assert world.one("SELECT count(*) FROM account_state WHERE account = 'market' AND breaker <> 'closed'") == 0
        world.pump(until=lambda: len(world.effects("erp")["bookings"]) == 12)  # the orders themselves go on
        assert "does not answer" in world.one("SELECT string_agg(sentence, ' ') FROM steps WHERE account = 'market'")

    def later(failures: int) -> None:
        with transaction() as tx:
            tx.execute(text("UPDATE listeners SET rests_until = now(), failures = :n"), {"n": failures})
            tx.execute(
                text("UPDATE steps SET due_at = now() WHERE account = 'market' AND state IN ('ready', 'unknown')")
            )

    silent = "SELECT count(*) FROM cases WHERE code = 'listener_silent' AND status <> 'resolved'"
    later(7)
    world.pump(until=lambda: world.one(silent) == 2)
    listening.answers(204)
    later(8)
    world.pump(until=lambda: len(listening.done) == 12)
    assert world.one(silent) == 1
    assert set(listening.done.values()) == {1}
    assert world.one("SELECT failures FROM listeners WHERE id = :id", id=listening.id) == 0


@here
def test_a_secret_is_replaced_with_an_overlap(listening: Listening) -> None:
    """Who still knows the old one and who knows the new one alone are both told; after the overlap only the new one signs."""
    from sqlalchemy import text

    from app.database import transaction

    listening.subscribe(["order.accepted"])
    old = listening.secret
    answer = listening.market.mine.ask("POST", f"/webhooks/{listening.id}/secrets", {})
    new = answer.json["secret"]
    assert new not in ("", old)
    for n, known in enumerate((old, new)):
        listening.knows(known)
        listening.market.mine.place(order(f"M-{n}"))
        listening.market.world.pump()
        assert listening.done == {f"order.accepted:M-{m}": 1 for m in range(n + 1)}
    with transaction() as tx:
        tx.execute(text("UPDATE listener_secrets SET expires_at = now() WHERE expires_at IS NOT NULL"))
    listening.knows(old)
    listening.market.mine.place(order("M-2"))
    listening.market.world.pump(until=lambda: listening.simulator.calls[-1].status == 400)
    listening.knows(new)
    listening.market.world.pump()
    assert listening.done["order.accepted:M-2"] == 1
    kept = str(listening.market.world.rows("SELECT * FROM listener_secrets, listeners")) + str(
        listening.market.world.rows("SELECT * FROM audit")
    )
    assert old not in kept
    assert new not in kept


@here
def test_what_was_given_up_is_replayed(listening: Listening) -> None:
    """410: no more of these. It is a case; the partner mends it and asks for what it missed."""
    listening.subscribe(["order.accepted"])
    listening.answers(410)
    since = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    listening.market.mine.place(order())
    listening.market.mine.place(order("M-2"))
    listening.market.world.pump()
    assert listening.tellings() == {"order.accepted": "dead"}
    assert listening.market.world.one("SELECT count(*) FROM cases WHERE code = 'gone'") == 1
    listening.answers(204)
    missed = listening.market.mine.ask("POST", f"/webhooks/{listening.id}/replays", {"since": since})
    assert (missed.status_code, missed.json) == (202, {"events": 2})
    listening.market.world.pump()
    assert listening.done == {"order.accepted:M-1": 1, "order.accepted:M-2": 1}
    assert listening.market.world.one("SELECT status FROM cases WHERE code = 'gone'") == "resolved"
    everything = {"since": since, "failed": False}
    assert listening.market.mine.ask("POST", f"/webhooks/{listening.id}/replays", everything).json == {"events": 2}
    before = len(listening.told)
    listening.market.world.pump()
    assert len(listening.told) == before + 2
    assert set(listening.done.values()) == {1}  # known by its webhook-id
    assert listening.market.rival.ask("POST", f"/webhooks/{listening.id}/replays", everything).status_code == 404


@here
def test_who_listens_no_more_is_told_no_more(listening: Listening) -> None:
    listening.subscribe(["order.accepted"])
    listening.answers(503)
    listening.market.mine.place(order())
    listening.market.world.pump(until=lambda: bool(listening.told))
    assert listening.market.mine.ask("DELETE", f"/webhooks/{listening.id}").status_code == 200
    listening.answers(204)
    listening.market.world.pump()
    listening.market.mine.place(order("M-2"))
    listening.market.world.pump()
    assert not listening.done
    assert listening.market.world.states()["partner_told.tell_partner"] == "skipped"


def test_only_public_addresses_are_subscribed(listening: Listening) -> None:
    """Without the operator's word a host of the own network is refused; the names of events are known, and an address is subscribed once."""
    mine = listening.market.mine
    refused = listening.subscribe()
    assert (refused.status_code, refused.json["type"]) == (422, "urn:waybill:problem:address")
    for url in ("https://169.254.169.254/latest", "https://localhost/x", "http://partner.example.com/x"):
        assert mine.ask("POST", "/webhooks", {"url": url, "events": ["order.shipped"]}).status_code == 422
    public = {"url": "https://partner.example.com/x", "events": ["order.shipped"]}
    assert mine.ask("POST", "/webhooks", public).status_code == 201
    assert mine.ask("POST", "/webhooks", public).json["type"] == "urn:waybill:problem:known"
    assert mine.ask("POST", "/webhooks", {**public, "events": ["order.eaten"]}).status_code == 422
    assert [one["url"] for one in mine.ask("GET", "/webhooks").json["webhooks"]] == [public["url"]]
    assert listening.market.rival.ask("GET", "/webhooks").json == {"webhooks": []}


@here
def test_an_address_that_was_allowed_once_is_looked_at_at_every_call(listening: Listening) -> None:
    """The operator takes its word back: what is subscribed is not called any more, and somebody is told."""
    from pathlib import Path

    from app.database import engine
    from tests.world import fresh_process

    listening.subscribe(["order.accepted"])
    accounts = Path(os.environ["WAYBILL_CONFIG"]) / "accounts.toml"
    accounts.write_text(accounts.read_text().replace('private_hosts = ["127.0.0.1:*"]', "private_hosts = []"))
    engine().dispose()
    fresh_process()
    listening.market.mine.place(order())
    listening.market.world.pump()
    assert not listening.told
    row = listening.market.world.rows("SELECT state, code FROM steps WHERE name = 'tell_partner'")[0]
    assert (row.state, row.code) == ("dead", "forbidden_address")


@here
def test_a_key_in_an_address_is_called_with_and_shown_nowhere(listening: Listening) -> None:
    """A partner's own key in the query of its address: it is in the request, and in no answer, page, record or audit."""
    from app.database import transaction
    from app.web import people
    from tests.web.conftest import PASSWORDS, Person

    with transaction() as tx:
        people.keep(tx, "admin", PASSWORDS["admin"], "admin")
    market, url = listening.market, f"{listening.address}/events?code=quuxquux7&plainquux"
    boss = Person(market.app.test_client()).log_in("admin", PASSWORDS["admin"])
    said = [boss.press("/admin/webhooks/", account="market", url=url, events="order.shipped").text]
    first = market.world.one("SELECT id FROM listeners")
    said += [
        boss.press(f"/admin/webhooks/{first}/secrets").text,
        boss.press(f"/admin/webhooks/{first}/withdrawals").text,
    ]
    made = market.mine.ask("POST", "/webhooks", {"url": url, "events": ["order.accepted"]})
    assert made.json["url"] == f"{listening.address}/events?code=***&***"
    listening.id = made.json["id"]
    listening.knows(made.json["secret"])
    market.mine.place(order())
    market.world.pump()
    assert listening.done == {"order.accepted:M-1": 1}
    answers = ("/webhooks", f"/webhooks/{listening.id}", f"/webhooks/{listening.id}/events")
    said += [made.text, *(market.mine.ask("GET", path).text for path in answers)]
    said += [boss.page("/admin/webhooks/"), boss.page("/admin/audit/"), boss.page("/admin/attempts/")]
    assert not [page for page in said if "quuxquux" in page or "plainquux" in page]
    kept = "SELECT string_agg(x::text, ' ') FROM (SELECT to_jsonb(a) AS x FROM {} a) t"
    for table in ("audit", "attempts", "api_answers", "steps", "events"):
        assert "quuxquux" not in (market.world.one(kept.format(table)) or ""), table
    heads = market.world.one("SELECT string_agg(head::text || encode(body, 'escape'), ' ') FROM payloads")
    assert "code=***" in heads
    assert "quuxquux" not in heads


@here
def test_the_admin_shows_and_replays(listening: Listening) -> None:
    from app.database import transaction
    from app.web import people
    from tests.web.conftest import PASSWORDS, Person

    with transaction() as tx:
        for role, password in PASSWORDS.items():
            people.keep(tx, role, password, role)
    boss = Person(listening.market.app.test_client()).log_in("admin", PASSWORDS["admin"])
    made = boss.press("/admin/webhooks/", account="market", url=f"{listening.address}/events", events="order.accepted")
    assert made.status_code == 200
    listening.id = listening.market.world.one("SELECT id FROM listeners")
    secret = made.text.split('id="secret">')[1].split("<")[0]
    listening.knows(secret)
    assert secret not in boss.page("/admin/webhooks/")
    listening.answers(410)
    waybill = listening.market.mine.place(order())
    listening.market.world.pump()
    page = boss.page("/admin/webhooks/")
    assert waybill in page
    assert "no more of these" in page
    listening.answers(204)
    assert boss.press(f"/admin/webhooks/{listening.id}/replays", hours="1").status_code == 302
    listening.market.world.pump()
    assert listening.done == {"order.accepted:M-1": 1}
    step = listening.market.world.one("SELECT id FROM steps WHERE name = 'tell_partner'")
    boss.press(f"/admin/webhooks/events/{step}/replays")
    before = len(listening.told)
    listening.market.world.pump()
    assert len(listening.told) == before + 1
    booking = listening.market.world.one("SELECT id FROM steps WHERE name = 'book_order'")
    boss.press(f"/admin/webhooks/events/{booking}/replays")  # not from here
    time.sleep(0.1)
    listening.market.world.pump()
    assert set(listening.market.world.effects("erp")["bookings"].values()) == {1}
    viewer = Person(listening.market.app.test_client()).log_in("viewer", PASSWORDS["viewer"])
    assert viewer.get("/admin/webhooks/").status_code == 200
    assert viewer.press(f"/admin/webhooks/{listening.id}/secrets").status_code == 403
    boss.press(f"/admin/webhooks/{listening.id}/switches")
    listening.market.mine.place(order("M-9"))
    listening.market.world.pump()
    assert "order.accepted:M-9" not in listening.done
