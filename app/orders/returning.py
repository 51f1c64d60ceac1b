"""Returns: asked for, allowed or not, and received; what each tender gives back is decided when the goods were counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from psycopg.types.json import Jsonb
from sqlalchemy import Connection

from app import cases
from app.journal import events
from app.journal.actions import audit
from app.orders import (
    deadlines,
    disposing,
    eligibility,
    exchanging,
    money,
    paying_returns,
    repaying,
    return_requests,
    worth,
)
from app.orders.life import QUARANTINE, RESTOCK, SCRAP, ZERO, Life
from app.orders.machines import RETURN
from app.orders.papers import Paper
from app.orders.refused import Refused
from app.orders.return_requests import ALIVE, DISPOSITIONS, MAKE, ReturnLine, ReturnRow
from app.orders.standing import handed_over
from app.orders.worth import paid_for
from app.units import Seconds
from config.reader import config
from connectors.canonical.order import Order

DEFAULTS = {"days": 30, "comes_within": 14 * 86400, "paid_within": 2 * 86400}


def owed(order: Order, lines: Sequence[ReturnLine], earlier: Sequence[ReturnRow]) -> Decimal:
    """What is to be given back for received lines."""
    total = ZERO
    for one in lines:
        line = next(line for line in order.lines if line.id == one.line_id)
        before = sum((e.received or ZERO for row in earlier for e in row.lines if e.line_id == one.line_id), ZERO)
        total += paid_for(order, line, before, one.received or ZERO)
    return total


def net(order: Order, back: Decimal, exchange: Sequence[ReturnLine]) -> tuple[Decimal, Decimal]:
    """(to give back, to be paid): an exchange is set off against what came back, at the price that the customer paid unless it names another."""
    wanted = sum((exchanging.value(order, one) for one in exchange), ZERO)
    return max(ZERO, back - wanted), max(ZERO, wanted - back)


def policy() -> dict[str, Seconds]:
    """Days after the hand-over, seconds for the goods to come and for the money to go (settings.toml [returns])."""
    return {**DEFAULTS, **{key: Seconds(value) for key, value in config().settings.get("returns", {}).items()}}


def request(
    tx: Connection,
    subject: int,
    waybill: str,
    order: Order,
    lines: Sequence[ReturnLine],
    *,
    key: str,
    now: datetime,
    gift: bool = False,
    exchange: Sequence[ReturnLine] = (),
    paper: Paper | None = None,
) -> ReturnRow:
    """A return that may come is authorised, else declined with the reason; the same key again is the same return. The caller has the subject locked.

    With a paper only what that paper holds may come.

    A gift's return tells its giver nothing and pays in store credit (decided by whoever pays it out).
    """
    rule = policy()
    earlier = return_requests.of(tx, subject)
    known = next((row for row in earlier if row.key == key), None)
    if known is not None:
        return known
    verdict = eligibility.eligible(order, lines, earlier, now, rule["days"], paper)
    shown = paper.name if paper is not None else ""
    state = RETURN.after("requested", "decline" if verdict.code else "authorise")
    row = {
        "subject": subject,
        "waybill": waybill,
        "state": state,
        "lines": Jsonb([return_requests.written(replace(one, paper=shown)) for one in lines]),
    }
    more = {
        "gift": gift,
        "exchange": Jsonb([return_requests.written(one) for one in exchange]),
        "refused": verdict.sentence,
        "key": key,
    }
    number = str(tx.execute(MAKE, {**row, **more}).scalar_one())
    if not verdict.code:
        deadlines.set_(tx, subject, "return", number, rule["comes_within"])
        events.again(tx, subject, return_requests.UNMATCHED)
    return next(row for row in return_requests.of(tx, subject) if row.number == number)


def asked_for(tx: Connection, row: ReturnRow, who: str, why: str = "") -> None:
    """Who asked for a return, and the paper in hand where there was one."""
    shown = next((line.paper for line in row.lines), "")
    told = {"return": row.number, "paper": shown, "state": row.state, "refused": row.refused}
    audit(tx, who, "ask for return", f"order:{row.number.partition('-')[0]}", why, after=told)


def receive(
    tx: Connection,
    number: str,
    order: Order,
    counted: Mapping[str, tuple[Decimal, str]],
    *,
    location: str,
    who: str,
    why: str = "",
    at: datetime | None = None,
) -> ReturnRow:
    """Goods were counted at a location, any of ours: line id -> (pieces, disposition). What each tender gives back is decided here, once.

    `at` is when they were counted, by whoever did: stock that he told later has them already.

    Raises Refused for what is not on the return, for more than has left, and for a disposition that is none.
    """
    found = return_requests.locked(tx, number)
    if found.state not in ALIVE:
        if _same_count(found, counted):
            return found
        raise Refused(f"is_{found.state}", f"{number} is {found.state.replace('_', ' ')}: it cannot be received again.")
    earlier = [row for row in return_requests.of(tx, found.subject_id) if row.id != found.id]
    received = _counted(found, order, counted, earlier)
    back, _ = net(order, owed(order, received, earlier), () if found.kept_by_channel else found.exchange)
    moves = money.of(tx, found.subject_id)
    life = repaying.less(_less_promised(handed_over(order), earlier), repaying.promised(order, moves))
    credit = str(money.policy(order.channel)["credit"]) if found.gift else ""
    shares, above = repaying.shares(life, back, credit)
    if found.kept_by_channel and (
        found.exchange or any(paying_returns.names(refund, found) for refund in order.refunds)
    ):
        shares, above = (
            [],
            ZERO,
        )  # the channel sets off by itself what it sends out, and may have paid before we counted
    kinds = {line.disposition for line in received if line.received}
    state = RETURN.after(
        "received", next((DISPOSITIONS[k] for k in (QUARANTINE, SCRAP, RESTOCK) if k in kinds), "restock")
    )
    payer = "hub" if money.refunds(order.channel) and not found.kept_by_channel else "channel"
    row = replace(
        found, state=state, lines=received, location=location, refunds=tuple(shares), payer=payer, pending=True
    )
    return_requests.save(tx, row)
    disposing.move(tx, row, order, at)
    for tender, amount in shares if payer == "hub" else ():
        told = {
            "kind": "refund",
            "cause": number,
            "tender": tender,
            "amount": amount,
            "currency": worth.currency(order),
        }
        money.ask(tx, found.subject_id, number.partition("-")[0], **told)
    deadlines.met(tx, found.subject_id, "return", number)
    if shares:
        deadlines.set_(tx, found.subject_id, "refund", number, policy()["paid_within"])
    if above:
        _case(tx, row, "refund_above_captured", f"{above} {order.currency} of {number} are more than any tender took.")
    audit(
        tx,
        who,
        "receive return",
        f"order:{number.partition('-')[0]}",
        why,
        after={"return": number, "location": location},
    )
    return row


def followed(tx: Connection, row: ReturnRow, replaced_by: str = "") -> None:
    """What follows is done; an exchange leaves as the order of that waybill."""
    state = RETURN.after(row.state, "exchange") if replaced_by else row.state
    return_requests.save(tx, replace(row, state=state, replaced_by=replaced_by, pending=False))


def overdue(tx: Connection, number: str, code: str) -> None:
    """Goods that did not come, or money that did not go, by the hour."""
    row = return_requests.locked(tx, number)
    words = {"goods": f"The goods of {number} did not come.", "money": f"What {number} gives back was not paid out."}
    _case(tx, row, f"return_{code}", words[code])


def _counted(
    found: ReturnRow, order: Order, counted: Mapping[str, tuple[Decimal, str]], earlier: Sequence[ReturnRow]
) -> tuple[ReturnLine, ...]:
    life, announced = handed_over(order), {line.line_id: line for line in found.lines}
    lines: list[ReturnLine] = []
    for line_id, (pieces, disposition) in counted.items():
        if disposition not in DISPOSITIONS or line_id not in announced or pieces < 0:
            raise Refused("not_on_it", f"{found.number} has no line {line_id} that could go to {disposition!r}.")
        if pieces > eligibility.left_to_return(life, line_id, earlier):
            raise Refused("not_that_many", f"Line {line_id}: so many have never left.")
        lines.append(replace(announced[line_id], received=pieces, disposition=disposition))
    missing = [replace(line, received=ZERO) for name, line in announced.items() if name not in counted]
    return (*lines, *missing)


def _less_promised(life: Life, earlier: Sequence[ReturnRow]) -> Life:
    """What earlier returns promise and the channel has not paid yet is not there to be given back twice."""
    for row in earlier:
        for tender, amount in row.refunds if row.state != "refunded" and row.payer == "channel" else ():
            life = repaying.less(life, {tender: amount})
    return life


def _same_count(found: ReturnRow, counted: Mapping[str, tuple[Decimal, str]]) -> bool:
    known = {line.line_id: (line.received, line.disposition) for line in found.lines if line.disposition}
    return known == dict(counted)


def _case(tx: Connection, row: ReturnRow, code: str, sentence: str) -> None:
    cases.open_case(
        tx,
        "return",
        "hub",
        code,
        sentence,
        member=f"return:{row.id}",
        subject=row.subject_id,
        role="channel",
        cause=row.number,
        remedy="Look at the return on the order's page; refund or decline it in the channel.",
    )
