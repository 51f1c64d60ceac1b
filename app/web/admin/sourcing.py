"""Sourcing: the rule sets that are kept, the one in force, and what a draft would have made of past orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.database import transaction
from app.orders import rules, simulation
from app.orders.sourcing_rules import Unusable
from app.web.admin.asking import back, reason
from app.web.admin.gate import Page, expose, me

DAYS = (1, 7, 30, 90)
SHOWN = 200


class Sourcing(Page):
    needs: ClassVar = {
        "index": "viewer",
        "drafts": "operator",
        "simulation": "viewer",
        "activations": "operator",
    }

    @expose("/")
    def index(self) -> ResponseReturnValue:
        with transaction() as tx:
            shown = {"sets": rules.all_(tx), "active": rules.in_force(tx), "activations": rules.activations(tx)}
        return str(self.render("sourcing.html", **shown))

    @expose("/drafts", methods=("POST",))
    def drafts(self) -> ResponseReturnValue:
        content = request.form.get("content", "").replace("\x00", "").replace("\r\n", "\n")[:100_000]
        try:
            with transaction() as tx:
                made = rules.keep(tx, content, me().login)
        except Unusable as wrong:
            return back(str(wrong), "bad", "sourcing.index")
        flash("Kept as a draft: nothing is sourced by it until it is activated.", "good")
        return redirect(url_for("sourcing.simulation", rule_set=made, days=30))

    @expose("/<int:rule_set>/simulation")
    def simulation(self, rule_set: int) -> ResponseReturnValue:
        days = request.args.get("days", "30")
        days = days if days in {str(n) for n in DAYS} else "30"
        with transaction() as tx:
            chosen, active = rules.one(tx, rule_set), rules.in_force(tx)
            if chosen is None:
                abort(404)
            report = simulation.simulate(tx, chosen.rules, datetime.now(UTC) - timedelta(days=int(days)))
        places = sorted({*report.draft.legs, *(report.now.legs if report.now else ())})
        told = {"chosen": chosen, "active": active, "report": report, "days": int(days), "offered": DAYS, "most": SHOWN}
        return str(self.render("simulation.html", places=places, **told))

    @expose("/<int:rule_set>/activations", methods=("POST",))
    def activations(self, rule_set: int) -> ResponseReturnValue:
        why = reason()
        with transaction() as tx:
            chosen = rules.activate(tx, rule_set, me().login, why)
        if chosen is None:
            abort(404)
        return back(f"{chosen.label} is in force for orders that come from now on.", fallback="sourcing.index")
