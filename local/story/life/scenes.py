"""What happens around the marketplace: a price file, a rush on the last pieces, orders of three houses, goods that come back to a store."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from app.database import transaction
from app.orders import rules
from local.servers import CHECKOUT
from local.story import outsiders
from local.story.catalogue import CHAIR, PRICED, RUG, RUSH, VASE, VASES
from local.story.channels.channel import Channel
from local.story.channels.marketplace import CHANNEL
from local.story.configured import FILED
from local.story.life import back, store
from local.story.life.partner import WHO, Partner, order
from local.story.life.service import Service
from local.story.stage import Stage

RULES = Path(__file__).parent / "sourcing.toml"
FILES = CHECKOUT / "var" / "files"
STORE = "store-koeln"
BROUGHT = "brought to a store"  # a kind of orders
TELLER = "store koeln"  # the name of the store's key
SPLITS, PICKUPS, BUYERS, THREADS = 4, 3, 150, 16
WITHIN = 40.0  # seconds that the play waits for others; what is not there by then the judge will miss
PRICES = {RUG.sku: "79.00", VASE.sku: "24.50"}  # told by the file; it is a different one each time that it is laid
TOLD = {**PRICES, **PRICED}  # by the file, and by the ERP's own catalogue
REFUSED = "WB-NOBODY"  # a line that must not pass

Json = dict[str, Any]


class Life:
    """The people of this part of the play, and what they remember from one scene to the next."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.notebook = stage.desks[CHANNEL.system]
        self.market = Partner(stage.web, "marketplace", channel=CHANNEL.account)
        self.store = Partner(stage.web, TELLER, locations=(STORE,))
        self.service = Service(stage.web)
        self.store_at = STORE
        # Order id -> the hub's number, of this run and of what one that was cut off has left.
        self.waybills: dict[str, str] = {}
        self.known = len(self._orders())  # of earlier runs over kept data

    def _orders(self) -> dict[str, Json]:
        orders: dict[str, Json] = self.notebook.get("state").get("orders", {})
        return orders

    def goes_on(self) -> None:
        """What was noted and has not left yet is told again: whoever was cut off between the two has told nobody."""
        for bought in unsent(self.notebook.get("state")):
            self.told(bought)

    def many(self, kind: str) -> int:
        """Orders of this kind so far, in whichever run."""
        return sum(name.startswith(kind) for name in self._orders())

    def asked_of_the_store(self) -> set[str]:
        """The waybills of which it has a part to send or to hand over."""
        return {made for name, made in self.waybills.items() if name.startswith(("SPLIT", "PICKUP"))}

    def sell(self, name: str, lines: dict[str, tuple[int, str]], held: str = "", **more: Any) -> str:
        """An order is told to the hub and noted; its waybill."""
        bought = order(f"{name}-{self.known + 1}", lines, placed_at=datetime.now(UTC).isoformat(), **more)
        self.known += 1
        return self.told(bought, held)

    def told(self, bought: Json, held: str = "") -> str:
        self.notebook.put(f"orders/{bought['id']}", bought)
        headers = {"Waybill_Reservation": held} if held else {}
        self.waybills[bought["id"]] = str(self.market.must("POST", "/orders", bought, **headers)["waybill"])
        return self.waybills[bought["id"]]

    def waits(self, found: Callable[[], bool]) -> bool:
        until = time.monotonic() + WITHIN
        while not found():
            if time.monotonic() > until:
                return False
            time.sleep(0.5)
        return True


def begins(stage: Stage) -> Life:
    """The marketplace listens; the rules are in force; the store has counted; a file of prices lies in the folder."""
    life = Life(stage)
    _listens(life)
    life.goes_on()
    with transaction() as tx:
        rules.activate(tx, rules.keep(tx, RULES.read_text(), WHO), WHO, "the marketplace opens")
    counted = {
        "kind": "count",
        "sku": VASE.sku,
        "location": STORE,
        "quantity": VASES,
        "at": datetime.now(UTC).isoformat(),
    }
    life.store.must("POST", "/movements", {"movements": [{"number": f"count-{time.time():.0f}", **counted}]})
    lay_prices()
    stage.say("a marketplace opens by our API; a store and a supplier send for it; a file of new prices is laid")
    return life


def unsent(notebook: Mapping[str, Any]) -> list[Json]:
    """The marketplace's orders of which not every piece is told as sent."""
    told: dict[str, Counter[str]] = {}
    for event in notebook.get("seen", {}).values():
        if event["type"] == "order.shipped":
            pieces = {one["sku"]: int(Decimal(one["quantity"])) for one in event["data"]["shipment"]["lines"]}
            told.setdefault(event["data"]["id"], Counter()).update(pieces)
    return [one for one in notebook.get("orders", {}).values() if _wanted(one) - told.get(one["id"], Counter())]


def _wanted(bought: Json) -> Counter[str]:
    pieces: Counter[str] = Counter()
    for line in bought["lines"]:
        pieces[line["sku"]] += int(line["quantity"])
    return pieces


