"""Deliveries: what came in, how it was proved, what it led to; and the button that receives one again."""

from __future__ import annotations

from typing import ClassVar

from flask import abort
from flask.typing import ResponseReturnValue

from app.bell import ring_event
from app.database import transaction
from app.journal import actions
from app.journal.reading import counts, exchanges, lists
from app.journal.reading.timeline import EVENT
from app.web.admin import showing
from app.web.admin.asking import back, given, reason
from app.web.admin.gate import Page, expose, me
from config.reader import config

REPLAYABLE = ("quarantined", "ignored", "superseded")


class Events(Page):
    needs: ClassVar = {"index": "viewer", "one": "viewer", "replays": "operator"}

    @expose("/")
    def index(self) -> ResponseReturnValue:
        said = given("account", "state", "recovered")
        with transaction() as tx:
            page = lists.events(tx, said)
            refused = counts.refused(tx)
        names = list(config().accounts)
        return str(self.render("events.html", page=page, said=said, states=EVENT, accounts=names, refused=refused))

    @expose("/<int:event>")
    def one(self, event: int) -> ResponseReturnValue:
        with transaction() as tx:
            row = exchanges.event(tx, event)
            if row is None:
                abort(404)
            seen = exchanges.seen(tx, row)
            kept = exchanges.payloads(tx, "event", event)
            runs = exchanges.led_to(tx, event)
        personal = me().may("support")
        bodies = [(payload, showing.body(bytes(payload.body or b""), personal)) for payload in kept]
        shown = {"event": row, "seen": seen, "bodies": bodies, "runs": runs, "personal": personal}
        return str(self.render("event.html", **shown, states=EVENT, replayable=REPLAYABLE))

    @expose("/<int:event>/replays", methods=("POST",))
    def replays(self, event: int) -> ResponseReturnValue:
        why = reason()
        with transaction() as tx:
            again = actions.replay(tx, event, me().login, why)
        if not again:
            return back("Nothing was done: this delivery has its effects already.", "warn")
        ring_event(event)
        return back("The delivery is received again.")
