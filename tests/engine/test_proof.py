"""The journal is proved against outsiders: it agrees on a good day, and each way of being wrong is found, owned and closed again."""

from __future__ import annotations

import copy
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import unquote

import pytest
from click.testing import CliRunner
from werkzeug.test import Client

from app.accounts import entries
from config.reader import config
from local.servers import Servers, create_database, drop_database
from tests.hub import signed
from tests.world import QUICK, World, world

ORDERS = 4
PROOF = "[proof]\nsettle = 0\nskew = 2\nreach = 48\n"


@dataclass
class Day:
    """A shop's short day through the receiver, and the proof of it."""

    world: World
    receiver: Client
    orders: list[dict[str, Any]]

    def order(self) -> dict[str, Any]:
        placed = self.world.place(placed_at=datetime.now(UTC).isoformat())
        self.deliver(placed)
        self.orders.append(placed)
        return placed

    def deliver(self, placed: dict[str, Any], times: int = 1) -> None:
        body, headers = signed("order.placed", placed, f"msg-{placed['id']}")
        for _ in range(times):
            assert self.receiver.post("/hooks/shop", data=body, headers=headers).status_code == 200

    def tell(self) -> None:
        """The shop tells of what we changed there ourselves: an echo."""
        self.world.pump(600)
        for row in self.table("shop", "orders").values():
            body, headers = signed("order.changed", row, f"msg-{row['id']}-{row['updated_at']}")
            assert self.receiver.post("/hooks/shop", data=body, headers=headers).status_code == 200
        self.world.pump(600)

    def prove(self) -> list[Any]:
        from tasks.proving import proof

        now = datetime.now(UTC)
        return list(proof.prove(proof.hours(now - timedelta(hours=1), now), now=now, bodies=True))

    def found(self, proofs: list[Any]) -> dict[str, int]:
        from tasks.proving.words import KINDS

        sums: dict[str, int] = {}
        for proof in proofs:
            for name, n in proof.figures.items():
                sums[name] = sums.get(name, 0) + n
        return {name: sums[name] for name in KINDS if sums.get(name)}

    def table(self, who: str, name: str) -> dict[str, Any]:
        return self.world.simulators[who].memory.table(name)

    def write(self, statement: str, **values: Any) -> Any:
        from sqlalchemy import text

        from app.database import transaction

        with transaction() as tx:
            return tx.execute(text(statement), values)


def _patient(policy: Path) -> None:
    """The proof's settings, and time enough on a busy machine: what is tried here is not the engine's haste."""
    (policy / "settings.toml").write_text(QUICK.replace("lease = 4", "lease = 60") + PROOF)
    accounts = policy / "accounts.toml"
    accounts.write_text(accounts.read_text().replace("timeout = 1.0", "timeout = 15.0"))
    for read_already in (config, entries.account):
        read_already.cache_clear()


@pytest.fixture(scope="module")
def day(
    real_servers: Servers, template: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Day]:
    from app.web import webhooks

    folder = tmp_path_factory.mktemp("proof")
    name = f"waybill_proof_{os.getpid()}"
    url = create_database(real_servers, name, template=template)
    before = dict(os.environ)
    os.environ.update(ACKS=str(folder / "acks"), TESTS_HOOKS_OLD="")
    webhooks._acks.cache_clear()
    try:
        with world(folder / "policy", url, redis_url) as played:
            _patient(folder / "policy")
            made = Day(played, Client(webhooks.Hooks(lambda environ, start: [])), [])
            for sku in ("WB-TEE", "WB-MUG"):
                played.code("erp", "sku", sku, sku)
            for _ in range(ORDERS):
                made.order()
            made.deliver(made.orders[0], times=2)
            made.tell()
            yield made
    finally:
        os.environ.clear()
        os.environ.update(before)
        webhooks._acks.cache_clear()
        drop_database(real_servers, name)