def _listens(life: Life) -> None:
    """What was subscribed by an earlier run goes on; what was for another address ends."""
    address = f"{life.stage.addresses[CHANNEL.system]}/events"
    known = life.market.must("GET", "/webhooks")["webhooks"]
    for one in known:
        if one["url"] != address:
            life.market.must("DELETE", f"/webhooks/{one['id']}")
    if any(one["url"] == address for one in known):
        return
    events = ["order.accepted", "order.shipped", "order.refunded"]
    made = life.market.must("POST", "/webhooks", {"url": address, "events": events})
    life.notebook.put("secrets", [made["secret"]])


def lay_prices() -> None:
    lines = [f"{sku},{price},EUR,{FILED}" for sku, price in PRICES.items()]
    text = "\n".join(("sku,price,currency,list", *lines, f"{REFUSED},1.00,EUR,{FILED}", ""))
    file = FILES / "prices" / f"prices-{time.time():.0f}.csv"
    file.with_suffix(".part").write_text(text)
    file.with_suffix(".part").rename(file)


def rush(life: Life) -> None:
    """Many want the last pieces at once: who is granted one orders it, the others are told that there is none."""
    note = f"notes/rush-{life.known}"
    life.notebook.put(note, {"asked": BUYERS})
    wanted = {"lines": [{"sku": RUSH.sku, "quantity": 1}]}

    def buys(buyer: int) -> str:
        status, said = life.market.ask("POST", "/reservations", wanted)
        if status == 201:
            return str(said["id"])
        if status != 409:
            raise RuntimeError(f"a reservation was answered {status} {said}")
        return ""

    life.waits(lambda: _there(life) >= _free(life))
    with ThreadPoolExecutor(THREADS) as crowd:
        held = [one for one in crowd.map(buys, range(BUYERS)) if one]
    for one in held:
        life.sell("RUSH", {RUSH.sku: (1, "49.00")}, held=one)
    life.notebook.put(note, {"granted": len(held), "asked": BUYERS})
    life.stage.say(f"{BUYERS} want the last {RUSH.sku} within seconds: {len(held)} get one")


def _there(life: Life) -> int:
    """Pieces that the marketplace may sell."""
    (told,) = life.market.must("GET", f"/availability?sku={RUSH.sku}")["items"]
    return int(told["available"])


def _free(life: Life) -> int:
    """Pieces that the warehouse has for nobody yet: none on a second day."""
    return outsiders.shelf(life.stage.desks["shipbob"].get("state")).get(RUSH.sku, 0)


def splits(life: Life) -> list[str]:
    """Orders of which the warehouse, the store and the supplier each send a part."""
    life.stage.say(f"{SPLITS} orders are sent from three houses each: warehouse, store and supplier")
    lines = {RUG.sku: (1, "80.00"), VASE.sku: (2, "25.00"), CHAIR.sku: (1, "140.00")}
    return [life.sell("SPLIT", lines) for _ in range(SPLITS)]


def pickups(life: Life) -> None:
    """Orders that their customers fetch at the store."""
    life.stage.say(f"{PICKUPS} orders are to be fetched at {STORE}")
    for _ in range(PICKUPS):
        life.sell(
            "PICKUP", {VASE.sku: (1, "25.00")}, deliveries=[{"id": "fetched", "kind": "pickup", "location": STORE}]
        )


def suppliers_turn(life: Life) -> None:
    """The supplier acknowledges what he was asked for, and sends it: one purchase order for each order of three houses."""
    desk, count = life.stage.desks["maker"], life.many("SPLIT")

    def all_sent() -> bool:
        purchases = desk.get("state").get("purchases", {}).values()
        for number in _open(purchases):
            desk.post(f"purchases/{number}/acknowledgement", {})
            desk.post(f"purchases/{number}/shipments", {})
        living = [one for one in purchases if one["state"] != "cancelled"]
        return len(living) >= count

    life.waits(all_sent)


def _open(purchases: Iterable[Json]) -> list[str]:
    return [one["reference"] for one in purchases if one["state"] not in ("shipped", "cancelled", "draft")]


# ---- the scenes of local/story/acts.py


def opens(stage: Stage) -> None:
    life = stage.life = begins(stage)
    splits(life)
    pickups(life)


def rushed(stage: Stage) -> None:
    rush(stage.life)


def supplied(stage: Stage) -> None:
    stage.say("the supplier acknowledges his purchase orders and sends to the customers")
    suppliers_turn(stage.life)


def stored(stage: Stage) -> None:
    stage.say(
        "the store takes what it is asked for, sends it or sets it out; customers fetch theirs with the code of their mail"
    )
    store.turn(stage.life, stage.life.asked_of_the_store())


def brought_back(stage: Stage, channel: Channel, orders: Iterable[Json]) -> None:
    """A piece of each comes to the store, and its money goes back at the channel, by the hub."""
    for bought in orders:
        back.allowed_by_the_desk(stage.life, channel.account, channel.name(bought), channel.brought)


def returned(stage: Stage) -> None:
    """A piece that the marketplace sold comes back to the store, and its money by the marketplace."""
    stage.say("goods of the marketplace come back to the store")
    back.to_the_store(stage.life, "SPLIT", VASE.sku)
