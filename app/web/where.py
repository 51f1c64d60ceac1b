"""Where is my order: one page for the customer, reached by a link that only who was given it can make up."""

from __future__ import annotations

import hashlib
import hmac

from flask import Blueprint, abort, current_app, render_template, url_for
from flask.typing import ResponseReturnValue

from app.database import transaction
from app.orders.whereabouts import whereabouts
from app.web.admin.door import brake

where = Blueprint("where", __name__, url_prefix="/where")


def code(waybill: str) -> str:
    """What the link proves itself with: an HMAC-SHA256 over the waybill number, 20 hex digits of it."""
    key = f"where:{current_app.config['SECRET_KEY']}".encode()
    return hmac.new(key, waybill.encode(), hashlib.sha256).hexdigest()[:20]


def link(waybill: str) -> str:
    return url_for("where.one", waybill=waybill, proof=code(waybill))


@where.get("/<waybill>/<proof>")
@brake.limit("60 per minute")
def one(waybill: str, proof: str) -> ResponseReturnValue:
    """A wrong link and an unknown order look the same."""
    if not hmac.compare_digest(code(waybill).encode(), proof.encode()):
        abort(404)
    with transaction() as tx:
        told = whereabouts(tx, waybill)
    if told is None:
        abort(404)
    page = render_template("where.html", told=told)
    return page, {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
