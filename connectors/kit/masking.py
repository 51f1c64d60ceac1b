"""Headers and addresses as they may be kept: without the secrets that some carry."""

from __future__ import annotations

import re
from collections.abc import Mapping

SECRET_HEADERS = frozenset(
    ("authorization", "cookie", "set-cookie", "x-csrf-token", "x-auth-token", "x-shopify-access-token")
)


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without the secrets that some carry."""
    return {k.lower(): "***" if _is_secret(k.lower()) else str(v) for k, v in headers.items()}


def _is_secret(name: str) -> bool:
    return name in SECRET_HEADERS or any(word in name for word in ("token", "secret", "api-key", "hmac", "signature"))


# A presigned address opens what it names to whoever has it.
SIGNED = re.compile(r"(?i)([?&](?:x-amz-(?:signature|credential|security-token)|signature|sig)=)[^&#]*")


def closed_url(url: str) -> str:
    """An address that somebody else chose, as it may be shown: what its query holds may be a key to their house, whatever it is called."""
    address, mark, query = url.partition("?")
    kept = [f"{part.partition('=')[0]}=***" if "=" in part else "***" for part in query.split("&") if part]
    return f"{address}{mark}{'&'.join(kept)}"


def masked_url(url: str) -> str:
    """An address without the signature that it may carry."""
    return SIGNED.sub(r"\1***", url)
