"""An address for webhooks that does what our web face does with one: shakes hands, proves, takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, Response, request

from connectors.business_central.webhook import RECEIVER
from connectors.kit.receiver import Incoming, Secret
from connectors.kit.simulator import serve
from tests.connectors.business_central.contract import CREDENTIALS
from tests.contract.samples import NOW

STATE = CREDENTIALS["client_state"]


@contextmanager
def hub(status: int = 200) -> Iterator[tuple[str, list[Incoming]]]:
    """What our web face does with a delivery: shake hands, prove, take."""
    app, taken, secrets = Flask("hub"), [], [Secret("new", STATE)]

    @app.post("/hooks/books")
    def hook() -> Response:
        came = Incoming("POST", request.url, request.args.to_dict(), {}, request.get_data())
        reply = RECEIVER.handshake(came, secrets)
        if reply is not None:
            return Response(reply.body, reply.status, content_type=reply.content_type)
        RECEIVER.prove(came, secrets, NOW)
        taken.append(came)
        return Response(status=status)

    server = serve(app, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks/books", taken
    finally:
        server.shutdown()
        server.server_close()
