"""Returns: asked for, allowed or not and why, received, sorted to where the goods belong, and what each tender gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app import cases
from app.journal.actions import audit
from app.orders import deadlines, disposing, exchanging, money, repaying, worth
from app.orders.life import QUARANTINE, RESTOCK, SCRAP, ZERO, Life
from app.orders.machines import RETURN
from app.orders.refused import Refused
from app.orders.standing import handed_over
from app.orders.worth import paid_for
from app.stock.counter import carried
from app.units import Days, Seconds
from config.reader import config
from connectors.canonical.order import Order
from connectors.canonical.returns import Refund
from connectors.canonical.shipment import LEFT

DISPOSITIONS: Mapping[str, str] = {RESTOCK: "restock", QUARANTINE: "quarantine", SCRAP: "scrap"}
ALIVE = frozenset(("requested", "authorised"))  # goods are still to come
CHANNELS = "channel:"  # begins the key of a return that the channel keeps; its id there follows
DEFAULTS = {"days": 30, "comes_within": 14 * 86400, "paid_within": 2 * 86400}

COLUMNS = """id, subject_id, number, state, lines, location, gift, exchange, refunds, refused, key, payer, replaced_by, pending,
    created_at, updated_at"""
MAKE = text("""
INSERT INTO return_requests (subject_id, number, state, lines, gift, exchange, refused, key)
SELECT :subject, :waybill || '-R' || (count(*) + 1), :state, :lines, :gift, :exchange, :refused, :key
FROM return_requests WHERE subject_id = :subject
ON CONFLICT (subject_id, key) DO NOTHING RETURNING number
""")
OF = text(f"SELECT {COLUMNS} FROM return_requests WHERE subject_id = :subject ORDER BY id")  # noqa: S608 - constants only
ONE = text(f"SELECT {COLUMNS} FROM return_requests WHERE number = :number FOR UPDATE")  # noqa: S608 - constants only
PENDING = text(f"SELECT {COLUMNS} FROM return_requests WHERE pending ORDER BY id LIMIT :most")  # noqa: S608 - constants only
SET = text("""
UPDATE return_requests SET state = :state, lines = :lines, location = :location, refunds = :refunds, payer = :payer,
    replaced_by = :replaced_by, pending = :pending, updated_at = now() WHERE id = :id
""")


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """`received` None until somebody counted; `disposition` one of restock, quarantine, scrap.

    Of a line that is wanted instead: `sku` where it is another article, `price` of one piece where it is not the price that was paid.
    """

    line_id: str
    quantity: Decimal
    reason: str = ""
    received: Decimal | None = None
    disposition: str = ""
    sku: str = ""
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """`refunds` are (tender, amount) in the order's currency, decided once, when the goods were received."""

    id: int
    subject_id: int
    number: str
    state: str
    lines: tuple[ReturnLine, ...]
    location: str
    gift: bool
    exchange: tuple[ReturnLine, ...]
    refunds: tuple[tuple[str, Decimal], ...]
    refused: str
    key: str
    payer: str  # who gives the money back: channel, or hub (by our word, at the channel)
    replaced_by: str  # the waybill of the order in which an exchange's goods leave
    pending: bool  # it was received, and what follows is still to be done
    created_at: datetime
    updated_at: datetime

    @property
    def kept_by_channel(self) -> bool:
        """The channel decides on it, pays it and lays out what goes for it (keeping.py); the hub counts the goods."""
        return self.key.startswith(CHANNELS)


