"""Claims: the rows of the reservation ledger, each opened once and closed once; what is reserved is their sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b

from sqlalchemy import Connection, text

from app.stock.shelves import Place

TURN = text("SELECT pg_advisory_xact_lock(7704, hashtext(:claim))")
COLUMNS = (
    "key, claim, subject_id, line_id, sku, location, quantity, shipped, returned, per, state, covered, holder, bundle, "
    "content, expires_at, at"
)
OF = text(f"SELECT {COLUMNS} FROM reservations WHERE claim = :claim ORDER BY sku, location, key")  # noqa: S608
OPEN = text("""
INSERT INTO reservations (key, claim, subject_id, line_id, sku, location, quantity, per, bundle, holder, content, expires_at)
VALUES (:key, :claim, :subject, :line, :sku, :location, :quantity, :per, :bundle, :holder, :content,
    now() + make_interval(secs => :seconds))
""")
CLOSE = text("UPDATE reservations SET state = :state, closed_at = now() WHERE key = :key AND state = 'open'")
RESIZE = text("""
UPDATE reservations SET quantity = CAST(:quantity AS numeric), changed_at = now(), covered = covered AND :quantity <= quantity,
    state = CASE WHEN :quantity > shipped THEN 'open' WHEN shipped > 0 THEN 'committed' ELSE 'released' END,
    closed_at = CASE WHEN :quantity > shipped THEN NULL ELSE now() END
WHERE key = :key AND state = 'open'
""")
SHIP = text("""
UPDATE reservations SET shipped = shipped + :quantity,
    state = CASE WHEN shipped + :quantity >= quantity THEN 'committed' ELSE 'open' END,
    closed_at = CASE WHEN shipped + :quantity >= quantity THEN now() END
WHERE key = :key AND state = 'open'
""")
RETURN = text("UPDATE reservations SET returned = returned + :quantity WHERE key = :key")
EXTEND = text("""
UPDATE reservations SET expires_at = now() + make_interval(secs => :seconds)
WHERE claim = :claim AND state = 'open' AND (expires_at IS NULL OR expires_at > now()) RETURNING expires_at
""")
EXPIRED = text("""
SELECT DISTINCT claim FROM (SELECT claim FROM reservations WHERE state = 'open' AND expires_at < now() AND claim <> ''
    ORDER BY expires_at LIMIT :most) AS gone ORDER BY claim
""")


@dataclass(frozen=True, slots=True)
class Piece:
    """A claim on one shelf. `quantity` pieces were claimed, `shipped` have left, `returned` of those came back."""

    key: str
    claim: str
    subject_id: int | None
    line_id: str
    sku: str
    location: str
    quantity: Decimal
    shipped: Decimal
    returned: Decimal
    per: Decimal
    state: str
    covered: bool
    holder: str
    bundle: str
    content: str
    expires_at: datetime | None
    at: datetime

    @property
    def place(self) -> Place:
        return self.sku, self.location

    @property
    def left(self) -> Decimal:
        """What is still claimed."""
        return self.quantity - self.shipped if self.state == "open" else Decimal(0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line to be claimed: pieces of a SKU (a bundle is taken apart) at a place, or wherever they are (None)."""

    sku: str
    quantity: Decimal
    line: str = ""
    location: str | None = None


def turn(tx: Connection, claim: str) -> None:
    """Whoever changes a claim takes turns; taken before any shelf is locked."""
    tx.execute(TURN, {"claim": claim})


def of(tx: Connection, claim: str) -> Sequence[Piece]:
    """All pieces of a claim, in the order in which shelves are locked."""
    return [Piece(**row) for row in tx.execute(OF, {"claim": claim}).mappings()]


def content(lines: Iterable[Wanted]) -> str:
    """What is asked, so that a key that is used for something else is seen."""
    asked = sorted((line.line, line.sku, line.location or "", str(line.quantity.normalize())) for line in lines)
    return blake2b(repr(asked).encode(), digest_size=12).hexdigest()
