"""Holds: an order is held or freed by a person, with the reason, the owner and the hour."""

from __future__ import annotations

from typing import ClassVar

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.bell import ring
from app.database import transaction
from app.journal.reading import order as reading
from app.orders import holds
from app.web.admin.asking import back, reason
from app.web.admin.gate import Page, expose, me

HOURS = (1, 4, 24, 72, 168)


class Holds(Page):
    needs: ClassVar = {"index": "viewer", "place": "support", "releases": "support"}

    def is_visible(self) -> bool:
        return False

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """What there is of these is reached from an order's page."""
        return redirect(url_for("orders.index"))

    @expose("/<waybill>", methods=("POST",))
    def place(self, waybill: str) -> ResponseReturnValue:
        why, kind = reason(), request.form.get("kind", "manual")
        hours = request.form.get("hours", "24")
        owner = request.form.get("owner", "").replace("\x00", "").strip()[:80] or me().login
        if kind not in holds.REASONS or hours not in {str(n) for n in HOURS}:
            abort(400, "A hold needs one of the reasons and hours offered.")
        with transaction() as tx:
            page = reading.order(tx, waybill)
            if page is None or page.document is None:
                abort(404)
            told = {"owner": owner, "seconds": int(hours) * 3600.0, "who": me().login, "note": why}
            made = holds.place_by_hand(tx, page.subject.waybill, page.subject.id, kind, **told)  # type: ignore[arg-type]
        return back("The order is held: what has not begun waits." if made else "It is held for that reason already.")

    @expose("/<int:hold>/releases", methods=("POST",))
    def releases(self, hold: int) -> ResponseReturnValue:
        why = reason()
        with transaction() as tx:
            rings = holds.release_by_hand(tx, hold, me().login, why)
        ring(rings or ())
        return back("Released: the order goes on." if rings is not None else "It was released already.")
