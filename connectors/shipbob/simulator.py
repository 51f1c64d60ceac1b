"""A ShipBob one can talk to: its API 2026-01 over HTTP, a warehouse that picks by itself, webhooks to whoever
subscribed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.shipbob.simulator_api import OPERATIONS, ROOT, TOPICS
from connectors.shipbob.simulator_control import control
from connectors.shipbob.simulator_house import ShipBobSimulator, admitted

__all__ = ["OPERATIONS", "ROOT", "TOPICS", "ShipBobSimulator", "create"]


def create(settings: Mapping[str, Any]) -> ShipBobSimulator:
    """A simulated ShipBob. Settings (all optional):

    path               memory file
    token, read_token  with and without write scope (default "pat-demo", "pat-read")
    channels           {id: name} with write scope (default {"4001": "Waybill"})
    limit, window      so many calls in any so many seconds (150 in 60)
    webhook_url, webhook_secret  a first subscription, to all shipment topics and completed returns
    allow_http         subscriptions need not be https
    ship_after         seconds until an order is picked (None: only by POST /_sim/ship)
    deliver_after      seconds until what was shipped arrives (None: only by POST /_sim/deliver)
    partial_share, freight_share  of the orders go in two parts, of the shipments carry a PRO number too
    stock, default_stock          {sku: pieces}, and of products made from an order (1000)
    payload            "order": webhooks carry the whole order instead of the shipment
    retry_factor       squeezes the retry schedule
    duplicate_share, reorder_share (reorder_seconds), lost_share  of the webhooks come twice, late, never
    clock_skew         seconds that the stamps of webhooks are off
    """
    sim = ShipBobSimulator.made(dict(settings), [*TOPICS[:5], "return.completed"])
    for rule, name, method, write, handle in OPERATIONS:
        sim.operation(ROOT + rule, name, [method], write)(admitted(sim, handle))
    control(sim)
    return sim
