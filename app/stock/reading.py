"""What the stock page shows of a SKU: its shelves, who claims them, what moved, what each channel was told and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app.stock import availability, dirty, rules
from app.stock.availability import Seen
from app.units import Seconds

FOUND = text("""
SELECT sku, sum(free) AS free, sum(reserved) AS reserved, sum(short) AS short, count(*) FILTER (WHERE account <> '') AS places,
    min(as_of) FILTER (WHERE account <> '') AS as_of
FROM shelves WHERE sku > :after AND (:word = '' OR sku ILIKE :like) AND (:location = '' OR location = :location)
GROUP BY sku ORDER BY sku LIMIT 51
""")
OWED = text("""
SELECT sku, sum(free) AS free, sum(reserved) AS reserved, sum(short) AS short, count(*) FILTER (WHERE account <> '') AS places,
    min(as_of) FILTER (WHERE account <> '') AS as_of
FROM shelves s WHERE sku IN (SELECT sku FROM shelves WHERE short > 0 ORDER BY sku LIMIT 500) GROUP BY sku HAVING sum(free) < 0
ORDER BY sku LIMIT 51
""")
SHELVES = text("""
SELECT sku, location, account, basis, told, held_back, reserved, covered, short, free, on_hand, allocated, in_transit, safety, damaged,
    nullif(as_of, 'epoch') AS as_of, changed_at
FROM shelves WHERE sku = :sku ORDER BY location LIMIT 500
""")
CLAIMS = text("""
SELECT r.key, r.claim, r.location, r.quantity, r.shipped, r.state, r.covered, r.holder, r.bundle, r.expires_at, r.at, s.waybill, s.number
FROM reservations r LEFT JOIN subjects s ON s.id = r.subject_id
WHERE r.sku = :sku AND r.state = 'open' ORDER BY r.at, r.key LIMIT 200
""")
MOVED = text("""
SELECT source, number, kind, location, quantity, at, seq, claim, lot, lot_expires, told_at FROM movements
WHERE sku = :sku ORDER BY at DESC, number LIMIT 50
""")
LOTS = text("""
SELECT location, lot, max(lot_expires) AS expires, sum(quantity) AS quantity, '' AS account, NULL AS told_at FROM movements
WHERE sku = :sku AND lot <> '' GROUP BY location, lot HAVING sum(quantity) <> 0
UNION ALL SELECT p.location, l.name, l.expires, l.quantity, p.account, p.told_at FROM positions p,
    jsonb_to_recordset(p.lots) AS l (name text, quantity numeric, expires date) WHERE p.sku = :sku
ORDER BY expires NULLS LAST, lot, location LIMIT 100
""")
TOLD = text("""
SELECT account, location, quantity, available, at FROM tellings WHERE sku = :sku ORDER BY id DESC LIMIT 50
""")
CHANNELS = text("""
SELECT a.account, a.location, q.quantity AS told, q.at AS told_at, d.since, d.refused, d.waits, o.quantity AS theirs, o.at AS theirs_at
FROM unnest(CAST(:accounts AS text[]), CAST(:places AS text[])) AS a (account, location)
LEFT JOIN published q ON q.account = a.account AND q.sku = :sku AND q.location = a.location
LEFT JOIN dirty d ON d.account = a.account AND d.sku = :sku AND d.location = a.location
LEFT JOIN LATERAL (SELECT quantity, at FROM observed o WHERE o.account = a.account AND o.sku = :sku AND (a.location = '' OR o.location = a.location)
    ORDER BY at DESC LIMIT 1) o ON true
ORDER BY a.account, a.location
""")
DRIFTS = text("SELECT * FROM drifts WHERE sku = :sku AND closed_at IS NULL ORDER BY kind, account, location LIMIT 100")
PARTS = text("SELECT bundle, sku, quantity FROM parts WHERE bundle = :sku OR sku = :sku ORDER BY bundle, sku LIMIT 100")
LATE = text("""
SELECT account, count(*) AS waiting, min(since) AS oldest, count(*) FILTER (WHERE since < now() - make_interval(secs => :stale)
    AND refused = '') AS late, count(*) FILTER (WHERE refused <> '') AS refused FROM dirty GROUP BY account ORDER BY account
""")


@dataclass(frozen=True, slots=True)
class Line:
    """A SKU in the list."""

    sku: str
    free: Decimal
    reserved: Decimal
    short: Decimal
    places: int
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class SkuPage:
    """Rows as the page shows them; `seen` is what each channel may see of it now, by account and place."""

    sku: str
    shelves: Sequence[Any]
    claims: Sequence[Any]
    moved: Sequence[Any]
    lots: Sequence[Any]
    told: Sequence[Any]
    channels: Sequence[Any]
    seen: dict[tuple[str, str], Seen]
    drifts: Sequence[Any]
    parts: Sequence[Any]

    @property
    def free(self) -> Decimal:
        return sum((row.free for row in self.shelves), Decimal(0))


def lines(tx: Connection, word: str, location: str, after: str) -> Sequence[Line]:
    """SKUs whose name holds `word`, with stock at `location`, after a key; one more than a page."""
    like = f"%{word.replace('%', '').replace('_', chr(92) + '_')}%"
    rows = tx.execute(FOUND, {"word": word, "like": like, "location": location, "after": after})
    return [Line(**row) for row in rows.mappings()]


def owed(tx: Connection) -> Sequence[Line]:
    """SKUs of which more is promised than there is."""
    return [Line(**row) for row in tx.execute(OWED).mappings()]


def late(tx: Connection, stale: Seconds) -> Sequence[Any]:
    """What waits to be told, by channel, and how much of it for too long."""
    return tx.execute(LATE, {"stale": stale}).all()


def sku(tx: Connection, name: str) -> SkuPage | None:
    """Everything of one SKU; None when nobody ever told of it, claimed it or made it a bundle."""
    one = {"sku": name}
    shown = dirty.places()
    said = {"accounts": [account for account, _ in shown], "places": [place for _, place in shown]}
    found = SkuPage(
        sku=name,
        shelves=tx.execute(SHELVES, one).all(),
        claims=tx.execute(CLAIMS, one).all(),
        moved=tx.execute(MOVED, one).all(),
        lots=tx.execute(LOTS, one).all(),
        told=tx.execute(TOLD, one).all(),
        channels=tx.execute(CHANNELS, {**one, **said}).all(),
        seen={
            (account, place): availability.read(tx, [name], rules.of(account), rules.places(account).get(place))[name]
            for account, place in shown
        },
        drifts=tx.execute(DRIFTS, one).all(),
        parts=tx.execute(PARTS, one).all(),
    )
    return found if found.shelves or found.claims or found.parts else None
