"""Many at once: what a filter takes is counted and shown before anybody presses, then followed while a worker does it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, text

from app.database import transaction
from app.journal import bulk
from app.journal.reading.words import LABEL
from app.web.admin.asking import back, reason
from app.web.admin.gate import Page, expose, me
from config.reader import config

ONE = text("SELECT * FROM bulk_actions WHERE id = :id")
NEWEST = text("SELECT * FROM bulk_actions ORDER BY id DESC LIMIT 50")
SPEED = text("""
SELECT count(*) / 900.0 AS per_second FROM attempts WHERE account = :account AND at > now() - interval '15 minutes' AND outcome IN ('done', 'found')
""")
ACTIONS = {"retry": bulk.RETRIED, "cancel": bulk.STATES}
SHOWN = 100_000  # a preview counts no further
NAMED = ("account", "flow", "name", "channel")


class Many(Page):
    needs: ClassVar = {
        "index": "viewer",
        "plan": "operator",
        "actions": "operator",
        "one": "viewer",
        "pauses": "operator",
        "resumptions": "operator",
        "stops": "operator",
    }

    @expose("/")
    def index(self) -> ResponseReturnValue:
        with transaction() as tx:
            rows = tx.execute(NEWEST).mappings().all()
        return str(self.render("bulk.html", rows=rows))

    @expose("/plan")
    def plan(self) -> ResponseReturnValue:
        """How many a filter takes, how long that will last, before anybody presses."""
        action, wanted = _asked(request.args)
        with transaction() as tx:
            count = bulk.preview(tx, wanted, SHOWN)
            lasts = _lasts(tx, wanted.account, count) if action == "retry" else None
        shown = {"action": action, "wanted": wanted, "count": count, "more": count >= SHOWN, "lasts": lasts}
        return str(
            self.render("bulk_plan.html", **shown, said=request.args, states=LABEL, accounts=[*config().accounts])
        )

    @expose("/", methods=("POST",))
    def actions(self) -> ResponseReturnValue:
        why = reason()
        action, wanted = _asked(request.form)
        with transaction() as tx:
            made = bulk.ask(tx, action, wanted, me().login, why, address=request.remote_addr or "")
        return redirect(url_for("bulk.one", action=made))

    @expose("/<int:action>")
    def one(self, action: int) -> ResponseReturnValue:
        with transaction() as tx:
            row = tx.execute(ONE, {"id": action}).mappings().first()
        if row is None:
            abort(404)
        share = min(1.0, row["done"] / row["found"]) if row["found"] else 1.0
        return str(self.render("bulk_one.html", row=row, percent=round(share * 100), busy=row["state"] == "open"))

    @expose("/<int:action>/pauses", methods=("POST",))
    def pauses(self, action: int) -> ResponseReturnValue:
        return _turned(action, "paused", "It waits until somebody resumes it.")

    @expose("/<int:action>/resumptions", methods=("POST",))
    def resumptions(self, action: int) -> ResponseReturnValue:
        return _turned(action, "open", "It goes on.")

    @expose("/<int:action>/stops", methods=("POST",))
    def stops(self, action: int) -> ResponseReturnValue:
        return _turned(action, "stopped", "It is stopped; what it did stays done.")


def _asked(said: Any) -> tuple[str, bulk.Filter]:
    """The action and the filter of an address or a form. Aborts with 400 on what is none."""
    action = said.get("action", "retry")
    if action not in ACTIONS:
        abort(400)
    state = said.get("state", "")
    states = (state,) if state else ACTIONS[action]
    if not set(states) <= set(ACTIONS[action]):
        abort(400)
    named = {name: said.get(name, "").replace("\x00", "")[:200] for name in NAMED}
    return action, bulk.Filter(**named, before=_older(said.get("older", "")), states=states, held=action == "cancel")


def _older(hours: str) -> datetime | None:
    """Made longer ago than so many hours; empty: of any age."""
    if not hours:
        return None
    if not hours.isdigit() or len(hours) > 5:
        abort(400)
    return datetime.now(UTC) - timedelta(hours=int(hours))


def _lasts(tx: Connection, account: str, count: int) -> float | None:
    """Seconds that it will take at the account's pace of the last quarter of an hour; None where nothing says."""
    if not account:
        return None
    pace = float(tx.execute(SPEED, {"account": account}).scalar_one())
    return count / pace if pace > 0 else None


def _turned(action: int, state: str, words: str) -> ResponseReturnValue:
    why = reason()
    with transaction() as tx:
        turned = bulk.turn(tx, action, state, me().login, why, address=request.remote_addr or "")
    return back(words if turned else "It has ended already.", "good" if turned else "warn", fallback="bulk.index")
