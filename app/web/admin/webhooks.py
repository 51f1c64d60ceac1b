"""Webhooks out: who is told of what and where, what became of each event, and the buttons that replay, replace and switch off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from flask import abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from app.accounts import listeners
from app.accounts.listeners import Listener
from app.bell import ring
from app.database import transaction
from app.journal import actions
from app.journal.reading import told
from app.journal.reading.words import LABEL
from app.web import listening
from app.web.admin.asking import back, given, many, reason
from app.web.admin.gate import Page, expose, me
from config.reader import config


class Webhooks(Page):
    needs: ClassVar = {
        "index": "viewer",
        "additions": "admin",
        "secrets": "admin",
        "switches": "operator",
        "withdrawals": "admin",
        "replays": "operator",
        "again": "support",
    }

    @expose("/")
    def index(self) -> ResponseReturnValue:
        return self._page()

    def _page(self, secret: str = "", url: str = "") -> ResponseReturnValue:
        said = given("account", "listener", "state")
        with transaction() as tx:
            known = listeners.everyone(tx)
            page = told.tellings(tx, **said)
        accounts = [name for name in config().accounts if listeners.may_listen(name)]
        shown: dict[str, Any] = {"secret": secret, "url": url, "events": listeners.EVENTS, "accounts": accounts}
        names = {one.id: one.shown for one in known}
        return str(self.render("webhooks.html", known=known, page=page, said=said, names=names, labels=LABEL, **shown))

    @expose("/", methods=("POST",))
    def additions(self) -> ResponseReturnValue:
        """The secret stands on this answer and nowhere else."""
        account, url = (request.form.get(name, "").strip()[:2000] for name in ("account", "url"))
        if account not in config().accounts or not listeners.may_listen(account):
            return back("That account's partner cannot be told of events.", "bad", "webhooks.index")
        try:
            with transaction() as tx:
                made, secret = listening.subscribe(tx, account, url, request.form.getlist("events"), me().login)
        except listeners.Wrong as wrong:
            return back(str(wrong), "bad", "webhooks.index")
        return self._page(secret, made.shown)

    @expose("/<listener>/secrets", methods=("POST",))
    def secrets(self, listener: str) -> ResponseReturnValue:
        why = reason()
        with transaction() as tx:
            found = _there(tx, listener)
            secret = listening.rotate(tx, listener, me().login, why)
        return self._page(secret, found.shown)

    @expose("/<listener>/switches", methods=("POST",))
    def switches(self, listener: str) -> ResponseReturnValue:
        why = reason()
        with transaction() as tx:
            found = _there(tx, listener)
            listening.switch(tx, found, not found.active, me().login, why)
        return back(f"{found.shown} is {'told no more' if found.active else 'told again'}.", fallback="webhooks.index")

    @expose("/<listener>/withdrawals", methods=("POST",))
    def withdrawals(self, listener: str) -> ResponseReturnValue:
        why = reason()
        with transaction() as tx:
            found = _there(tx, listener)
            listening.withdraw(tx, found, me().login, why)
        return back(f"{found.shown} is forgotten.", fallback="webhooks.index")

    @expose("/<listener>/replays", methods=("POST",))
    def replays(self, listener: str) -> ResponseReturnValue:
        """What was given up in the last hours goes out again."""
        why = reason()
        hours = request.form.get("hours", "")
        since = datetime.now(UTC) - timedelta(hours=min(int(hours), 24 * 90) if hours.isdigit() else 24)
        with transaction() as tx:
            found = _there(tx, listener)
            n, rings = listening.replay(tx, found, since, me().login, why, only_failed=True)
        ring(rings)
        return back(f"{many(n, 'event')} will be sent again.", fallback="webhooks.index")

    @expose("/events/<int:step>/replays", methods=("POST",))
    def again(self, step: int) -> ResponseReturnValue:
        """One event, whether it was taken or given up: its receiver knows it by its webhook-id."""
        why = reason()
        with transaction() as tx:
            rings = actions.retry(tx, told.only(tx, [step]), me().login, why, again=True)
        ring(rings)
        return back("The event will be sent again, under the same webhook-id.", fallback="webhooks.index")


def _there(tx: Connection, name: str) -> Listener:
    found = listeners.one(tx, name)
    return found if found is not None else abort(404)
