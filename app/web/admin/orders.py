"""Orders: found by any number, and each on one page with all that became of it."""

from __future__ import annotations

from typing import ClassVar

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.customers import identity
from app.database import transaction
from app.journal.reading import order as reading
from app.journal.reading import orders, timeline
from app.journal.reading.rows import by_key, number
from app.orders import cancelling, money
from app.orders import reading as living
from app.orders.holds import REASONS
from app.orders.refused import Refused
from app.orders.whereabouts import whereabouts
from app.web import looked
from app.web.admin import showing
from app.web.admin.asking import back, given, reason
from app.web.admin.gate import Page, expose, me
from app.web.admin.holds import HOURS
from app.web.where import link
from config.reader import config
from connectors.canonical.order import CancelReason

STATES = ("open", "partly shipped", "shipped", "cancelled")


class Orders(Page):
    needs: ClassVar = {"index": "viewer", "one": "viewer", "cancellations": "operator"}

    @expose("/")
    def index(self) -> ResponseReturnValue:
        word = request.args.get("q", "").strip()
        said = given("account", "state", "attention")
        place = ""
        with transaction() as tx:
            if word:
                found = orders.search(tx, word, list(config().accounts), personal=me().may("support"))
                page, place = found.page, found.place
            elif said.get("attention"):
                page = orders.needing(tx, number(request.args.get("before")))
            else:
                page = orders.newest(tx, said)
        if word and len(page.rows) == 1:
            return redirect(url_for("orders.one", waybill=page.rows[0].waybill, found=place))
        names = list(config().accounts)
        shown = {"page": page, "word": word, "place": place, "said": said, "accounts": names, "states": STATES}
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
        stands = timeline.stands(page)
        return str(
            self.render(
                "order.html",
                page=page,
                life=life,
                customer=customer,
                told=told,
                public=link(page.subject.waybill) if told else "",
                hold_reasons=REASONS,
                cancel_reasons=cancelling.REASONS,
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


def _hide(word: str) -> str:
    return showing.hidden(word or "", me().may("support"))