def test_a_good_day_agrees(day: Day) -> None:
    from tasks.proving import certificate

    proofs = day.prove()
    assert certificate.verdict(proofs) == certificate.AGREES, list(certificate.told(proofs))
    sums = {name: sum(proof.figures.get(name, 0) for proof in proofs) for name in certificate.COLUMNS}
    assert sums["acknowledged"] == sums["received"] == 2 * ORDERS  # each was placed, and came back acknowledged
    assert sums["placed"] == sums["listed_at_source"] == ORDERS
    assert sums["repeats"] == 2
    assert sums["booked"] == sums["listed_at_erp"] == ORDERS
    assert sum(sums[state] for state in ("applied", "running", "echo", "superseded")) == 2 * ORDERS
    assert sums["unlogged"] == 0
    assert certificate.inputs(day.prove()) == certificate.inputs(proofs)


# ---- each way of being wrong: what is done, and what mends it

Undo = Callable[[], Any]


def lose_a_delivery(day: Day) -> Undo:
    """As a standby that was promoted without its last commits would."""
    (row,) = day.write(
        "DELETE FROM deliveries WHERE delivery_id = :id RETURNING *", id=f"msg-{day.orders[1]['id']}"
    ).mappings()
    columns = ", ".join(row)
    return lambda: day.write(
        f"INSERT INTO deliveries ({columns}) VALUES ({', '.join(':' + name for name in row)})",
        **row,
    )


def lose_an_event(day: Day) -> Undo:
    event = day.world.one("SELECT event_id FROM deliveries WHERE delivery_id = :id", id=f"msg-{day.orders[1]['id']}")
    day.write("UPDATE payloads SET owner = 'gone' WHERE owner = 'event' AND owner_id = :id", id=event)
    return lambda: day.write("UPDATE payloads SET owner = 'event' WHERE owner = 'gone' AND owner_id = :id", id=event)


def alter_a_body(day: Day) -> Undo:
    event = day.world.one("SELECT event_id FROM deliveries WHERE delivery_id = :id", id=f"msg-{day.orders[1]['id']}")
    kept = day.world.one("SELECT body FROM payloads WHERE owner = 'event' AND owner_id = :id", id=event)
    change = "UPDATE payloads SET body = :body WHERE owner = 'event' AND owner_id = :id"
    day.write(change, id=event, body=bytes(kept).replace(b"WB-TEE", b"WB-TEA"))
    return lambda: day.write(change, id=event, body=kept)


def leave_an_event_under_way(day: Day) -> Undo:
    ended = day.world.one("SELECT id FROM events WHERE state = 'applied' ORDER BY id LIMIT 1")
    day.write("UPDATE events SET state = 'running' WHERE id = :id", id=ended)
    return lambda: day.write("UPDATE events SET state = 'applied' WHERE id = :id", id=ended)


def never_send_an_order(day: Day) -> Undo:
    placed = day.world.place(placed_at=datetime.now(UTC).isoformat())

    def mend() -> None:
        day.deliver(placed)
        day.orders.append(placed)
        day.tell()

    return mend


def change_an_order_unheard(day: Day) -> Undo:
    time.sleep(2.5)  # longer than the clocks may differ
    changed = day.world.ask("shop", "POST", f"/_sim/orders/{day.orders[0]['id']}", json={"note": "ring twice"})

    def mend() -> None:
        assert changed["note"] == "ring twice"
        day.tell()

    return mend


def delete_at_the_source(day: Day) -> Undo:
    taken = day.table("shop", "orders").pop(day.orders[1]["id"])
    return lambda: day.table("shop", "orders").update({taken["id"]: taken})


def delete_at_the_erp(day: Day) -> Undo:
    bookings = day.table("erp", "bookings")
    (name,) = [key for key, row in bookings.items() if row["reference"] == f"shop-{day.orders[1]['id']}"]
    taken = bookings.pop(name)
    return lambda: bookings.update({name: taken})


def double_at_the_erp(day: Day) -> Undo:
    bookings = day.table("erp", "bookings")
    row = next(row for row in bookings.values() if row["reference"] == f"shop-{day.orders[1]['id']}")
    bookings["boo-double"] = {**copy.deepcopy(row), "id": "boo-double", "key": ""}
    return lambda: bookings.pop("boo-double")


