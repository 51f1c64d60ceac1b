"""What went wrong, by cause: who is asked to look, how many orders it holds up, and the buttons to retry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from app.bell import ring, ring_event
from app.database import transaction
from app.journal import actions, bulk
from app.journal.reading import causes
from app.web.admin.asking import back, chosen, given, many, reason
from app.web.admin.gate import Page, expose, me

ASSIGN = text(
    """UPDATE cases SET assignee = :who, status = CASE WHEN status = 'open' THEN 'acknowledged' ELSE status END
    WHERE id = :id"""
)


class Causes(Page):
    needs: ClassVar = {
        "index": "viewer",
        "one": "viewer",
        "plan": "operator",
        "retries": "support",
        "assignments": "support",
    }

    @expose("/")
    def index(self) -> ResponseReturnValue:
        said = given("owner", "kind", "account", "closed")
        with transaction() as tx:
            page = causes.cases(tx, said, said["before"])
            owners = causes.owners(tx)
        return str(self.render("causes.html", page=page, owners=owners, said=said))

    @expose("/<int:case>")
    def one(self, case: int) -> ResponseReturnValue:
        with transaction() as tx:
            row = causes.case(tx, case)
            if row is None:
                abort(404)
            page = causes.members(tx, case, request.args.get("after", "")[:200])
            risk = causes.at_risk(tx, case)
        return str(self.render("cause.html", case=row, page=page, risk=risk))

    @expose("/<int:case>/plan")
    def plan(self, case: int) -> ResponseReturnValue:
        """What retrying all would touch, before anybody presses."""
        with transaction() as tx:
            row = causes.case(tx, case)
            if row is None:
                abort(404)
            risk = causes.at_risk(tx, case)
        return str(self.render("plan.html", case=row, risk=risk))

    @expose("/<int:case>/retries", methods=("POST",))
    def retries(self, case: int) -> ResponseReturnValue:
        """Retries the marked members, or all of them (an operator's right)."""
        why = reason()
        everything = request.form.get("all") == "1"
        if everything and not me().may("operator"):
            abort(403)
        if everything:
            return redirect(url_for("bulk.one", action=_all(case, why)))
        done = _some(chosen("member"), why)
        return back(
            f"Asked for: {many(done, 'member')} will be tried as fast as the account allows.", fallback="causes.index"
        )

    @expose("/<int:case>/assignments", methods=("POST",))
    def assignments(self, case: int) -> ResponseReturnValue:
        with transaction() as tx:
            tx.execute(ASSIGN, {"id": case, "who": me().login})
            actions.audit(tx, me().login, "take case", f"case:{case}", request.form.get("reason", "")[:500])
        return back("You have it.")


def _all(case: int, why: str) -> int:
    """A worker does it, slice by slice: a long list holds up neither this request nor what comes in now. Answers the action's id."""
    with transaction() as tx:
        row = causes.case(tx, case)
        if row is None:
            abort(404)
        action = "replay" if row.kind == "quarantined" else "retry"
        wanted = bulk.Filter(case=case, states=bulk.RETRIED, held=False)
        return bulk.ask(tx, action, wanted, me().login, why, address=request.remote_addr or "", found=row.n)


def _some(members: Sequence[str], why: str) -> int:
    """Steps are retried, deliveries received again; what is neither is left alone."""
    parts = [member.partition(":") for member in members]
    steps = [int(key) for kind, _, key in parts if kind == "step" and key.isdigit()]
    events = [int(key) for kind, _, key in parts if kind == "event" and key.isdigit()]
    with transaction() as tx:
        rings = actions.retry(tx, steps, me().login, why) if steps else []
        again = [event for event in events if actions.replay(tx, event, me().login, why)]
    ring(rings)
    for event in again:
        ring_event(event)
    return len(steps) + len(again)
