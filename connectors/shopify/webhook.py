"""A Shopify delivery is proved by its HMAC over the raw body and identified by its headers.

Source: https://shopify.dev/docs/apps/build/webhooks/subscribe/https (X-Shopify-Hmac-Sha256 is base64
HMAC-SHA256 with the app's client secret; for up to an hour after a rotation the old secret may still sign).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connectors.kit.errors import Forged, Unreadable
from connectors.kit.receiver import Identity, Incoming, Receiver, Secret
from connectors.kit.signatures import prove_base64_hmac


def prove(incoming: Incoming, secrets: Sequence[Secret], now: datetime) -> str:
    """The name of the secret that signed the body. Raises Forged."""
    signature = incoming.headers.get("x-shopify-hmac-sha256", "")
    if not signature:
        raise Forged("The delivery carries no X-Shopify-Hmac-Sha256.")
    return prove_base64_hmac(signature, incoming.body, secrets, now)


def identify(incoming: Incoming) -> Identity:
    """Delivery id (the same over retries) and topic. Raises Unreadable without them."""
    return Identity(
        delivery_id=_header(incoming, "x-shopify-webhook-id"),
        topic=_header(incoming, "x-shopify-topic"),
        triggered_at=incoming.headers.get("x-shopify-triggered-at", ""),
    )


def _header(incoming: Incoming, name: str) -> str:
    found = incoming.headers.get(name, "")
    if not found:
        raise Unreadable(f"The delivery carries no {name} header.", field=name)
    return found


# Retries keep the first body and carry no fresh timestamp, so there is no window.
RECEIVER = Receiver(prove=prove, identify=identify, max_body=5_000_000)
