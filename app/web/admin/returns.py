"""Returns: what may come back, with a receipt or an invoice or without, what has come, and what of it lies in quarantine and waits for a look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from secrets import token_hex
from typing import Any, ClassVar

from flask import abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from app.bell import Ring
from app.database import transaction
from app.journal import subjects
from app.journal.subjects import Subject
from app.orders import counting, eligibility, inspecting, papers, quarantine, return_requests, returning, speaking
from app.orders.papers import Paper
from app.orders.refused import Refused
from app.orders.return_requests import ReturnLine
from app.orders.speaking import Speaker
from app.web.admin import coming_back
from app.web.admin.asking import reason
from app.web.admin.gate import Page, expose
from app.web.admin.speaking import amount, said, word
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
    needs: ClassVar = {
        "index": "viewer",
        "dispositions": "operator",
        "papers": "viewer",
        "requests": "support",
        "allowances": "support",
        "arrivals": "operator",
    }

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
        wanted = coming_back.asked(why)
        if kind not in papers.KINDS:
            abort(400, "A paper is a receipt or an invoice.")
        made: list[str] = []

        def act(tx: Connection, who: Speaker) -> list[Ring]:
            subject, paper = papers.one(tx, kind, number, waybill)
            made.append(_ask(tx, who, subject, paper.order, wanted, key, why, paper=paper))
            return []

        return said(f"{kind} {number}", act, lambda: made[0], "returns.papers")

    @expose("/of/<waybill>", methods=("POST",))
    def allowances(self, waybill: str) -> ResponseReturnValue:
        """A return of an order without any paper; declined with the reason where it may not come back."""
        why, key, gift = reason(), word("key"), bool(word("gift"))
        wanted, exchange = coming_back.asked(why), coming_back.instead(why)
        made: list[str] = []

        def act(tx: Connection, who: Speaker) -> list[Ring]:
            subject, order = _order(tx, waybill)
            coming_back.known(order, exchange)
            made.append(_ask(tx, who, subject, order, wanted, key, why, gift=gift, exchange=exchange))
            return []

        return said(waybill, act, lambda: made[0], "orders.index")

    @expose("/<number>/arrivals", methods=("POST",))
    def arrivals(self, number: str) -> ResponseReturnValue:
        """The goods of a return are here, counted line by line: on the shelf, in quarantine or scrapped, and what is given back is decided."""
        why, location, counted = reason(), word("location"), coming_back.counted()

        def act(tx: Connection, who: Speaker) -> list[Ring]:
            _, order = _order(tx, number.partition("-")[0])
            speaking.must(tx, who, location, "return", "receive", number)
            counting.must(tx, location)
            returning.receive(tx, number, order, counted, location=location, who=who.name, why=why)
            return []

        told = f"{number} was received at {location}: what it gives back is decided, and stands below."
        return said(number, act, told, "orders.index")

    @expose("/<number>/dispositions", methods=("POST",))
    def dispositions(self, number: str) -> ResponseReturnValue:
        """Some or all pieces of a line: on the shelf again, or scrapped. What has changed since the page was shown is refused."""
        why, line, where = reason(), word("line"), word("disposition", 20)
        many, there = (amount(word(name, 20)) for name in ("pieces", "there"))

        def act(tx: Connection, who: Speaker) -> list[Ring]:
            subject, order = _order(tx, number.partition("-")[0])
            row = next((one for one in return_requests.of(tx, subject.id) if one.number == number), None)
            if row is None:
                raise Refused("unknown", f"There is no return {number}.")
            speaking.must(tx, who, row.location, "return", where, number)
            inspecting.dispose(tx, number, order, line, where, who.name, many, why, there)
            return []

        return said(number, act, DONE.get(where, ""), "returns.index")


def _order(tx: Connection, waybill: str) -> tuple[Subject, Order]:
    """The order, locked. Raises Refused `unknown`."""
    subject = subjects.lock_waybill(tx, waybill)
    if subject is None or not isinstance(subject.document, Order):
        raise Refused("unknown", f"There is no order {waybill}, or it is not read yet.")
    return subject, subject.document


def _ask(
    tx: Connection,
    who: Speaker,
    subject: Subject,
    order: Order,
    wanted: list[ReturnLine],
    key: str,
    why: str,
    **more: Any,
) -> str:
    """What became of it, in a sentence; under one key it is asked for once."""
    speaking.must(tx, who, "", "return", "request", subject.waybill)
    mine = f"desk:{key}"
    if any(row.key == mine for row in return_requests.of(tx, subject.id)):
        return "It was asked for already."
    told = {"key": mine, "now": datetime.now(UTC), **more}
    row = returning.request(tx, subject.id, subject.waybill, order, wanted, **told)
    returning.asked_for(tx, row, who.name, why)
    return f"Declined: {row.refused}" if row.refused else f"{row.number} may come back."


def _shown(tx: Connection, paper: Paper) -> Shown:
    left = eligibility.returnable(paper.order, return_requests.of(tx, paper.subject_id), paper)
    late = eligibility.in_time(paper.order, datetime.now(UTC), returning.policy()["days"], paper)
    return Shown(paper, left, papers.invoiced(tx, paper.subject_id, paper.order), late.sentence)
