"""Speaking for a location at the desk: what a person says of a request or a return, refused where it cannot be or is another's to say."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from flask import abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from app.bell import Ring, ring
from app.database import transaction
from app.orders import speaking
from app.orders.refused import Refused
from app.orders.speaking import Speaker
from app.web.admin.asking import back
from app.web.admin.gate import me


def said(
    about: str, call: Callable[[Connection, Speaker], list[Ring]], told: str | Callable[[], str], fallback: str
) -> ResponseReturnValue:
    """Carries out what somebody says of a request or a return (`about` is its number), and rings after the commit."""
    who = Speaker(me().login, desk=True)
    try:
        with transaction() as tx:
            rings = call(tx, who)
    except Refused as refused:
        with transaction() as tx:
            speaking.note(tx, who, about, refused)
        return back(refused.sentence, "bad", fallback)
    ring(rings)
    return back(told if isinstance(told, str) else told(), fallback=fallback)


def word(name: str, most: int = 200) -> str:
    """A field of the form."""
    return request.form.get(name, "").replace("\x00", "").strip()[:most]


def pieces(prefix: str = "pieces:") -> dict[str, Decimal]:
    """Line id -> pieces, of the fields that were filled in; none means all."""
    return {
        name.removeprefix(prefix): amount(value)
        for name, value in request.form.items()
        if name.startswith(prefix) and value.strip()
    }


def amount(said: str) -> Decimal:
    """A number of pieces as it stands in a form; 400 for anything else."""
    try:
        found = Decimal(said.strip())
    except InvalidOperation:
        abort(400, "Pieces are a number.")
    if not found.is_finite() or not 0 <= found < 10**9:
        abort(400, "Pieces are a number.")
    return found
