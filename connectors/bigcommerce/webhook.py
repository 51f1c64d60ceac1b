"""A BigCommerce delivery is proved as a Standard Webhook under the app's client secret and identified by its headers.

Source: bigcommerce/docs, docs/integrations/webhooks/https-webhook-overview.mdx ("Webhook signature"): the standardwebhooks
library is given base64(client_secret), so the key is the client secret's own bytes; id, time stamp and body are signed,
and the time stamp protects against replay (the library's tolerance is five minutes).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import simplejson

from connectors.kit.errors import Forged, Unreadable
from connectors.kit.receiver import Identity, Incoming, Receiver, Secret
from connectors.kit.signatures import prove_base64_hmac

WINDOW = 300.0


def prove(incoming: Incoming, secrets: Sequence[Secret], now: datetime) -> str:
    """The name of the client secret that signed "id.timestamp.body". Raises Forged."""
    name, stamp = _header(incoming, "webhook-id"), _header(incoming, "webhook-timestamp")
    if abs((now - _moment(stamp)).total_seconds()) > WINDOW:
        raise Forged("The delivery's time stamp is too far from now to be fresh.", code="stale")
    signed = f"{name}.{stamp}.".encode() + incoming.body
    for signature in _header(incoming, "webhook-signature").split():
        scheme, _, given = signature.partition(",")
        try:
            if scheme == "v1":
                return prove_base64_hmac(given, signed, secrets, now)
        except Forged:
            continue
    raise Forged("The signature matches none of the secrets that are valid now.")


def _header(incoming: Incoming, name: str) -> str:
    value = incoming.headers.get(name, "")
    if not value:
        raise Forged(f"The delivery carries no {name}.")
    return value


def _moment(text: str) -> datetime:
    if not text.isascii() or not text.isdigit() or len(text) > 11:
        raise Forged("The delivery bears no time stamp.")
    return datetime.fromtimestamp(int(text), UTC)


def identify(incoming: Incoming) -> Identity:
    """Its id in the header is the same over retries; scope and object stand in the body. Raises Unreadable."""
    try:
        body = simplejson.loads(incoming.body)
    except (ValueError, UnicodeDecodeError) as error:
        raise Unreadable("The body is no JSON.", field="") from error
    if not isinstance(body, dict) or not isinstance(body.get("scope"), str):
        raise Unreadable("The delivery says no scope.", field="scope")
    data = body.get("data")
    subject = str(data.get("id", "")) if isinstance(data, dict) else ""
    name = incoming.headers.get("webhook-id", "")
    if not name:
        raise Unreadable("The delivery carries no webhook-id.", field="webhook-id")
    return Identity(name, body["scope"], subject, str(body.get("created_at", "")))


RECEIVER = Receiver(prove=prove, identify=identify, max_body=200_000)