# ---- what may come back; pure


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is empty when the return is allowed."""

    code: str = ""
    sentence: str = ""


def eligible(
    order: Order, wanted: Sequence[ReturnLine], earlier: Sequence[ReturnRow], now: datetime, days: Days
) -> Verdict:
    """Against what was sold, what has left, what came back or is on its way, and the days since it was handed over."""
    life = handed_over(order)
    asked: dict[str, Decimal] = {}
    for line in wanted:
        if all(one.id != line.line_id for one in life.lines):
            return Verdict("unknown_line", f"The order has no line {line.line_id}.")
        asked[line.line_id] = asked.get(line.line_id, ZERO) + line.quantity
        if line.quantity <= 0 or asked[line.line_id] > left_to_return(life, line.line_id, earlier):
            return Verdict("not_that_many", f"Line {line.line_id}: not so many have left that did not come back.")
    handed = [s.delivered_at or s.shipped_at for s in order.shipments if s.status in LEFT]
    handed += [order.placed_at] if carried(order) else []
    last = max((at for at in handed if at is not None), default=None)
    if last is not None and now > last + timedelta(days=days):
        return Verdict("too_late", f"Handed over on {last:%Y-%m-%d}: more than {days:.0f} days ago.")
    return Verdict()


def left_to_return(life: Life, line_id: str, earlier: Sequence[ReturnRow]) -> Decimal:
    """Pieces that have left, less those that came back or were told to come. What we counted and what the channel told are the same pieces."""
    line = life.line(line_id)
    coming, counted = ZERO, ZERO
    for row in earlier:
        for one in row.lines if row.state not in ("declined", "cancelled", "closed") else ():
            if one.line_id == line_id:
                coming += one.quantity if one.received is None else ZERO
                counted += one.received or ZERO
    return line.shipped - max(line.received, counted) - coming


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


# ---- the request and what becomes of it


def policy() -> dict[str, Seconds]:
    """Days after the hand-over, seconds for the goods to come and for the money to go (settings.toml [returns])."""
    return {**DEFAULTS, **{key: Seconds(value) for key, value in config().settings.get("returns", {}).items()}}


def of(tx: Connection, subject: int) -> list[ReturnRow]:
    return [_row(row) for row in tx.execute(OF, {"subject": subject})]


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
) -> ReturnRow:
    """A return that may come is authorised, else declined with the reason; the same key again is the same return. The caller has the subject locked.

    A gift's return tells its giver nothing and pays in store credit (decided by whoever pays it out).
    """
    rule = policy()
    earlier = of(tx, subject)
    known = next((row for row in earlier if row.key == key), None)
    if known is not None:
        return known
    verdict = eligible(order, lines, earlier, now, rule["days"])
    state = RETURN.after("requested", "decline" if verdict.code else "authorise")
    row = {"subject": subject, "waybill": waybill, "state": state, "lines": Jsonb([written(one) for one in lines])}
    more = {
        "gift": gift,
        "exchange": Jsonb([written(one) for one in exchange]),
        "refused": verdict.sentence,
        "key": key,
    }
    number = str(tx.execute(MAKE, {**row, **more}).scalar_one())
    if not verdict.code:
        deadlines.set_(tx, subject, "return", number, rule["comes_within"])
    return next(row for row in of(tx, subject) if row.number == number)


def receive(
    tx: Connection, number: str, order: Order, counted: Mapping[str, tuple[Decimal, str]], *, location: str, who: str
) -> ReturnRow:
    """Goods were counted at a location, any of ours: line id -> (pieces, disposition). What each tender gives back is decided here, once.

    Raises Refused for what is not on the return, for more than has left, and for a disposition that is none.
    """
    found = _locked(tx, number)
    if found.state not in ALIVE:
        if _same_count(found, counted):
            return found
        raise Refused(f"is_{found.state}", f"{number} is {found.state.replace('_', ' ')}: it cannot be received again.")
    earlier = [row for row in of(tx, found.subject_id) if row.id != found.id]
    received = _counted(found, order, counted, earlier)
    back, _ = net(order, owed(order, received, earlier), () if found.kept_by_channel else found.exchange)
    moves = money.of(tx, found.subject_id)
    life = repaying.less(_less_promised(handed_over(order), earlier), repaying.promised(order, moves))
    credit = str(money.policy(order.channel)["credit"]) if found.gift else ""
    shares, above = repaying.shares(life, back, credit)
    if found.kept_by_channel and (found.exchange or any(_names(refund, found) for refund in order.refunds)):
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
    _save(tx, row)
    disposing.move(tx, row, order)
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
        "",
        after={"return": number, "location": location},
    )
    return row


def refunded(tx: Connection, subject: int, refund: Refund) -> str | None:
    """A refund of the channel's pays the oldest return whose pieces it names (or that it names itself); answers its number.

    What the hub gives back by its own word is paid when its own step says so (`paid`).
    """
    lines = {line.line_id for line in refund.lines}
    rows = of(tx, subject)
    named = [row for row in rows if _names(refund, row)]
    for row in named or rows:
        theirs = bool(named) or bool(lines & {line.line_id for line in row.lines})
        if _payable(row) and row.payer == "channel" and theirs:
            _pay(tx, row)
            return row.number
    return None


def _names(refund: Refund, row: ReturnRow) -> bool:
    return bool(refund.return_id) and refund.return_id in (row.number, row.key.removeprefix(CHANNELS))


def paid(tx: Connection, subject: int, number: str) -> bool:
    """The hub has given back what this return gives back; False when there is no such return, or it was paid before."""
    row = next((row for row in of(tx, subject) if row.number == number and _payable(row)), None)
    if row is not None:
        _pay(tx, row)
    return row is not None


def dispose(
    tx: Connection,
    number: str,
    order: Order,
    line_id: str,
    disposition: str,
    who: str,
    pieces: Decimal | None = None,
    why: str = "",
    there: Decimal | None = None,
) -> ReturnRow:
    """Pieces in quarantine (None: all of the line) were looked at: they are sold again (restock) or gone (scrap).

    All of a line said twice is once. `there` is what whoever says it has seen in quarantine. Raises Refused for any others, and where
    that has changed.
    """
    found = _locked(tx, number)
    mine = [one for one in found.lines if one.line_id == line_id and one.received]
    line = next((one for one in mine if one.disposition == QUARANTINE), None)
    if line is None and pieces is None and any(one.disposition == disposition for one in mine):
        return found
    if line is None or disposition not in (RESTOCK, SCRAP):
        raise Refused("not_in_quarantine", f"{number} has no pieces of line {line_id} in quarantine.")
    lies = line.received or ZERO
    if there is not None and there != lies:
        raise Refused(
            "changed",
            f"{number} has changed meanwhile: {lies.normalize():f} pieces of line {line_id} are in quarantine.",
        )
    many = lies if pieces is None else pieces
    if not ZERO < many <= lies:
        raise Refused("not_that_many", f"{number} has {lies.normalize():f} pieces of line {line_id} in quarantine.")
    gone, left = _parted(line, many, disposition)
    lines = tuple(part for one in found.lines for part in ((gone, *left) if one is line else (one,)))
    still = any(one.disposition == QUARANTINE and one.received for one in lines)
    state = found.state if still or found.state != "quarantined" else RETURN.after("quarantined", disposition)
    row = replace(found, state=state, lines=lines, pending=True)
    _save(tx, row)
    disposing.dispose(tx, row, order, gone, disposition, len(mine))
    told = {"return": number, "line": line_id, "disposition": disposition, "pieces": f"{many.normalize():f}"}
    was = {"disposition": QUARANTINE, "pieces": f"{lies.normalize():f}"}
    audit(tx, who, "dispose of returned goods", f"order:{number.partition('-')[0]}", why, was, told)
    return row


def _parted(line: ReturnLine, many: Decimal, disposition: str) -> tuple[ReturnLine, tuple[ReturnLine, ...]]:
    """(what leaves quarantine, what stays there)."""
    there = line.received or ZERO
    if many == there:
        return replace(line, disposition=disposition), ()
    stays = replace(line, quantity=max(ZERO, line.quantity - many), received=there - many)
    return replace(line, quantity=min(line.quantity, many), received=many, disposition=disposition), (stays,)


def pending(tx: Connection, most: int = 200) -> list[ReturnRow]:
    """Returns that were received and whose goods and exchange are not followed yet."""
    return [_row(row) for row in tx.execute(PENDING, {"most": most})]


def followed(tx: Connection, row: ReturnRow, replaced_by: str = "") -> None:
    """What follows is done; an exchange leaves as the order of that waybill."""
    state = RETURN.after(row.state, "exchange") if replaced_by else row.state
    _save(tx, replace(row, state=state, replaced_by=replaced_by, pending=False))


def _payable(row: ReturnRow) -> bool:
    return row.state in ("received", "restocked", "quarantined", "scrapped", "exchanged") and bool(row.refunds)


def _pay(tx: Connection, row: ReturnRow) -> None:
    _save(tx, replace(row, state=RETURN.after(row.state, "refund")))
    deadlines.met(tx, row.subject_id, "refund", row.number)
    cases.leave(tx, f"return:{row.id}")


def overdue(tx: Connection, number: str, code: str) -> None:
    """Goods that did not come, or money that did not go, by the hour."""
    row = _locked(tx, number)
    words = {"goods": f"The goods of {number} did not come.", "money": f"What {number} gives back was not paid out."}
    _case(tx, row, f"return_{code}", words[code])


# ---- helpers


def _counted(
    found: ReturnRow, order: Order, counted: Mapping[str, tuple[Decimal, str]], earlier: Sequence[ReturnRow]
) -> tuple[ReturnLine, ...]:
    life, announced = handed_over(order), {line.line_id: line for line in found.lines}
    lines: list[ReturnLine] = []
    for line_id, (pieces, disposition) in counted.items():
        if disposition not in DISPOSITIONS or line_id not in announced or pieces < 0:
            raise Refused("not_on_it", f"{found.number} has no line {line_id} that could go to {disposition!r}.")
        if pieces > left_to_return(life, line_id, earlier):
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


def _locked(tx: Connection, number: str) -> ReturnRow:
    row = tx.execute(ONE, {"number": number}).first()
    if row is None:
        raise Refused("unknown", f"There is no return {number}.")
    return _row(row)


def _save(tx: Connection, row: ReturnRow) -> None:
    values = {
        "id": row.id,
        "state": row.state,
        "location": row.location,
        "payer": row.payer,
        "replaced_by": row.replaced_by,
        "pending": row.pending,
        "lines": Jsonb([written(one) for one in row.lines]),
    }
    tx.execute(SET, {**values, "refunds": Jsonb([[tender, str(amount)] for tender, amount in row.refunds])})


def written(line: ReturnLine) -> dict[str, Any]:
    """A line as it is kept."""
    return {
        "line_id": line.line_id,
        "quantity": str(line.quantity),
        "reason": line.reason,
        "received": None if line.received is None else str(line.received),
        "disposition": line.disposition,
        **({"sku": line.sku} if line.sku else {}),
        **({"price": str(line.price)} if line.price is not None else {}),
    }


def _line(told: Mapping[str, Any]) -> ReturnLine:
    received = told["received"]
    return ReturnLine(
        told["line_id"],
        Decimal(told["quantity"]),
        told["reason"],
        None if received is None else Decimal(received),
        told["disposition"],
        told.get("sku", ""),
        Decimal(told["price"]) if "price" in told else None,
    )


def _row(row: Any) -> ReturnRow:
    values = dict(row._mapping)
    values["lines"] = tuple(_line(one) for one in row.lines)
    values["exchange"] = tuple(_line(one) for one in row.exchange)
    values["refunds"] = tuple((tender, Decimal(amount)) for tender, amount in row.refunds)
    return ReturnRow(**values)
