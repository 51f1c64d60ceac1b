"""What proves that a delivery is ShipBob's and says which it is: Standard Webhooks, secret by secret."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

from connectors.kit.errors import Forged, Unreadable
from connectors.kit.receiver import Identity, Incoming, Receiver, Secret

# https://developer.shipbob.com/webhooks: HMAC-SHA256 over "id.timestamp.body"; every attempt is stamped and signed
# when it is sent.
WINDOW = 300.0
PREFIX = "whsec_"


def prove(incoming: Incoming, secrets: Sequence[Secret], now: datetime) -> str:
    """The name of the secret that signed this delivery. Raises Forged when none did, or when its stamp is off by
    more than WINDOW."""
    stamp = _stamp(incoming)
    if abs((now - stamp).total_seconds()) > WINDOW:
        raise Forged("The delivery's time stamp is outside the window.", code="stale")
    signed = b".".join(
        (_header(incoming, "webhook-id").encode(), _header(incoming, "webhook-timestamp").encode(), incoming.body)
    )
    offered = [part[3:] for part in _header(incoming, "webhook-signature").split() if part.startswith("v1,")]
    for secret in secrets:
        if (secret.expires_at is None or now < secret.expires_at) and _matches(secret.value, signed, offered):
            return secret.name
    raise Forged("The signature matches none of the secrets that are valid now.")


def _matches(secret: str, signed: bytes, offered: Sequence[str]) -> bool:
    """Padding is not compared: ShipBob's own examples leave it out."""
    made = base64.b64encode(hmac.new(signing_key(secret), signed, sha256).digest()).decode().rstrip("=").encode()
    return any(hmac.compare_digest(made, one.rstrip("=").encode()) for one in offered)


def signing_key(secret: str) -> bytes:
    """The bytes behind `whsec_`, base64 decoded; a secret of another form is taken as it stands."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    coded = secret.removeprefix(PREFIX)
    try:
        return base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()


def _header(incoming: Incoming, name: str) -> str:
    value = incoming.headers.get(name, "")
    if not value:
        raise Forged(f"The delivery carries no {name}.")
    return value


def _stamp(incoming: Incoming) -> datetime:
    try:
        return datetime.fromtimestamp(int(_header(incoming, "webhook-timestamp")), UTC)
    except (ValueError, OverflowError, OSError):
        raise Forged("The delivery's time stamp is no time.") from None


def identify(incoming: Incoming) -> Identity:
    """Its id is the same over retries. Raises Unreadable where the headers do not name it."""
    for name in ("webhook-id", "x-webhook-topic"):
        if not incoming.headers.get(name):
            raise Unreadable(f"The delivery carries no {name}.", field=name)
    return Identity(
        incoming.headers["webhook-id"],
        incoming.headers["x-webhook-topic"],
        triggered_at=incoming.headers.get("webhook-timestamp", ""),
    )


RECEIVER = Receiver(prove=prove, identify=identify)
