"""What anyone may ask of the simulated warehouse, and have it do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request

from connectors.shipbob.simulator_house import ShipBobSimulator
from connectors.shipbob.simulator_returns import arrive
from connectors.shipbob.simulator_shelves import Row
from connectors.shipbob.simulator_views import effects
from connectors.shipbob.simulator_warehouse import Warehouse


def control(sim: ShipBobSimulator) -> None:
    """GET effects, deliveries, limit; PUT settings; POST orders, stock, empty, returns, ship, deliver, hold; all under
    /_sim/."""
    for name, tell in ASKED.items():
        sim.app.add_url_rule(f"/_sim/{name}", name, _told(sim, tell), methods=["GET"])
    for name, act in ACTS.items():
        sim.app.add_url_rule(f"/_sim/{name}", name, _done(sim, act), methods=["POST"])
    sim.app.add_url_rule("/_sim/settings", "switch", _done(sim, _switch), methods=["PUT"])


def _told(sim: ShipBobSimulator, tell: Callable[[ShipBobSimulator], Any]) -> Callable[[], Response]:
    def answer() -> Response:
        with sim.memory.lock:
            return jsonify(tell(sim))

    return answer


def _done(sim: ShipBobSimulator, act: Callable[[ShipBobSimulator, Row], Any]) -> Callable[[], Any]:
    def answer() -> Any:
        try:
            return jsonify(act(sim, request.get_json()))
        except ValueError as refused:
            return jsonify({"error": str(refused)}), 409

    return answer


ASKED: dict[str, Callable[[ShipBobSimulator], Any]] = {
    "effects": lambda sim: effects(sim.warehouse.orders()),
    "deliveries": lambda sim: {"attempts": sim.post.attempts, "never_sent": sim.post.never_sent},
    "limit": lambda sim: {"most": sim.window.most, "busiest": sim.window.busiest, "refused": sim.window.refused},
}


def _switch(sim: ShipBobSimulator, said: Row) -> Row:
    sim.settings.update(said)
    return {"set": sorted(said)}


def _order(sim: ShipBobSimulator, said: Row) -> Row:
    """An order from nobody, last touched at `updated_at` (ISO)."""
    number = sim.memory.next_id("placed")
    address = {"address1": "1 Example Road", "city": "Exampleton", "country": "DE"}
    body: Row = {"reference_id": f"SIM-{number}", "shipping_method": "Standard", "type": "DTC"}
    body["recipient"] = {"name": "Sam Example", "address": address}
    body["products"] = [{"reference_id": "WB-SIM", "name": "Simulated", "quantity": 1}]
    body |= said
    made = sim.warehouse.take(int(next(iter(sim.settings["channels"]))), body)
    if said.get("updated_at"):
        sim.warehouse.touch(made["id"], said["updated_at"])
    return made


def _stock(sim: ShipBobSimulator, said: Row) -> Row:
    return sim.warehouse.restock(said["sku"], int(said["on_hand"]), str(said.get("location", "11")), said.get("lots"))


def _empty(sim: ShipBobSimulator, said: Row) -> Row:
    """Nobody ever had any stock (until a restart)."""
    sim.memory.table("inventory").clear()
    return {"inventory": 0}


def _upon(act: Callable[[Warehouse, Row, Row], Any]) -> Callable[[ShipBobSimulator, Row], Any]:
    """An act upon the order of a reference; answers what it did, or the order."""

    def do(sim: ShipBobSimulator, said: Row) -> Any:
        found = sim.warehouse.by_reference(said["reference_id"])
        if not found:
            raise ValueError(f"there is no order {said['reference_id']}")
        return act(sim.warehouse, found[0], said) or found[0]

    return do


def _deliver(warehouse: Warehouse, order: Row, said: Row) -> None:
    for shipment in order["shipments"]:
        if shipment["status"] == "Completed" and not shipment["delivery_date"]:
            warehouse.deliver(order["id"], shipment["id"])


ACTS: dict[str, Callable[[ShipBobSimulator, Row], Any]] = {
    "orders": _order,
    "stock": _stock,
    "empty": _empty,
    "returns": arrive,
    "ship": _upon(lambda warehouse, order, said: warehouse.ship(order["id"], said.get("lines"))),
    "deliver": _upon(_deliver),
    "hold": _upon(lambda warehouse, order, said: warehouse.hold(order["id"])),
}
