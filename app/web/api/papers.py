"""Papers: a store that has no more than a receipt or an invoice in hand sees what of it may come back, and takes it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flask import Response
from sqlalchemy import Connection

from app.database import transaction
from app.orders import eligibility, papers, return_requests, returning, speaking
from app.orders.papers import INVOICE, RECEIPT, Paper
from app.web.api import once, orders, partner, returns, schemas
from app.web.api import schemas_orders as shapes
from app.web.api import schemas_papers as asks
from app.web.api.door import me
from app.web.api.hearing import heard, speaker
from app.web.api.problems import Problem
from app.web.api.resource import Resource

resource = Resource(
    "papers", __name__, url_prefix="/api/v1/papers", description="What is returned with a receipt or an invoice."
)
ANSWERS = {404: schemas.ProblemShape, 409: schemas.ProblemShape}


@resource.on("GET", "", returns.RECEIVE, {200: asks.Papers, **ANSWERS}, takes=asks.PaperAsked, place="query")
def shown(asked: Mapping[str, str]) -> Response:
    """What the paper is about, whoever sold it, and what of that may come back. It names no customer."""
    kind, number = _named(asked)
    with transaction() as tx:
        found = [one for one in papers.find(tx, kind, number) if asked["waybill"] in ("", one.waybill)]
        told = [_shown(tx, one) for one in found]
    if not told:
        raise Problem(404, "no_paper", f"No {kind} with this number is known.")
    return partner.said({"papers": told}, 200)


@resource.on(
    "POST", "/returns", returns.RECEIVE, {201: shapes.ReturnShape, **ANSWERS}, takes=asks.PaperReturn, once=True
)
def asked(wanted: Mapping[str, Any]) -> Response:
    """A return of what the paper holds: `authorised`, then received as any, or `declined` with the reason (an invoice holds nothing of a line).
    Asked again under its Idempotency-Key it is the same return."""
    returns.here(wanted["location"])
    kind, number = _named(wanted)
    key = partner.named(once.key())
    return heard(f"{kind} {number}", lambda tx: _request(tx, wanted, kind, number, key))


def _request(tx: Connection, wanted: Mapping[str, Any], kind: str, number: str, key: str) -> Response:
    subject, paper = papers.one(tx, kind, number, wanted["waybill"])
    speaking.must(tx, speaker(), wanted["location"], "return", "request", subject.waybill)
    lines = returns.lines(wanted["lines"])
    told = {"key": f"api:{key}", "now": datetime.now(UTC), "gift": wanted["gift"], "paper": paper}
    row = returning.request(tx, subject.id, subject.waybill, orders.known(subject), lines, **told)
    returning.asked_for(tx, row, me().name)
    return partner.said(returns.shown(row, subject), 201)


def _named(asked: Mapping[str, str]) -> tuple[str, str]:
    return (RECEIPT, asked["receipt"]) if asked["receipt"] else (INVOICE, asked["invoice"])


def _shown(tx: Connection, paper: Paper) -> dict[str, Any]:
    late = eligibility.in_time(paper.order, datetime.now(UTC), returning.policy()["days"], paper)
    left = eligibility.returnable(paper.order, return_requests.of(tx, paper.subject_id), paper)
    billed = papers.invoiced(tx, paper.subject_id, paper.order)
    lines = {line.id: line for line in paper.order.lines}
    rows = [
        {
            "line_id": line,
            "sku": lines[line].sku,
            "title": lines[line].title,
            "held": _plain(paper.pieces[line]),
            "returnable": _plain(Decimal(0) if late.code else many),
            "invoices": [{"number": number, "quantity": _plain(some)} for number, some in billed.get(line, ())],
        }
        for line, many in left.items()
    ]
    name = {"waybill": paper.waybill, "order": paper.order.number, "sold_at": paper.order.store or paper.order.channel}
    return {**name, "handed_at": paper.handed_at, "refused": late.sentence, "lines": rows}


def _plain(many: Decimal) -> str:
    return f"{many.normalize():f}"
