"""A partner's server: it takes events at /events, proves their signature, and does each once by its webhook-id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Response, jsonify, request
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connectors.kit.simulator import Memory, Simulator

SECRET = "whsec_YSBwYXJ0bmVyIGZvciB0ZXN0cyBvbmx5LCBub2JvZHk="


def create(settings: Mapping[str, Any]) -> Simulator:
    """A partner with these settings: `secrets` (any of which proves an event), `answers` (a status to give instead of 204),
    `path` (memory file). PUT /_sim/orders/<id> keeps what it sold, for whoever counts."""
    path = settings.get("path")
    simulator = Simulator("direct", Memory(Path(path) if path else None), key_header="webhook-id")
    secrets: list[str] = list(settings.get("secrets", (SECRET,)))
    simulator.memory.put("settings", "answers", settings.get("answers", 204))

    @simulator.operation("/events", "webhooks.send", ["POST"], write=True)
    def take() -> Response:
        body = request.get_data(as_text=True)
        with simulator.memory.lock:
            known = simulator.memory.table("secrets").get("all", secrets)
        if not any(_proved(secret, body) for secret in known):
            return simulator.refuse(400, "The signature proves nothing.")
        status = int(simulator.memory.table("settings")["answers"])
        if status >= 300:
            return simulator.refuse(status, "Not here.")
        _do(simulator, request.headers["webhook-id"], json.loads(body))
        return Response(status=status)

    @simulator.app.put("/_sim/secrets")
    def replaced() -> Response:
        simulator.memory.put("secrets", "all", list(request.get_json()))
        return jsonify({})

    @simulator.app.put("/_sim/answers")
    def answers() -> Response:
        simulator.memory.put("settings", "answers", int(request.get_json()))
        return jsonify({})

    @simulator.app.put("/_sim/<any(orders, notes):table>/<name>")
    def kept(table: str, name: str) -> Response:
        simulator.memory.put(table, name, request.get_json())
        return jsonify({})

    @simulator.app.get("/_sim/effects")
    def effects() -> Response:
        """Each event by type and order, with how often it was done; and how often it was told."""
        with simulator.memory.lock:
            done = dict(simulator.memory.table("effects"))
        return jsonify({"events": done})

    return simulator


def _proved(secret: str, body: str) -> bool:
    try:
        Webhook(secret).verify(body, dict(request.headers))
    except WebhookVerificationError:
        return False
    return True


def _do(simulator: Simulator, name: str, event: Mapping[str, Any]) -> None:
    with simulator.memory.lock:
        if name in simulator.memory.table("seen"):
            return
        simulator.memory.put("seen", name, event)
        about = f"{event['type']}:{event['data']['id']}:{event['data'].get('shipment', {}).get('id', '')}".rstrip(":")
        simulator.memory.put("effects", about, int(simulator.memory.table("effects").get(about, 0)) + 1)
