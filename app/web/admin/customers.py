"""Customers: one person's orders, and who may be the same person."""

from __future__ import annotations

from typing import ClassVar

from flask import abort
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from app.customers import identity
from app.database import transaction
from app.web.admin.asking import back, reason
from app.web.admin.gate import Page, expose, me

LATEST = text("""
SELECT customer_id, count(*) AS n, max(at) AS last, min(rule) AS rule FROM
    (SELECT customer_id, at, rule FROM customer_orders ORDER BY subject_id DESC LIMIT 500) newest
GROUP BY customer_id ORDER BY max(at) DESC LIMIT 100
""")


class Customers(Page):
    needs: ClassVar = {"index": "support", "one": "support", "merges": "support"}

    def is_visible(self) -> bool:
        return False

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """Who ordered last, by number; names stand on the orders."""
        with transaction() as tx:
            rows = tx.execute(LATEST).all()
        return str(self.render("customers.html", rows=rows))

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
