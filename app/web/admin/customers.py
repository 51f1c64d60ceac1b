"""Customers: one person's orders, and who may be the same person."""

from __future__ import annotations

from typing import ClassVar

from flask import abort, redirect, url_for
from flask.typing import ResponseReturnValue

from app.customers import identity
from app.database import transaction
from app.web.admin.asking import back, reason
from app.web.admin.gate import Page, expose, me


class Customers(Page):
    needs: ClassVar = {"index": "viewer", "one": "support", "merges": "support"}

    def is_visible(self) -> bool:
        return False

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """What there is of these is reached from an order's page."""
        return redirect(url_for("orders.index"))

    @expose("/<int:customer>")
    def one(self, customer: int) -> ResponseReturnValue:
        with transaction() as tx:
            card = identity.card(tx, customer)
        if not card.orders:
            abort(404)
        return str(self.render("customer.html", card=card))

    @expose("/<int:customer>/merges/<int:other>", methods=("POST",))
    def merges(self, customer: int, other: int) -> ResponseReturnValue:
        why = reason()
        with transaction() as tx:
            done = identity.merge(tx, customer, other, me().login, why)
        return back("They are one customer now." if done else "One of them is merged already.")
