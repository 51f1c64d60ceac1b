"""Returns: what came back and lies in quarantine, and where it goes after somebody has looked at it."""

from __future__ import annotations

from typing import ClassVar

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from app.bell import Ring
from app.database import transaction
from app.journal import subjects
from app.orders import inspecting, quarantine, return_requests, speaking
from app.orders.refused import Refused
from app.orders.speaking import Speaker
from app.web.admin.asking import reason
from app.web.admin.gate import Page, expose
from app.web.admin.speaking import amount, said, word
from connectors.canonical.order import Order

DONE = {"restock": "The pieces are for sale again.", "scrap": "The pieces are scrapped."}


class Returns(Page):
    needs: ClassVar = {"index": "viewer", "dispositions": "operator"}

    def is_visible(self) -> bool:
        return False

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """What waits for a look, the oldest first."""
        place, after = (request.args.get(name, "").replace("\x00", "").strip()[:200] for name in ("location", "after"))
        with transaction() as tx:
            rows = quarantine.lying(tx, [place or "*"], after)
        return str(self.render("returns.html", rows=rows, location=place, more=len({row.number for row in rows}) >= 50))

    @expose("/<number>/dispositions", methods=("POST",))
    def dispositions(self, number: str) -> ResponseReturnValue:
        """Some or all pieces of a line: on the shelf again, or scrapped. What has changed since the page was shown is refused."""
        why, line, where = reason(), word("line"), word("disposition", 20)
        many, there = (amount(word(name, 20)) for name in ("pieces", "there"))

        def act(tx: Connection, who: Speaker) -> list[Ring]:
            subject = subjects.lock_waybill(tx, number.partition("-")[0])
            row = (
                next((one for one in return_requests.of(tx, subject.id) if one.number == number), None)
                if subject
                else None
            )
            if subject is None or row is None or not isinstance(subject.document, Order):
                raise Refused("unknown", f"There is no return {number}.")
            speaking.must(tx, who, row.location, "return", where, number)
            inspecting.dispose(tx, number, subject.document, line, where, who.name, many, why, there)
            return []

        return said(number, act, DONE.get(where, ""), "returns.index")