def change_a_total_at_the_erp(day: Day) -> Undo:
    row = next(r for r in day.table("erp", "bookings").values() if r["reference"] == f"shop-{day.orders[1]['id']}")
    was = row["body"]["total"]
    row["body"]["total"] = "0.01"
    return lambda: row["body"].update(total=was)


def book_beside_us(day: Day) -> Undo:
    bookings = day.table("erp", "bookings")
    row = copy.deepcopy(next(iter(bookings.values())))
    bookings["boo-stray"] = {**row, "id": "boo-stray", "reference": "shop-by-hand", "key": ""}
    return lambda: bookings.pop("boo-stray")


def parcel(day: Day) -> dict[str, Any]:
    """The ERP's record of the one parcel that has left; it leaves when it is first asked for."""
    if not day.table("erp", "deliveries"):
        order = day.orders[2]["id"]
        reference = day.world.one("SELECT waybill FROM subjects WHERE external_id = :id", id=order)
        sent = day.world.ask("warehouse", "POST", f"/_sim/requests/{reference}/shipments", json={})
        day.world.deliver("shipment.sent", sent, account="warehouse")
        day.tell()
    (row,) = day.table("erp", "deliveries").values()
    return dict(row)


def delete_a_shipment_at_the_erp(day: Day) -> Undo:
    taken = parcel(day)
    day.table("erp", "deliveries").pop(taken["id"])
    return lambda: day.table("erp", "deliveries").update({taken["id"]: taken})


def double_a_shipment_at_the_erp(day: Day) -> Undo:
    day.table("erp", "deliveries")["del-double"] = {**copy.deepcopy(parcel(day)), "id": "del-double", "key": ""}
    return lambda: day.table("erp", "deliveries").pop("del-double")


def ship_beside_us(day: Day) -> Undo:
    row = {**copy.deepcopy(parcel(day)), "id": "del-stray", "reference": "by hand", "key": ""}
    day.table("erp", "deliveries")["del-stray"] = row
    return lambda: day.table("erp", "deliveries").pop("del-stray")


