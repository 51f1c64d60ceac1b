"""Who sent a delivery and what it is: Business Central signs nothing, but says the secret that it was given.

Source: https://learn.microsoft.com/en-us/dynamics365/business-central/dev-itpro/api-reference/v2.0/dynamics-subscriptions
(clientState "a shared secret, enabling the subscriber to verify notifications"; the validationToken of a handshake is
given back with 200). Nothing of a delivery is believed beyond which item to look at.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import simplejson

from connectors.kit.errors import Forged, Unreadable
from connectors.kit.receiver import Identity, Incoming, Receiver, Reply, Secret

LONGEST = 2048  # characters of a validation token that are given back
ENTITY = re.compile(r"\)/(\w+)")
SAID = ("subscriptionId", "resource", "changeType", "lastModifiedDateTime")


def prove(incoming: Incoming, secrets: Sequence[Secret], now: datetime) -> str:
    """The name of the secret that every notification of the delivery says. Raises Forged."""
    said = [str(one.get("clientState", "")) for one in _values(incoming.body) or ()]
    if not said:
        raise Forged("The delivery says no clientState.")
    for secret in secrets:
        fresh = secret.expires_at is None or now < secret.expires_at
        if fresh and secret.value and all(hmac.compare_digest(one.encode(), secret.value.encode()) for one in said):
            return secret.name
    raise Forged("The clientState is none of the secrets that are valid now.")


def identify(incoming: Incoming) -> Identity:
    """A retry says the same of the same entities. The topic is the entity set (several, joined by commas). Raises Unreadable."""
    values = _values(incoming.body)
    if not values:
        raise Unreadable("The delivery names no entity.", field="value")
    seen = [[str(one.get(name, "")) for name in SAID] for one in values]
    mark = hashlib.sha256(simplejson.dumps(seen, sort_keys=True).encode()).hexdigest()[:40]
    found = [ENTITY.search(str(one.get("resource", ""))) for one in values]
    topics = sorted({one[1] for one in found if one is not None})
    at = max(str(one.get("lastModifiedDateTime", "")) for one in values)
    return Identity(mark, ",".join(topics), triggered_at=at)


def handshake(incoming: Incoming, secrets: Sequence[Secret]) -> Reply | None:
    """POST ?validationToken=...: the token is given back as plain text with 200, at each creation and renewal."""
    token = incoming.query.get("validationToken", "")
    return Reply(token.encode()) if token and len(token) <= LONGEST else None


def _values(body: bytes) -> list[Mapping[str, Any]] | None:
    try:
        told = simplejson.loads(body)
    except (ValueError, UnicodeDecodeError):
        return None
    values = told.get("value") if isinstance(told, Mapping) else None
    if not isinstance(values, list) or not all(isinstance(one, Mapping) for one in values):
        return None
    return values


# A handshake has no body, and so perhaps no content type: the manual does not say.
RECEIVER = Receiver(
    prove, identify, handshake, content_types=("application/json", "text/plain", ""), max_body=5_000_000
)
