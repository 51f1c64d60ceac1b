"""Who sent a delivery and what it is: Standard Webhooks, two secrets during a rotation, and a handshake."""

from __future__ import annotations

import binascii
import hmac
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import simplejson
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from connectors.kit.errors import Forged, Unreadable
from connectors.kit.receiver import Identity, Incoming, Receiver, Reply, Secret

WINDOW = 300  # seconds; Acme signs a fresh timestamp at each retry (https://www.standardwebhooks.com, "Replay attacks")


def prove(incoming: Incoming, secrets: Sequence[Secret], now: datetime) -> str:
    """The name of the secret that signed "id.timestamp.body". Raises Forged.

    The library signs; its verify() is not used, since it reads its own clock and fails on header garbage.
    """
    sent = _sent_at(incoming.headers.get("webhook-timestamp", ""))
    if abs((now - sent).total_seconds()) > WINDOW:
        raise Forged("The delivery's timestamp is too far from now to be fresh.")
    given = incoming.headers.get("webhook-signature", "").split()
    for secret in secrets:
        if secret.expires_at is None or now < secret.expires_at:
            expected = _signature(secret.value, incoming, sent)
            if any(hmac.compare_digest(expected.encode(), signature.encode()) for signature in given):
                return secret.name
    raise Forged("The signature matches none of the secrets that are valid now.")


def _sent_at(text: str) -> datetime:
    if not text.isascii() or not text.isdigit() or len(text) > 11:
        raise Forged("The delivery bears no timestamp.")
    return datetime.fromtimestamp(int(text), UTC)


def _signature(secret: str, incoming: Incoming, sent: datetime) -> str:
    try:
        return Webhook(secret).sign(incoming.headers.get("webhook-id", ""), sent, incoming.body.decode())
    except UnicodeDecodeError as error:
        raise Forged("The body is no text, so Acme did not sign it.") from error
    except (binascii.Error, EmptyWebhookSecretError):
        return "no such secret"


def identify(incoming: Incoming) -> Identity:
    """Acme names a delivery in its headers and its topic in the body. Raises Unreadable."""
    try:
        body = simplejson.loads(incoming.body)
    except (ValueError, UnicodeDecodeError) as error:
        raise Unreadable("The body is no JSON.", field="") from error
    if not isinstance(body, dict) or not isinstance(body.get("type"), str):
        raise Unreadable("The delivery says no type.", field="type")
    data = body.get("data")
    subject = str(data.get("id", "")) if isinstance(data, dict) else ""
    return Identity(incoming.headers.get("webhook-id", ""), body["type"], subject, str(body.get("timestamp", "")))


def handshake(incoming: Incoming, secrets: Sequence[Secret]) -> Reply | None:
    """GET ?challenge=...: answered with its signature under each secret, so that only who shares one can answer."""
    challenge = incoming.query.get("challenge", "")
    if incoming.method != "GET" or not challenge:
        return None
    return Reply(" ".join(_signed_challenges(challenge, secrets)).encode())


def _signed_challenges(challenge: str, secrets: Sequence[Secret]) -> Iterator[str]:
    for secret in secrets:
        yield Webhook(secret.value).sign("challenge", datetime.fromtimestamp(0, UTC), challenge)


RECEIVER = Receiver(prove, identify, handshake)
