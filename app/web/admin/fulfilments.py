"""Fulfilments: what a person may do about a request that a location does not answer, or a pickup that nobody fetches."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from flask import abort
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, text

from app.bell import Ring, ring
from app.database import transaction
from app.orders import fulfilling, planning
from app.orders.refused import Refused
from app.web.admin.asking import back, reason
from app.web.admin.gate import Page, expose, me

NEWEST = text("""
SELECT f.number, f.location, f.account, f.method, f.state, f.round, f.why, f.rules, f.updated_at, b.waybill, b.number AS order_number
FROM fulfilments f JOIN subjects b ON b.id = f.subject_id ORDER BY f.id DESC LIMIT 200
""")
LONGER = 2 * 86400.0


class Fulfilments(Page):
    needs: ClassVar = {
        "index": "viewer",
        "extensions": "support",
        "returns": "support",
        "rejections": "support",
        "sourcing": "support",
    }

    def is_visible(self) -> bool:
        return False

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """The newest requests to locations."""
        with transaction() as tx:
            rows = tx.execute(NEWEST).all()
        return str(self.render("fulfilments.html", rows=rows))

    @expose("/<number>/extensions", methods=("POST",))
    def extensions(self, number: str) -> ResponseReturnValue:
        why = reason()
        return _done(lambda tx: fulfilling.extend(tx, number, me().login, why, LONGER), "It is kept for two more days.")

    @expose("/<number>/returns", methods=("POST",))
    def returns(self, number: str) -> ResponseReturnValue:
        why = reason()
        told = "It goes back on the shelf; cancel the pieces in the channel, so that the customer is paid back."
        return _done(lambda tx: fulfilling.put_back(tx, number, me().login, why), told)

    @expose("/<number>/rejections", methods=("POST",))
    def rejections(self, number: str) -> ResponseReturnValue:
        why = reason()
        return _done(lambda tx: fulfilling.reject(tx, number, me().login, why), "The pieces are offered elsewhere.")

    @expose("/<waybill>/sourcing", methods=("POST",))
    def sourcing(self, waybill: str) -> ResponseReturnValue:
        why = reason()
        with transaction() as tx:
            rings = planning.by_hand(tx, waybill, me().login, why)
        if rings is None:
            abort(404)
        ring(rings)
        return back("What nobody was asked for is sourced again.")


def _done(call: Callable[[Connection], list[Ring]], told: str) -> ResponseReturnValue:
    try:
        with transaction() as tx:
            rings = call(tx)
    except Refused as refused:
        return back(refused.sentence, "bad")
    ring(rings)
    return back(told)
