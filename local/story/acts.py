"""The scenes of the day, in the order in which they are played."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable
from typing import Any

import requests

from local.story import plan
from local.story.calling_off import call_off
from local.story.catalogue import COUNTED, LIFE, NEW
from local.story.channels import Channel
from local.story.facts import whole
from local.story.life import scenes as life
from local.story.stage import Placed, Stage

Scene = Callable[[Stage], None]
SHIPPED_WITHIN = 45.0
ALSO_WITHIN = 15.0  # after that: what the other channels know to have left
CANCELLED, GIVEN, EDITED, CALLED_OFF = "cancelled later", "given back", "edited there", "called off"
# The shop's mail room on an ordinary day: some come twice, late, forged, or signed with the secret of before the rotation.
ORDINARY_MAIL = {
    "duplicates": 0.08,
    "reordered": 0.08,
    "hold": 1.5,
    "forged": 0.03,
    "old_share": 0.1,
    "never_sent": 0.0,
}


def opening(stage: Stage) -> None:
    stage.good_day()
    stage.mail_room(**ORDINARY_MAIL)
    known = stage.desks["shopify"].get("effects")["stock"]
    for sku in (*COUNTED, *(one.sku for one in LIFE)):
        if not any(name.startswith(f"{sku}@") for name in known):
            stage.desks["shopify"].post("products", {"sku": sku, "title": sku})
    stage.say("the shop opens; webhooks come twice, late, forged, or signed with the old secret now and then")
    for specs in (
        plan.TO_REFUND,
        plan.TO_REFUND_TENDERS,
        plan.NOT_MAPPED_YET,
        plan.NEVER_MAPPED,
        plan.TO_CALL_OFF,
        plan.TOO_FINE,
        plan.REFUSED,
    ):
        stage.place(specs)
    stage.place(plan.ordinary()[:40])


def beside(stage: Stage) -> None:
    """The other channels sell, too: ordinary orders, and those that something will happen to."""
    for channel in stage.channels:
        channel.opens(stage.desks[channel.system])
        kinds = {
            GIVEN: channel.to_refund,
            life.BROUGHT: channel.to_bring,
            EDITED: channel.to_change,
            CALLED_OFF: channel.to_call_off,
            "": channel.orders,
        }
        for kind, specs in {**kinds, CANCELLED: channel.to_cancel}.items():
            if specs:
                stage.sell(channel, specs, kind)
    if stage.channels:
        stage.say(f"customers order beside the web shop: at {', '.join(one.account for one in stage.channels)}")


def never_told(stage: Stage) -> None:
    stage.say(f"{len(plan.NEVER_TOLD)} orders whose webhooks never leave the shop: the poll must find them")
    stage.mail_room(never_sent=1.0)
    stage.place(plan.NEVER_TOLD)
    stage.mail_room(**ORDINARY_MAIL)


def overtaken(stage: Stage) -> None:
    stage.say(
        f"{len(plan.TO_CANCEL_AT_ONCE)} orders cancelled in the moment they are placed, their webhooks in any order"
    )
    stage.mail_room(reordered=1.0)
    for spec in plan.TO_CANCEL_AT_ONCE:
        stage.change(stage.place([spec]), "cancel", {"reason": "customer"})
    stage.mail_room(**ORDINARY_MAIL)


def busy(stage: Stage) -> None:
    stage.place(plan.TO_EDIT)
    stage.place(plan.TO_CANCEL_LATER)
    stage.say("a spell of 429 and 503 at the ERP, the warehouse and the shop")
    stage.faults("erp", _fault("throttle_silent", 0.2), _fault("unavailable", 0.15))
    stage.faults("shipbob", _fault("throttle", 0.2), _fault("unavailable", 0.2))
    stage.faults("shopify", _fault("unavailable", 0.2), _fault("throttle_silent", 0.1))
    stage.place(plan.ordinary()[40:90], pause=0.04)
    time.sleep(1.5)
    stage.good_day()
    stage.say("the spell is over")


def second_thoughts(stage: Stage) -> None:
    stage.say("customers think again: orders are edited and paid, and others cancelled after they were booked")
    edited, gone = stage.placed["edited after booking"], stage.placed["cancelled later"]
    stage.change(
        edited, "edit", {"add": [{"sku": "WB-SOAP", "quantity": 1}], "remove": [{"sku": "WB-CAP", "quantity": 1}]}
    )
    stage.change(gone, "cancel", {"reason": "customer"})
    for channel in stage.channels:
        stage.then(channel, channel.cancel, stage.sold(channel, CANCELLED))
        stage.then(channel, channel.change, stage.sold(channel, EDITED))
    time.sleep(1.1)  # the shop's clock counts whole seconds: a later change has a later one
    stage.change(edited, "pay", {})


def called_off(stage: Stage) -> None:
    stage.say("customer service has orders cancelled that cannot be delivered, each in the channel that sold it")
    for order in stage.placed[plan.TO_CALL_OFF[0]["kind"]]:
        call_off("shopify-main", str(order["id"]))
    for channel in stage.channels:
        for order in stage.sold(channel, CALLED_OFF):
            call_off(channel.account, channel.name(order))


def lost_answers(stage: Stage) -> None:
    stage.say("answers are lost: writes are done and never confirmed, or done only later")
    lost = {
        "commit_then_drop": _fault("commit_then_drop", 0.12, writes_only=True),
        "commit_late": _fault("commit_late", 0.05, value=1.0, writes_only=True),
        "drop": _fault("drop", 0.03, writes_only=True),
    }
    for system in ("erp", "shipbob", "shopify"):
        stage.faults(system, *lost.values())
    for channel in stage.channels:
        stage.faults(channel.system, *({**lost[kind], "operations": channel.lost_at} for kind in channel.lost_answers))
    stage.place(plan.ordinary()[90:], pause=0.04)
    time.sleep(2)


def late_index(stage: Stage) -> None:
    stage.say("and what was written cannot be found for a second")
    for system in ("erp", "shipbob", "shopify"):
        stage.faults(system, _fault("index_late", 1.0, value=1.0), _fault("commit_then_drop", 0.1, writes_only=True))
    time.sleep(4)
    stage.good_day()
    stage.say("every system is well again")


def counted(stage: Stage) -> None:
    stage.say("somebody counts the shelves of the warehouse")
    for pieces in (70, 64, 58):
        for sku in COUNTED:
            stage.desks["shipbob"].post("stock", {"sku": sku, "on_hand": pieces})
    doubtful(stage)


def doubtful(stage: Stage) -> None:
    """A delivery that the shop did sign, and that does not add up."""
    order: dict[str, Any] = stage.desks["shopify"].get("state")["orders"][str(stage.placed["plain"][0]["id"])]
    body = {name: value for name, value in order.items() if not name.startswith("_")}
    body |= {"id": 1, "name": "#does-not-add-up", "total_price": "1.00", "current_total_price": "1.00"}
    body |= {name: _cheap(order[name]) for name in ("total_price_set", "current_total_price_set")}
    raw = json.dumps(body, default=str).encode()
    proof = hmac.new(os.environ["SHOPIFY_MAIN_SECRET"].encode(), raw, hashlib.sha256).digest()
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Hmac-Sha256": base64.b64encode(proof).decode(),
        "X-Shopify-Webhook-Id": f"does-not-add-up-{time.time_ns()}",
        "X-Shopify-Shop-Domain": "waybill-demo.myshopify.com",
    }
    requests.post(f"{stage.web}/hooks/shopify-main", data=raw, headers=headers, timeout=10).raise_for_status()
    stage.say("an order comes in that does not add up: it is set aside")


def _cheap(money: dict[str, Any]) -> dict[str, Any]:
    return {name: {**one, "amount": "1.00"} for name, one in money.items()}


def mapped(stage: Stage) -> None:
    stage.say(
        "somebody enters WB-NEW in the ERP: its catalogue brings the name, and the orders that waited go on by themselves"
    )
    stage.erp.enters(NEW)


def money_back(stage: Stage) -> None:
    refunded, tenders = stage.placed["refunded after shipping"], stage.placed["refunded by two tenders"]
    shipped = _shipped(stage, [*refunded, *tenders])
    stage.say("customers get money back: for pieces, with shipping, through two tenders")
    for order in refunded:
        if order["id"] in shipped:
            stage.change([order], "refund", GIVEN_BACK[int(order["id"]) % len(GIVEN_BACK)])
    stage.change(
        [order for order in tenders if order["id"] in shipped], "refund", {"lines": [{"sku": "WB-BAG", "quantity": 1}]}
    )
    time.sleep(1.1)
    stage.change(
        [order for order in refunded[:2] if order["id"] in shipped],
        "refund",
        {"lines": [{"sku": "WB-SOAP", "quantity": 1}]},
    )
    for channel in stage.channels:
        stage.then(channel, channel.refund, gone(stage, channel, GIVEN))
    for channel in stage.channels:
        life.brought_back(stage, channel, gone(stage, channel, life.BROUGHT))


GIVEN_BACK = (
    {"lines": [{"sku": "WB-TEE", "quantity": 1}]},
    {"lines": [{"sku": "WB-MUG", "quantity": 2}], "shipping": True},
)


def _shipped(stage: Stage, orders: list[Placed]) -> set[str]:
    """Those of the orders that the shop knows to have left: at once when all have, else when patience ends."""
    until = time.monotonic() + SHIPPED_WITHIN
    while True:
        held = {order["id"]: order for order in stage.desks["shopify"].get("orders")}
        gone = {order["id"] for order in orders if held[order["id"]]["fulfillment_status"] == "fulfilled"}
        if len(gone) == len(orders) or time.monotonic() > until:
            return gone
        time.sleep(1)


def gone(stage: Stage, channel: Channel, kind: str) -> list[Placed]:
    """Those of its orders of this kind that the channel knows to have left, all of them or when patience ends."""
    until, orders = (
        time.monotonic() + (SHIPPED_WITHIN if kind == life.BROUGHT else ALSO_WITHIN),
        stage.sold(channel, kind),
    )
    while True:
        sent = {one.id for one in channel.sold(stage.desks[channel.system]) if whole(one)}
        gone = [order for order in orders if channel.name(order) in sent]
        if len(gone) == len(orders) or time.monotonic() > until:
            return gone
        time.sleep(1)


def _fault(kind: str, chance: float, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "chance": chance, **more}


SCENES: tuple[Scene, ...] = (
    opening,
    beside,
    life.opens,
    never_told,
    overtaken,
    busy,
    second_thoughts,
    called_off,
    life.rushed,
    life.supplied,
    life.stored,
    lost_answers,
    late_index,
    counted,
    mapped,
    money_back,
    life.returned,
)