WRONG: dict[str, tuple[str, Callable[[Day], Undo], str]] = {
    "a delivery is gone": ("lost", lose_a_delivery, "engineering"),
    "a body is gone": ("lost", lose_an_event, "engineering"),
    "a body is another": ("altered", alter_a_body, "engineering"),
    "an event is forgotten": ("stuck", leave_an_event_under_way, "engineering"),
    "an order never came": ("missing_here", never_send_an_order, "e-commerce"),
    "a change never came": ("stale_here", change_an_order_unheard, "e-commerce"),
    "an order is gone at its source": ("missing_at_source", delete_at_the_source, "e-commerce"),
    "a booking is gone": ("missing_at_erp", delete_at_the_erp, "finance systems"),
    "a booking is there twice": ("doubled_at_erp", double_at_the_erp, "finance systems"),
    "a total was changed": ("differs_at_erp", change_a_total_at_the_erp, "finance systems"),
    "somebody booked by hand": ("stray_at_erp", book_beside_us, "finance systems"),
    "a shipment's record is gone": ("shipment_missing_at_erp", delete_a_shipment_at_the_erp, "finance systems"),
    "a shipment is there twice": ("shipment_doubled_at_erp", double_a_shipment_at_the_erp, "finance systems"),
    "somebody shipped by hand": ("shipment_stray_at_erp", ship_beside_us, "finance systems"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_difference_is_found_owned_and_closed_when_it_is_mended(day: Day, wrong: str) -> None:
    from tasks.feeds import prove

    kind, spoil, owner = WRONG[wrong]
    mend = spoil(day)
    try:
        proofs = day.prove()
        assert day.found(proofs) == {kind: 1}, [one for proof in proofs for one in proof.differences]
        prove.keep(proofs)
        case = day.world.rows("SELECT * FROM cases WHERE kind = 'proof' AND status <> 'resolved'")
        assert [(row.code, row.owner) for row in case] == [(f"proof_{kind}", owner)]
        (kept,) = day.world.rows("SELECT * FROM proof_differences WHERE closed_at IS NULL")
        assert kept.ours
        assert kept.theirs
        prove.keep(day.prove())  # found again: the same difference and the same case
        assert day.world.one("SELECT count(*) FROM proof_differences WHERE closed_at IS NULL") == 1
    finally:
        mend()
    prove.keep(day.prove())
    assert day.world.one("SELECT count(*) FROM proof_differences WHERE closed_at IS NULL") == 0
    assert day.world.one("SELECT closed_by FROM cases WHERE id = :id", id=case[0].id) == "proof"
    assert day.found(day.prove()) == {}


@pytest.mark.parametrize(
    ("spoil", "table", "step"),
    [
        (delete_a_shipment_at_the_erp, "deliveries", "record_shipment"),
        (delete_at_the_erp, "bookings", "book_order"),
    ],
)
def test_what_is_gone_at_the_erp_is_booked_again_at_a_persons_word(
    day: Day, spoil: Callable[[Day], Undo], table: str, step: str
) -> None:
    """Proposed with the difference; a dry run changes nothing; done, it is kept with who and why, and the next proof closes the case."""
    from app.web.commands import waybill
    from tasks.feeds import prove

    parcel(day)
    whole = len(day.table("erp", table))
    spoil(day)
    prove.keep(day.prove())
    number = day.world.one("SELECT id FROM proof_differences WHERE closed_at IS NULL")
    assert "only one proof has missed it" in mended(number), "the list may be late"
    prove.keep(day.prove())
    tried = "SELECT count(*) FROM steps WHERE name = :step AND state = 'ready'"
    told = CliRunner().invoke(waybill, ["mend", str(number), "--dry-run"])
    assert "It would be done: WB" in told.output, told.output
    assert "is done again under a new key" in told.output
    assert day.world.one(tried, step=step) == 0
    assert (
        day.world.one(
            "SELECT count(*) FROM audit WHERE action = 'mend difference' AND object = :o", o=f"difference:{number}"
        )
        == 0
    )
    told = CliRunner().invoke(waybill, ["mend", str(number), "--reason", "deleted there by mistake"])
    assert told.output.startswith("Asked for: WB"), told.output
    assert "it is being done again" in mended(number), "a second press repeats nothing"
    day.tell()
    assert "or was since the last proof" in mended(number), "nor one before the next proof"
    day.tell()
    prove.keep(day.prove())
    assert day.world.one("SELECT count(*) FROM proof_differences WHERE closed_at IS NULL") == 0
    assert day.world.one("SELECT count(*) FROM cases WHERE kind = 'proof' AND status <> 'resolved'") == 0
    assert len(day.table("erp", table)) == whole
    kept = day.world.rows(
        "SELECT reason, before, after FROM audit WHERE action = 'mend difference' AND object = :o",
        o=f"difference:{number}",
    )
    assert [row.reason for row in kept] == ["deleted there by mistake"]
    assert "no record under" in kept[0].before["theirs"]
    gone = CliRunner().invoke(waybill, ["mend", str(number)])
    assert (gone.exit_code, f"Difference {number} is not open." in gone.output) == (1, True)


def test_people_who_mend_at_one_instant_do_it_once(day: Day) -> None:
    """Two pages were open, and both buttons are pressed: one record at the ERP, and who came second is told."""
    from app.database import transaction
    from app.journal import mending
    from tasks.feeds import prove

    booked = len(day.table("erp", "bookings"))
    delete_at_the_erp(day)
    for _ in (1, 2):
        prove.keep(day.prove())
    number = day.world.one("SELECT id FROM proof_differences WHERE closed_at IS NULL")
    at_once = Barrier(4)

    def press(who: str) -> mending.Mend | None:
        at_once.wait(10)
        with transaction() as tx:
            told = mending.mend(tx, number, who, "pressed", dry=False)
            time.sleep(0.2)  # nobody has committed when the others ask
        return told

    with ThreadPoolExecutor(4) as people:
        told = [one for one in people.map(press, ("ada", "ben", "cem", "dot")) if one is not None]
    assert sorted(one.done for one in told) == [False, False, False, True]
    assert {one.after for one in told if not one.done} == {mending.UNDER_WAY}
    day.tell()
    assert len(day.table("erp", "bookings")) == booked
    assert (
        day.world.one(
            "SELECT count(*) FROM audit WHERE action = 'mend difference' AND object = :o", o=f"difference:{number}"
        )
        == 1
    )


def mended(difference: int, *words: str) -> str:
    from app.web.commands import waybill

    return CliRunner().invoke(waybill, ["mend", str(difference), *words]).output


def twice_proved(day: Day) -> dict[str, int]:
    """Kind -> difference, of those that two proofs running have found."""
    from tasks.feeds import prove

    for _ in range(2):
        prove.keep(day.prove())
    return {
        row.kind: row.id for row in day.world.rows("SELECT id, kind FROM proof_differences WHERE closed_at IS NULL")
    }


def test_a_shipment_is_booked_again_after_its_order(day: Day) -> None:
    bookings, deliveries = day.table("erp", "bookings"), day.table("erp", "deliveries")
    sent = parcel(day)
    deliveries.pop(sent["id"])
    bookings.pop(sent["body"]["booking"])
    found = twice_proved(day)
    assert "book the order once more first" in mended(found["shipment_missing_at_erp"])
    assert mended(found["missing_at_erp"]).startswith("Asked for: WB")
    day.tell()
    found = twice_proved(day)
    assert list(found) == ["shipment_missing_at_erp"]
    assert mended(found["shipment_missing_at_erp"]).startswith("Asked for: WB")
    day.tell()
    assert twice_proved(day) == {}
    again = [name for name, row in bookings.items() if row["reference"] == f"shop-{day.orders[2]['id']}"]
    assert len(again) == 1
    assert [row["body"]["booking"] for row in deliveries.values()] == again


@pytest.mark.parametrize(
    ("what", "why"), [("note", "changed since it was booked"), ("cancellation", "was cancelled since")]
)
def test_what_was_changed_or_cancelled_since_is_not_booked_again(day: Day, what: str, why: str) -> None:
    """It would be booked as it first was."""
    order = day.order()
    day.tell()
    path = f"/_sim/orders/{order['id']}" + ("/cancellation" if what == "cancellation" else "")
    day.world.ask("shop", "POST", path, json={"note": "by Friday"} if what == "note" else {})
    day.tell()
    bookings = day.table("erp", "bookings")
    (name,) = [key for key, row in bookings.items() if row["reference"] == f"shop-{order['id']}"]
    taken = bookings.pop(name)
    found = twice_proved(day)
    said = mended(found["missing_at_erp"])
    assert said.startswith("Nothing is done by itself")
    assert why in said
    day.tell()
    assert f"shop-{order['id']}" not in {row["reference"] for row in bookings.values()}
    bookings[name] = taken
    assert twice_proved(day) == {}


def test_a_person_mends_a_difference_on_its_page(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator's right; what is doubled is proposed to nobody but a person at the ERP."""
    from app.database import transaction
    from app.web import create_app, people
    from tasks.feeds import prove
    from tests.web.conftest import Person

    monkeypatch.setenv("SECRET_KEY", "tests only")
    monkeypatch.setenv("PLAIN_HTTP", "1")
    undo = double_a_shipment_at_the_erp(day)
    prove.keep(day.prove())
    (row,) = day.world.rows("SELECT id, channel, hour FROM proof_differences WHERE closed_at IS NULL")
    page, repair = f"/admin/proof/{row.channel}/{row.hour:%Y-%m-%dT%H:00Z}", f"/admin/proof/repairs/{row.id}"
    app = create_app()
    with transaction() as tx:
        people.keep(tx, "reader", "reader comes in here", "viewer")
        people.keep(tx, "mender", "mender comes in here", "operator")
    reader, mender = (Person(app.test_client()).log_in(name, f"{name} comes in here") for name in ("reader", "mender"))
    assert "Proposed: a person decides who is right." in mender.page(page)
    assert repair not in mender.page(page)
    mender.get(page)
    assert mender.press(repair, back=page, reason="try").status_code == 302
    assert "Nothing was done." in mender.page(page)
    undo()
    restore = delete_a_shipment_at_the_erp(day)
    prove.keep(day.prove())
    prove.keep(day.prove())
    number = day.world.one("SELECT id FROM proof_differences WHERE closed_at IS NULL")
    repair = f"/admin/proof/repairs/{number}"
    assert "Proposed: book the shipment once more." in reader.page(page)
    assert repair not in reader.page(page)
    assert reader.press(repair, reason="try").status_code == 403
    assert repair in mender.page(page)
    assert mender.press(repair, back=page, reason="look first", dry="1").status_code == 302
    assert "Nothing was done. It would" in mender.page(page)
    assert day.world.one("SELECT count(*) FROM steps WHERE state = 'ready'") == 0
    restore()
    prove.keep(day.prove())
    assert day.world.one("SELECT count(*) FROM proof_differences WHERE closed_at IS NULL") == 0


def test_who_does_not_answer_proves_nothing_and_closes_nothing(day: Day) -> None:
    from tasks.feeds import prove
    from tasks.proving import certificate

    mend = delete_at_the_erp(day)
    prove.keep(day.prove())
    mend()
    day.world.bad_day("erp", "unavailable", operations=("bookings.list",))
    day.world.bad_day("shop", "refuse_auth", operations=("orders.list",))
    try:
        proofs = day.prove()
        assert certificate.verdict(proofs) == certificate.UNPROVED
        assert all(len(proof.unproved) == 2 and not proof.final for proof in proofs)
        prove.keep(proofs)
        assert day.world.one("SELECT count(*) FROM proof_differences WHERE closed_at IS NULL") == 1
    finally:
        day.world.good_day("erp")
        day.world.good_day("shop")
    prove.keep(day.prove())
    assert day.world.one("SELECT count(*) FROM proof_differences WHERE closed_at IS NULL") == 0


def test_the_command_prints_the_certificate(day: Day) -> None:
    """Exit code 0, 1 and 2, both sides of a difference, and a hash that the same inputs give again."""
    from app.web.commands import waybill

    run = CliRunner().invoke
    good = run(waybill, ["prove", "--since", "1h"])
    assert (good.exit_code, "All of it agrees." in good.output) == (0, True), good.output
    assert run(waybill, ["prove", "--since", "1h"]).output.splitlines()[-1] == good.output.splitlines()[-1]
    mend = delete_at_the_erp(day)
    bad = run(waybill, ["prove", "--since", "1h", "--channel", "shop"])
    mend()
    assert bad.exit_code == 1
    assert f"MISSING AT ERP {day.orders[1]['id']}: the journal: WB" in bad.output
    assert bad.output.splitlines()[-1] != good.output.splitlines()[-1]
    assert run(waybill, ["prove", "--since", "yesterday"]).exit_code == 2
    assert '"hours":[' in run(waybill, ["prove", "--since", "60m", "--json"]).output


def test_people_and_monitors_see_it(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number on the first page, the page behind it, the case with both sides, and the metric by channel and hour."""
    from app.database import transaction
    from app.web import create_app, metrics, people
    from tasks.feeds import prove
    from tests.web.conftest import Person

    monkeypatch.setenv("SECRET_KEY", "tests only")
    monkeypatch.setenv("PLAIN_HTTP", "1")
    monkeypatch.setattr(metrics, "KEEP", 0.0)
    with transaction() as tx:
        people.keep(tx, "viewer", "viewer comes in here", "viewer")
    mend = double_at_the_erp(day)
    prove.keep(day.prove())
    viewer = Person(create_app().test_client()).log_in("viewer", "viewer comes in here")
    assert '/admin/proof/?wrong=1"><b>1</b> differences' in viewer.page("/admin/")
    told = viewer.page("/admin/proof/?wrong=1")
    (address,) = set(re.findall(r'href="(/admin/proof/shop/[^"]+)"', told))
    hour, case = (
        viewer.page(address),
        day.world.one("SELECT id FROM cases WHERE kind = 'proof' AND status <> 'resolved'"),
    )
    for page in (hour, viewer.page(f"/admin/cases/{case}")):
        assert "is booked as" in page
        assert "record boo-double under shop-" in page
    assert f'href="/admin/cases/{case}"' in hour
    figures = viewer.get("/metrics").text
    assert re.search(r'waybill_proof\{channel="shop",figure="doubled_at_erp",hour="[^"]+Z"\} 1.0', figures)
    assert 'waybill_proof_differences{channel="shop",kind="doubled_at_erp"} 1.0' in figures
    assert "waybill_proof_age_seconds" in figures
    mend()
    prove.keep(day.prove())
    assert "<b>0</b> differences" in viewer.page("/admin/")
    assert 'waybill_proof_differences{channel="shop",kind="any"} 0.0' in viewer.get("/metrics").text
    for strange in (
        "/admin/proof/shop/yesterday",
        "/admin/proof/shop/1999-01-01T10:00Z",
        "/admin/proof/nobody/2026-11-25T10:00Z",
    ):
        assert viewer.get(strange).status_code == 404


def test_a_receiver_killed_between_commit_and_log_makes_no_proof_wrong(day: Day) -> None:
    """It answered nobody: the delivery is kept, counted as unlogged and no difference; the sender sends it again, and then it is in the log."""
    from app.journal.accept import accept
    from tasks.proving import certificate

    placed = day.world.place(placed_at=datetime.now(UTC).isoformat())
    body, headers = signed("order.placed", placed, f"msg-{placed['id']}")
    accept("shop", f"msg-{placed['id']}", "order.placed", headers, body)
    day.world.pump(600)
    before = day.prove()
    assert certificate.verdict(before) == certificate.AGREES, list(certificate.told(before))
    assert day.found(before).get("lost") is None
    assert sum(proof.figures.get("unlogged", 0) for proof in before) == 1
    day.deliver(placed)
    after = day.prove()
    assert certificate.verdict(after) == certificate.AGREES, list(certificate.told(after))
    assert sum(proof.figures.get("unlogged", 0) for proof in after) == 0


def test_without_a_log_the_certificate_says_so(day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.proving import certificate

    for where, why in (("off", "switched off"), (str(tmp_path), "no acknowledgement log")):
        monkeypatch.setenv("ACKS", where)
        proofs = day.prove()
        assert certificate.verdict(proofs) == certificate.UNPROVED
        assert any(why in said for said in proofs[-1].unproved)
        assert not proofs[-1].passing


def test_a_quiet_hour_is_proved_and_an_old_one_makes_no_list_longer(day: Day) -> None:
    """Hours in which nothing came need no log; hours apart are asked for apart."""
    from tasks.proving import certificate, proof

    now = datetime.now(UTC)
    this = proof.hour_of(now)
    began = time.time()
    found = proof.prove([this - 30 * proof.HOUR, this], now=now, bodies=True)
    assert certificate.verdict(found) == certificate.AGREES, list(certificate.told(found))
    asked = [
        call.path for call in day.world.simulators["shop"].calls if call.operation == "orders.list" and call.at >= began
    ]
    assert len(asked) == 2
    windows = [re.findall(r"updated_(?:from|to)=([^&]+)", unquote(path)) for path in asked]
    assert all(datetime.fromisoformat(last) - datetime.fromisoformat(first) <= proof.HOUR for first, last in windows)


def test_the_beat_job_proves_what_is_open(day: Day) -> None:
    from tasks.feeds import clock, prove

    day.write("DELETE FROM proofs")
    assert "0 differences" in prove.run()
    assert day.world.one("SELECT count(*) FROM proofs WHERE channel = 'shop'") >= 1
    assert "0 differences" in prove.run()
    assert clock.RUNS["prove"] is prove.run
