"""What the page of prices shows of a SKU: what holds now and next, whose word it is, and what each channel was told, waits for or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from app.catalogue import price_marks
from app.journal.reading.rows import listed

SHOWN = 50
FOUND = text("""
WITH chosen AS (SELECT sku FROM (
        SELECT sku FROM prices UNION SELECT sku FROM price_marks WHERE :refused AND refused <> '') s
    WHERE sku > :after AND (:word = '' OR sku ILIKE :like)
        AND (NOT :refused OR EXISTS (SELECT 1 FROM price_marks m WHERE m.sku = s.sku AND m.refused <> ''))
    ORDER BY sku LIMIT :most)
SELECT c.sku, p.price_list, p.currency, p.min_quantity, p.amount, p.compare_at, p.valid_until, p.promotion, p.source,
    (SELECT count(*) FROM price_marks m WHERE m.sku = c.sku AND m.refused = '') AS waiting,
    (SELECT count(*) FROM price_marks m WHERE m.sku = c.sku AND m.refused <> '') AS refused
FROM chosen c LEFT JOIN prices p ON p.sku = c.sku ORDER BY c.sku, p.price_list, p.currency, p.min_quantity
""")
# What holds now of each price, and what will at the next instant at which a line of a run in force begins or ends.
NOW = text("""
WITH lines AS (SELECT l.*, r.account FROM price_runs r JOIN price_lines l ON l.run_id = r.id AND l.sku = :sku AND l.state <> 'refused'
    WHERE r.state = 'active'),
turns AS (SELECT price_list, currency, min_quantity, min(at) AS at FROM lines, LATERAL (VALUES (valid_from), (valid_until)) v (at)
    WHERE at > now() GROUP BY price_list, currency, min_quantity),
next AS (SELECT t.*, n.amount, n.promotion FROM turns t LEFT JOIN LATERAL (SELECT l.amount, l.promotion FROM lines l
    WHERE (l.price_list, l.currency, l.min_quantity) = (t.price_list, t.currency, t.min_quantity)
        AND l.valid_from <= t.at AND (l.valid_until IS NULL OR l.valid_until > t.at)
    ORDER BY l.promotion <> '' DESC, l.valid_from DESC, l.n DESC LIMIT 1) n ON true)
SELECT price_list, currency, min_quantity, p.amount, p.compare_at, p.taxes_included, p.valid_from, p.valid_until,
    coalesce(p.promotion, '') AS promotion,
    coalesce(p.source, '') AS source, p.run_id, p.changed_at, n.at AS next_at, n.amount AS next_amount, coalesce(n.promotion, '') AS next_promotion
FROM (SELECT * FROM prices WHERE sku = :sku) p FULL JOIN next n USING (price_list, currency, min_quantity)
ORDER BY price_list, currency, min_quantity LIMIT 200
""")
CHANNELS = text("""
SELECT account, price_list, currency, min_quantity, t.amount, t.compare_at, t.at, m.since, coalesce(m.refused, '') AS refused
FROM (SELECT * FROM prices_told WHERE sku = :sku) t FULL JOIN (SELECT * FROM price_marks WHERE sku = :sku) m
    USING (account, price_list, currency, min_quantity)
ORDER BY account, price_list, currency, min_quantity LIMIT 200
""")
REFUSED = text("""
SELECT r.id AS run, r.account, r.file, r.state, l.n, l.code, l.reason, r.began_at FROM price_runs r JOIN price_lines l ON l.run_id = r.id
WHERE r.id IN (SELECT id FROM price_runs ORDER BY id DESC LIMIT 40) AND l.sku = :sku AND l.state = 'refused' ORDER BY r.id DESC, l.n LIMIT 20
""")
ITEMS = text(
    "SELECT account, id, code, title, barcode, state, why, changed_at FROM catalogue_items WHERE sku = :sku ORDER BY account, id LIMIT 50"
)
FORGET = text("DELETE FROM prices_told WHERE sku = :sku AND account = ANY(:accounts)")
KEYS = text("SELECT price_list, sku, currency, min_quantity FROM prices WHERE sku = :sku")


@dataclass(frozen=True, slots=True)
class PriceNow:
    """A price in major units of `currency`, from `min_quantity` pieces on: `amount` is None before it holds, `next_amount` None where it will not."""

    price_list: str
    currency: str
    min_quantity: Decimal
    amount: Decimal | None
    compare_at: Decimal | None
    taxes_included: bool | None
    valid_from: datetime | None
    valid_until: datetime | None
    promotion: str
    source: str
    run_id: int | None
    changed_at: datetime | None
    next_at: datetime | None
    next_amount: Decimal | None
    next_promotion: str


@dataclass(frozen=True, slots=True)
class PricePage:
    """`silent`: lists that no channel is told of."""

    sku: str
    prices: tuple[PriceNow, ...]
    channels: Sequence[Any]
    refused: Sequence[Any]
    items: Sequence[Any]
    silent: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.prices or self.channels or self.refused or self.items)


def lines(tx: Connection, word: str, after: str, *, refused: bool) -> Sequence[Any]:
    """Prices of the next SKUs (one more than are shown) whose name holds the word; of those only that a channel refuses, if so asked."""
    like = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return tx.execute(FOUND, {"word": word, "like": like, "after": after, "refused": refused, "most": SHOWN + 1}).all()


def page(tx: Connection, sku: str) -> PricePage:
    """All that is known of what a SKU costs; false where nothing is."""
    asked = {"sku": sku}
    prices = listed(tx, PriceNow, NOW, **asked)
    channels, refused, items = (tx.execute(statement, asked).all() for statement in (CHANNELS, REFUSED, ITEMS))
    silent = sorted({one.price_list for one in prices if not price_marks.publishers(one.price_list)})
    return PricePage(sku, prices, channels, refused, items, tuple(silent))


def tell_again(tx: Connection, sku: str) -> int:
    """Every channel is told this SKU's prices once more, whatever it was told or refused before; how many prices."""
    keys = [price_marks.Key(*row) for row in tx.execute(KEYS, {"sku": sku})]
    accounts = {name for key in keys for name in price_marks.publishers(key.price_list)}
    tx.execute(FORGET, {"sku": sku, "accounts": sorted(accounts)})
    price_marks.mark(tx, keys)
    return len(keys) if accounts else 0
