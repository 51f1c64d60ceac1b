"""Proofs that a body was signed with a secret we share, in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from connectors.kit.errors import Forged
from connectors.kit.receiver import Secret


def hmac_sha256(secret: str, signed: bytes) -> bytes:
    return hmac.new(secret.encode(), signed, hashlib.sha256).digest()


def base64_hmac(secret: str, signed: bytes) -> str:
    return base64.b64encode(hmac_sha256(secret, signed)).decode()


def prove_base64_hmac(signature: str, signed: bytes, secrets: Sequence[Secret], now: datetime) -> str:
    """The name of the secret under which base64(HMAC-SHA256) of `signed` is `signature`. Raises Forged.

    Several secrets hold at once during a rotation; each until its own expiry.
    """
    for secret in secrets:
        fresh = secret.expires_at is None or now < secret.expires_at
        if fresh and hmac.compare_digest(base64_hmac(secret.value, signed).encode(), signature.strip().encode()):
            return secret.name
    raise Forged("The signature matches none of the secrets that are valid now.")
