"""Hearing what a location says: for which places a key speaks, and what a refusal leaves behind."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response
from sqlalchemy import Connection

from app.database import transaction
from app.orders import speaking
from app.orders.refused import Refused
from app.orders.speaking import Speaker
from app.web.api import once
from app.web.api.door import me
from app.web.api.problems import Problem


def speaker() -> Speaker:
    """The key's partner, at the places that the key names."""
    return Speaker(me().name, frozenset(me().locations))


def heard(about: str, act: Callable[[Connection], Response]) -> Response:
    """Carries out what is said of a request or a return, once under its Idempotency-Key. Raises Problem 409 for what is refused."""
    try:
        return once.once(act)
    except Refused as refused:
        with transaction() as tx:
            speaking.note(tx, speaker(), about, refused)
        raise Problem(409, refused.code, refused.sentence) from None
