"""What comes back of an order: shown on its page, said in that page's forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from secrets import token_hex

from flask import abort, request
from sqlalchemy import Connection

from app.orders import counting, eligibility, returning
from app.orders.eligibility import May
from app.orders.refused import Refused
from app.orders.return_requests import ALIVE, DISPOSITIONS, ReturnLine, ReturnRow
from app.web.admin.speaking import amount, pieces, word
from connectors.canonical.order import Order


@dataclass(frozen=True, slots=True)
class ComingBack:
    """What of each line may come back and why not, why none of it may, the returns whose goods are still to come, and where they may be counted.
    `fresh` names the next return that is asked for from this page."""

    lines: Sequence[May]
    late: str
    open: Sequence[ReturnRow]
    places: Sequence[str]
    fresh: str

    @property
    def left(self) -> bool:
        return any(one.gone for one in self.lines)

    @property
    def may(self) -> Sequence[May]:
        return () if self.late else [one for one in self.lines if one.pieces]


def of(tx: Connection, order: Order, earlier: Sequence[ReturnRow]) -> ComingBack:
    late = eligibility.in_time(order, datetime.now(UTC), returning.policy()["days"])
    coming = [row for row in earlier if row.state in ALIVE]
    where = counting.known(tx) if coming else ()
    return ComingBack(eligibility.by_line(order, earlier), late.sentence, coming, where, token_hex(8))


# ---- what the forms say


def asked(why: str) -> list[ReturnLine]:
    """The pieces that are to come back; 400 where the form names none."""
    wanted = [ReturnLine(line, many, why) for line, many in pieces().items() if many]
    if not wanted:
        abort(400, "Say how many pieces come back.")
    return wanted


def instead(why: str) -> list[ReturnLine]:
    """The pieces that go out for them: of the line's own article at the price that was paid, or of another one, or at another price."""
    return [_instead(line, many, why) for line, many in pieces("instead:").items() if many]


def _instead(line: str, many: Decimal, why: str) -> ReturnLine:
    price = word(f"price:{line}", 20)
    return ReturnLine(line, many, why, sku=word(f"sku:{line}"), price=amount(price) if price else None)


def known(order: Order, lines: Sequence[ReturnLine]) -> None:
    """Raises Refused `unknown_line`."""
    ours = {line.id for line in order.lines}
    for one in lines:
        if one.line_id not in ours:
            raise Refused("unknown_line", f"The order has no line {one.line_id}.")


def counted() -> dict[str, tuple[Decimal, str]]:
    """Line id -> (pieces, disposition), of the lines that came; 400 where none did, or where nobody says what becomes of them."""
    found = {line: (many, request.form.get(f"to:{line}", "")) for line, many in pieces().items()}
    if not any(many for many, _ in found.values()):
        abort(400, "Say how many pieces came back.")
    if any(where not in DISPOSITIONS for _, where in found.values()):
        abort(400, f"Say what becomes of them: {', '.join(DISPOSITIONS)}.")
    return found
