"""Returns: what may come back with a receipt or an invoice, and what came back, lies in quarantine and waits for a look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from secrets import token_hex
from typing import ClassVar

from flask import abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from app.bell import Ring
from app.database import transaction
from app.journal import subjects
from app.orders import eligibility, inspecting, papers, quarantine, return_requests, returning, speaking
from app.orders.papers import Paper
from app.orders.refused import Refused
from app.orders.return_requests import ReturnLine
from app.orders.speaking import Speaker
from app.web.admin.asking import reason
from app.web.admin.gate import Page, expose
from app.web.admin.speaking import amount, pieces, said, word
from connectors.canonical.order import Order

DONE = {"restock": "The pieces are for sale again.", "scrap": "The pieces are scrapped."}


@dataclass(frozen=True, slots=True)
class Shown:
    """A paper, what of it may come back (line id -> pieces), which invoices hold each line, and why nothing of it may."""

    paper: Paper
    left: dict[str, Decimal]
    billed: dict[str, list[tuple[str, Decimal]]]
    late: str


class Returns(Page):
    needs: ClassVar = {"index": "viewer", "dispositions": "operator", "papers": "viewer", "requests": "support"}

    def is_visible(self) -> bool:
        return False

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """What waits for a look, the oldest first."""
        place, after = (request.args.get(name, "").replace("\x00", "").strip()[:200] for name in ("location", "after"))
        with transaction() as tx:
            rows = quarantine.lying(tx, [place or "*"], after)
        return str(self.render("returns.html", rows=rows, location=place, more=len({row.number for row in rows}) >= 50))

    @expose("/papers")
    def papers(self) -> ResponseReturnValue:
        """What may come back of the receipts and invoices that have a number."""
        number = request.args.get("number", "").replace("\x00", "").strip()[:200]
        with transaction() as tx:
            found = [_shown(tx, one) for kind in papers.KINDS for one in papers.find(tx, kind, number)]
        return str(self.render("papers.html", number=number, found=found, fresh=token_hex(8)))

    @expose("/requests", methods=("POST",))
    def requests(self) -> ResponseReturnValue:
        """A return of what a paper holds; declined with the reason where that may not come back."""
        why, kind, number, waybill, key = reason(), *(word(name) for name in ("kind", "number", "waybill", "key"))
        wanted = [ReturnLine(line, many, why) for line, many in pieces().items() if many]
        if kind not in papers.KINDS or not wanted:
            abort(400, "Say how many pieces come back.")
        made: list[str] = []

        def act(tx: Connection, who: Speaker) -> list[Ring]:
            subject, paper = papers.one(tx, kind, number, waybill)
            speaking.must(tx, who, "", "return", "request", subject.waybill)
            mine, now = f"desk:{key}", datetime.now(UTC)
            if not any(row.key == mine for row in return_requests.of(tx, subject.id)):
                named = (tx, subject.id, subject.waybill, paper.order)
                row = returning.request(*named, wanted, key=mine, now=now, paper=paper)
                returning.asked_for(tx, row, who.name, why)
                made.append(f"{row.number} may come back." if not row.refused else f"Declined: {row.refused}")
            return []

        return said(f"{kind} {number}", act, lambda: made[0] if made else "It was asked for already.", "returns.papers")

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


def _shown(tx: Connection, paper: Paper) -> Shown:
    left = eligibility.returnable(paper.order, return_requests.of(tx, paper.subject_id), paper)
    late = eligibility.in_time(paper.order, datetime.now(UTC), returning.policy()["days"], paper)
    return Shown(paper, left, papers.invoiced(tx, paper.subject_id, paper.order), late.sentence)
