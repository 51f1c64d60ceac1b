"""Fulfilments: what locations were asked for, and what a person says for one that has no other way, or that does not answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from flask import abort
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, text

from app.bell import Ring, ring
from app.database import transaction
from app.journal.reading.rows import paged
from app.orders import deciding, fulfilling, fulfilments, pickups, planning, sharing, speaking, supplying, todo
from app.orders.fulfilments import OPEN
from app.orders.speaking import Speaker
from app.web import looked
from app.web.admin.asking import back, given, reason
from app.web.admin.gate import Page, expose, me
from app.web.admin.speaking import pieces, said, word

LISTED = """
SELECT f.id, f.number, f.location, f.account, f.method, f.state, f.round, f.why, f.rules, f.updated_at, b.waybill, b.number AS order_number,
    (SELECT min(d.due_at) FROM deadlines d WHERE d.subject_id = f.subject_id AND d.part = f.number AND d.state = 'open') AS due_at
FROM fulfilments f JOIN subjects b ON b.id = f.subject_id
"""
# As the index of what is open has it (migrations/sql/0014_faces.sql).
WAITS = "f.account = '' AND f.state IN ('proposed', 'requested', 'accepted', 'picked', 'packed', 'ready', 'no_show')"
FILTERS = {"before": "f.id < :before", "state": f"{WAITS} AND f.state = :state", "location": "f.location = :location"}
SAID = text("""
SELECT at, who, action, reason FROM audit WHERE object = :order AND after->>'fulfilment' = :number ORDER BY id DESC LIMIT 100
""")
LONGER = 2 * 86400.0


@dataclass(frozen=True, slots=True)
class Listed:
    id: int
    number: str
    location: str
    account: str
    method: str
    state: str
    round: int
    why: str
    rules: str
    updated_at: datetime
    waybill: str
    order_number: str | None
    due_at: datetime | None


class Fulfilments(Page):
    needs: ClassVar = {
        "index": "viewer",
        "one": "viewer",
        "acceptances": "support",
        "acknowledgements": "support",
        "rejections": "support",
        "picks": "support",
        "packs": "support",
        "substitutions": "support",
        "preparations": "support",
        "collections": "support",
        "refusals": "support",
        "no_shows": "support",
        "extensions": "support",
        "returns": "support",
        "shipments": "support",
        "sourcing": "support",
        "reassignments": "support",
        "waits": "support",
    }

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """The newest requests to locations, or what waits in one state."""
        asked = given("state", "location")
        with transaction() as tx:
            page = paged(tx, Listed, LISTED, FILTERS, asked, "f.id DESC")
        return str(self.render("fulfilments.html", page=page, said=asked, states=sorted(OPEN)))

    @expose("/<number>")
    def one(self, number: str) -> ResponseReturnValue:
        """What was asked for, what is waited for, and what can be said of it now."""
        personal = me().may("support")
        with transaction() as tx:
            found = todo.numbered(tx, number.upper())
            if found is None:
                abort(404)
            waybill = found.fulfilment.number.partition("-")[0]
            if personal and found.person:
                looked.note(tx, me().login, waybill)
            short = deciding.undecided(tx, found.fulfilment, found.order)
            told = tx.execute(SAID, {"order": f"order:{waybill}", "number": found.fulfilment.number}).all()
        shown = {"told": found, "one": found.fulfilment, "waybill": waybill, "personal": personal, "short": short}
        return str(self.render("fulfilment.html", **shown, history=told if personal else ()))

    # ---- what a location says, said for it by a person

    @expose("/<number>/acceptances", methods=("POST",))
    def acceptances(self, number: str) -> ResponseReturnValue:
        return _for_a_reason(number, "accept", fulfilling.accept, "It is accepted.")

    @expose("/<number>/acknowledgements", methods=("POST",))
    def acknowledgements(self, number: str) -> ResponseReturnValue:
        """A supplier's word by telephone; what he does not send is offered elsewhere."""
        why, promised = reason(), pieces("promised:") or None
        return _said(
            number,
            "acknowledge",
            lambda tx, who: supplying.acknowledge(tx, number, who, promised, None, why),
            "The purchase order is acknowledged.",
        )

    @expose("/<number>/rejections", methods=("POST",))
    def rejections(self, number: str) -> ResponseReturnValue:
        why, some = reason(), pieces()
        told = "The pieces are offered elsewhere."
        return _said(number, "reject", lambda tx, who: sharing.reject(tx, number, who, why, some), told)

    @expose("/<number>/picks", methods=("POST",))
    def picks(self, number: str) -> ResponseReturnValue:
        return _for_a_reason(number, "pick", fulfilling.pick, "It is picked.")

    @expose("/<number>/packs", methods=("POST",))
    def packs(self, number: str) -> ResponseReturnValue:
        return _for_a_reason(number, "pack", fulfilling.pack, "It is packed.")

    @expose("/<number>/substitutions", methods=("POST",))
    def substitutions(self, number: str) -> ResponseReturnValue:
        why, line, sku = reason(), word("line"), word("sku")
        told = f"{sku} goes out in its place."
        return _said(number, "substitute", lambda tx, who: fulfilling.substitute(tx, number, who, line, sku, why), told)

    @expose("/<number>/preparations", methods=("POST",))
    def preparations(self, number: str) -> ResponseReturnValue:
        why = reason()

        def ready(tx: Connection, who: str) -> list[Ring]:
            return pickups.ready(tx, number, who, pickups.keeps_for(tx, fulfilling.spoken(tx, number).location), why)

        return _said(number, "ready", ready, "It is set out; the customer is told.")

    @expose("/<number>/collections", methods=("POST",))
    def collections(self, number: str) -> ResponseReturnValue:
        why, code, some = reason(), word("code", 20), pieces()
        told = "It is handed over."
        return _said(number, "collect", lambda tx, who: sharing.collect(tx, number, who, code, some, why), told)

    @expose("/<number>/refusals", methods=("POST",))
    def refusals(self, number: str) -> ResponseReturnValue:
        """What a customer does not want of a pickup."""
        why, some = reason(), pieces()
        told = "It lies on the shelf again; what was paid for it is given back."
        return _said(number, "refuse", lambda tx, who: sharing.refuse(tx, number, who, why, some), told)

    @expose("/<number>/no-shows", methods=("POST",))
    def no_shows(self, number: str) -> ResponseReturnValue:
        told = "Nobody fetched it: keep it longer, or put it back."
        return _for_a_reason(number, "no_show", pickups.not_collected, told)

    @expose("/<number>/extensions", methods=("POST",))
    def extensions(self, number: str) -> ResponseReturnValue:
        why = reason()
        told = "It is kept for two more days."
        return _said(number, "extend", lambda tx, who: pickups.extend(tx, number, who, why, LONGER), told)

    @expose("/<number>/returns", methods=("POST",))
    def returns(self, number: str) -> ResponseReturnValue:
        told = "It goes back on the shelf; cancel the pieces in the channel, so that the customer is paid back."
        return _for_a_reason(number, "put_back", pickups.put_back, told)

    @expose("/<number>/shipments", methods=("POST",))
    def shipments(self, number: str) -> ResponseReturnValue:
        why, some, tracking = reason(), pieces(), {"number": word("tracking"), "carrier": word("carrier", 80)}
        trackings = [tracking] if tracking["number"] else []
        told = "It has left."
        return _said(number, "ship", lambda tx, who: sharing.ship(tx, number, who, trackings, some, why), told)

    @expose("/<number>/reassignments", methods=("POST",))
    def reassignments(self, number: str) -> ResponseReturnValue:
        """A connected location has said by telephone that it will not send these pieces."""
        told = "The pieces are asked of others."
        return _for_a_reason(number, "reject", deciding.elsewhere, told)

    @expose("/<number>/waits", methods=("POST",))
    def waits(self, number: str) -> ResponseReturnValue:
        return _for_a_reason(number, "reject", deciding.wait, "The case says who waits, and why.")

    @expose("/<waybill>/sourcing", methods=("POST",))
    def sourcing(self, waybill: str) -> ResponseReturnValue:
        why = reason()
        with transaction() as tx:
            rings = planning.by_hand(tx, waybill, me().login, why)
        if rings is None:
            abort(404)
        ring(rings)
        return back("What nobody was asked for is sourced again.")


Word = Callable[[Connection, str, str, str], list[Ring]]  # (transaction, number, who, why)


def _for_a_reason(number: str, event: str, call: Word, told: str) -> ResponseReturnValue:
    """What needs nothing beside its reason."""
    why = reason()
    return _said(number, event, lambda tx, who: call(tx, number, who, why), told)


def _said(number: str, event: str, call: speaking.Say, told: str) -> ResponseReturnValue:
    def act(tx: Connection, who: Speaker) -> list[Ring]:
        found = fulfilments.locked(tx, number)
        speaking.must(tx, who, found.location, "fulfilment", event, number)
        return call(tx, who.name)

    return said(number, act, told, "fulfilments.index")
