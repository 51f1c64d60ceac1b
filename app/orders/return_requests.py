"""Return requests as they are kept: what is to come back, how it stands, and what was counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.orders.life import QUARANTINE, RESTOCK, SCRAP
from app.orders.refused import Refused

DISPOSITIONS: Mapping[str, str] = {RESTOCK: "restock", QUARANTINE: "quarantine", SCRAP: "scrap"}
ALIVE = frozenset(("requested", "authorised"))  # goods are still to come
UNMATCHED = "return_unmatched"  # a warehouse received goods that no return of their order was to bring
CHANNELS = "channel:"  # begins the key of a return that the channel keeps; its id there follows
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
    `paper` is the receipt or invoice that the return was asked for with (papers.py).
    """

    line_id: str
    quantity: Decimal
    reason: str = ""
    received: Decimal | None = None
    disposition: str = ""
    sku: str = ""
    price: Decimal | None = None
    paper: str = ""


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


def of(tx: Connection, subject: int) -> list[ReturnRow]:
    return [_row(row) for row in tx.execute(OF, {"subject": subject})]


def pending(tx: Connection, most: int = 200) -> list[ReturnRow]:
    """Returns that were received and whose goods and exchange are not followed yet."""
    return [_row(row) for row in tx.execute(PENDING, {"most": most})]


def locked(tx: Connection, number: str) -> ReturnRow:
    row = tx.execute(ONE, {"number": number}).first()
    if row is None:
        raise Refused("unknown", f"There is no return {number}.")
    return _row(row)


def save(tx: Connection, row: ReturnRow) -> None:
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
        **({"paper": line.paper} if line.paper else {}),
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
        told.get("paper", ""),
    )


def _row(row: Any) -> ReturnRow:
    values = dict(row._mapping)
    values["lines"] = tuple(_line(one) for one in row.lines)
    values["exchange"] = tuple(_line(one) for one in row.exchange)
    values["refunds"] = tuple((tender, Decimal(amount)) for tender, amount in row.refunds)
    return ReturnRow(**values)
