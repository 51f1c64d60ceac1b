"""Feeds: price files and looks at catalogues, how far each is, its figures against the one before, what was refused, and who decides."""

from __future__ import annotations

from typing import ClassVar

from flask import Response, abort
from flask.typing import ResponseReturnValue

from app.catalogue import looks, price_activation, price_marks, price_reports, price_runs
from app.database import transaction
from app.stock import alignment
from app.web.admin.asking import back, reason
from app.web.admin.gate import Page, expose, me


class Feeds(Page):
    needs: ClassVar = {
        "index": "viewer",
        "one": "viewer",
        "report": "viewer",
        "approvals": "operator",
        "rejections": "operator",
        "rollbacks": "operator",
    }

    @expose("/")
    def index(self) -> ResponseReturnValue:
        with transaction() as tx:
            runs, waiting = price_runs.recent(tx), price_marks.pending(tx)
            shown = {"looks": alignment.recent(tx), "catalogues": looks.recent(tx), "sources": looks.sources()}
        return str(self.render("feeds.html", runs=runs, waiting=waiting, tones=TONES, **shown))

    @expose("/<int:run>")
    def one(self, run: int) -> ResponseReturnValue:
        with transaction() as tx:
            found = price_runs.one(tx, run)
            if found is None:
                abort(404)
            refused = price_runs.refused_lines(tx, run, SHOWN + 1)
            before = price_activation.previous(tx, found) if found.state == "active" else None
        shown = {"refused": refused[:SHOWN], "more": len(refused) > SHOWN, "before": before, "tones": TONES}
        return str(self.render("feed.html", run=found, figures=price_activation.figures(found), **shown))

    @expose("/<int:run>/report.csv")
    def report(self, run: int) -> ResponseReturnValue:
        """As it was laid beside the file."""
        with transaction() as tx:
            if price_runs.one(tx, run) is None:
                abort(404)
            body = price_reports.report(tx, run)
        named = {"Content-Disposition": f'attachment; filename="run-{run}.report.csv"'}
        return Response(body, content_type="text/csv; charset=utf-8", headers=named)

    @expose("/<int:run>/approvals", methods=("POST",))
    def approvals(self, run: int) -> ResponseReturnValue:
        return _decide(run, approve=True)

    @expose("/<int:run>/rejections", methods=("POST",))
    def rejections(self, run: int) -> ResponseReturnValue:
        return _decide(run, approve=False)

    @expose("/<int:run>/rollbacks", methods=("POST",))
    def rollbacks(self, run: int) -> ResponseReturnValue:
        why = reason()
        with transaction() as tx:
            to = price_activation.roll_back(tx, run, me().login, why)
        if to is None:
            return back("That run is not in force, or nothing was before it.", "bad", "feeds.index")
        return back(f"Run {to} is in force again; channels are told within seconds.", fallback="feeds.index")


def _decide(run: int, *, approve: bool) -> ResponseReturnValue:
    why = reason()
    with transaction() as tx:
        done = price_runs.decide(tx, run, me().login, why, approve=approve)
    if not done:
        return back("That run is not held any more.", "bad", "feeds.index")
    words = "is in force from the next minute" if approve else "is set aside: nothing of it is in force"
    return back(f"Run {run} {words}.", fallback="feeds.index")


SHOWN = 200
TONES = {
    "active": "good",
    "ready": "good",
    "held": "warn",
    "unreadable": "bad",
    "rejected": "bad",
    "rolled_back": "warn",
    "done": "good",
    "failed": "bad",
}
