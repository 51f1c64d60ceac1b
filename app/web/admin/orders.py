"""Orders: found by any number, and each on one page with all that became of it."""

from __future__ import annotations

from secrets import token_hex
from typing import ClassVar

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from app.bell import Ring
from app.customers import identity
from app.database import transaction
from app.journal.reading import order as reading
from app.journal.reading import orders, timeline
from app.journal.reading.rows import by_key, number
from app.orders import calling_off, cancelling, money
from app.orders import reading as living
from app.orders.holds import REASONS
from app.orders.refused import Refused
from app.orders.speaking import Speaker
from app.orders.whereabouts import whereabouts
from app.web import looked
from app.web.admin import coming_back, showing
from app.web.admin.asking import back, given, reason
from app.web.admin.gate import Page, expose, me
from app.web.admin.holds import HOURS
from app.web.admin.speaking import pieces, said, word
from app.web.where import link
from config.reader import config
from connectors.canonical.order import CancelReason

STATES = ("open", "partly shipped", "shipped", "cancelled")


class Orders(Page):
    needs: ClassVar = {"index": "viewer", "one": "viewer", "cancellations": "operator", "reductions": "operator"}

    @expose("/")
    def index(self) -> ResponseReturnValue:
        words = request.args.get("q", "").strip()
        filters = given("account", "state", "lot", "attention")
        place = ""
        with transaction() as tx:
            if words:
                found = orders.search(tx, words, list(config().accounts), personal=me().may("support"))
                page, place = found.page, found.place
            elif filters.get("attention"):
                page = orders.needing(tx, number(request.args.get("before")))
            else:
                page = orders.newest(tx, filters)
        if words and len(page.rows) == 1:
            return redirect(url_for("orders.one", waybill=page.rows[0].waybill, found=place))
        names = list(config().accounts)
        shown = {"page": page, "word": words, "place": place, "said": filters, "accounts": names, "states": STATES}
        return str(self.render("orders.html", **shown, hidden=_hide))

    @expose("/<waybill>")
    def one(self, waybill: str) -> ResponseReturnValue:
        with transaction() as tx:
            page = reading.order(tx, waybill)
            if page is None:
                abort(404)
            if me().may("support"):
                looked.note(tx, me().login, page.subject.waybill)
            life = living.life(tx, page.subject.id, page.document)
            told = whereabouts(tx, page.subject.waybill)
            customer = identity.of_order(tx, page.subject.id)
            coming = coming_back.of(tx, page.document, life.returns) if page.document else None
        stands = timeline.stands(page)
        return str(
            self.render(
                "order.html",
                page=page,
                life=life,
                customer=customer,
                told=told,
                coming=coming,
                public=link(page.subject.waybill) if told else "",
                hold_reasons=REASONS,
                cancel_reasons=cancelling.REASONS,
                by_api=calling_off.by_api(page.subject.roles),
                here=calling_off.cancellable(page.document) if page.document else {},
                fresh=token_hex(8),
                hold_hours=HOURS,
                order=page.document,
                headline=timeline.headline(page),
                runs=[(run, [s for s in stands if s.step.run_id == run.id]) for run in page.runs],
                lanes=timeline.lanes(page),
                items=timeline.timeline(page),
                equation=showing.equation(page.document) if page.document else (),
                links=by_key(page.links, "account"),
                personal=me().may("support"),
                hidden=_hide,
                settled=timeline.SETTLED,
            )
        )

    @expose("/<waybill>/cancellations", methods=("POST",))
    def cancellations(self, waybill: str) -> ResponseReturnValue:
        """The whole order is cancelled in its channel, or a sentence says why it cannot be."""
        why, kind = reason(), request.form.get("kind", "")
        if kind not in set(CancelReason):
            abort(400, "A cancellation needs one of the reasons offered.")
        try:
            with transaction() as tx:
                asked = cancelling.ask(tx, waybill, CancelReason(kind), me().login, why)
        except Refused as refused:
            return back(refused.sentence, "bad", "orders.index")
        paid = "by the hub" if money.refunds(asked.account) else f"in {asked.account}, by whoever does it there"
        told = f"{asked.account} is told within seconds; its own word then ends all else. What was paid is given back {paid}."
        return back(told, fallback="orders.index")

    @expose("/<waybill>/reductions", methods=("POST",))
    def reductions(self, waybill: str) -> ResponseReturnValue:
        """Pieces by line, or all of it, are taken off an order whose channel tells us by our own API."""
        why, kind, key, whole = reason(), word("kind", 20), word("key"), bool(word("whole"))
        lines = {line: many for line, many in pieces().items() if many}
        if kind not in set(CancelReason) or whole is bool(lines):
            abort(400, "Say how many pieces of which line, or all of it, and one of the reasons offered.")
        words = cancelling.REASONS[CancelReason(kind)]

        def act(tx: Connection, who: Speaker) -> list[Ring]:
            return calling_off.at_the_desk(tx, waybill, lines, words, key, who.name, why)

        told = "It is taken off within seconds: the shelf, the books and the warehouse hear of it."
        return said(waybill, act, told, "orders.index")


def _hide(word: str) -> str:
    return showing.hidden(word or "", me().may("support"))
