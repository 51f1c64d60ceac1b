"""A Square delivery is proved over the address that Square was given and the raw body, and identified by its event id.

Source: ../shared/specs/square/square-webhooks-asyncapi.yml. Nothing that is signed says when it was sent: a replay is told by its event id.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import simplejson

from connectors.kit.errors import Forged, Unreadable
from connectors.kit.receiver import Identity, Incoming, Receiver, Secret
from connectors.kit.signatures import prove_base64_hmac

SIGNATURE = "x-square-hmacsha256-signature"


def prove(incoming: Incoming, secrets: Sequence[Secret], now: datetime) -> str:
    """The name of the signature key that signed address + body. Raises Forged."""
    given = incoming.headers.get(SIGNATURE, "")
    if not given:
        raise Forged(f"The delivery carries no {SIGNATURE}.")
    return prove_base64_hmac(given, incoming.url.encode() + incoming.body, secrets, now)


def identify(incoming: Incoming) -> Identity:
    """Its event id is the same over retries; Square's own examples give two topics one id, so the topic is part of it. Raises Unreadable."""
    try:
        body = simplejson.loads(incoming.body)
    except (ValueError, UnicodeDecodeError) as error:
        raise Unreadable("The body is no JSON.", field="") from error
    for name in ("event_id", "type"):
        if not isinstance(body, dict) or not isinstance(body.get(name), str) or not body[name]:
            raise Unreadable(f"The delivery says no {name}.", field=name)
    data = body.get("data")
    subject = str(data.get("id", "")) if isinstance(data, dict) else ""
    return Identity(f"{body['event_id']}:{body['type']}", body["type"], subject, str(body.get("created_at", "")))


RECEIVER = Receiver(prove=prove, identify=identify, max_body=500_000)
