"""Prices as an account's catalogue told them last: together they are what a price file would be, and go the file's way."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, text

from app.catalogue import price_runs
from connectors.canonical.product import Price

COLUMNS = ("sku", "price", "currency", "list", "compare_at", "min_quantity", "from", "until", "promotion", "tax")
NOW = text("SELECT now()")
HAD = text("""
DELETE FROM catalogue_prices WHERE account = :account AND sku = ANY(:skus)
RETURNING sku, price_list, currency, min_quantity, amount, compare_at, taxes_included, valid_from, valid_until, since
""")
KEEP = text("""
INSERT INTO catalogue_prices (account, sku, price_list, currency, min_quantity, amount, compare_at, taxes_included, valid_from, valid_until, since)
VALUES (:account, :sku, :price_list, :currency, :min_quantity, :amount, :compare_at, :taxes_included, :valid_from, :valid_until, :since)
""")
# What holds now or later of what is sold there, always in the same order: the same prices are the same file.
ALL = text("""
SELECT p.* FROM catalogue_prices p WHERE p.account = :account AND (p.valid_until IS NULL OR p.valid_until > now())
    AND EXISTS (SELECT 1 FROM catalogue_items i WHERE i.account = p.account AND i.sku = p.sku AND i.state = 'active')
ORDER BY p.sku, p.price_list, p.currency, p.min_quantity, coalesce(p.valid_from, p.since), p.valid_until, p.amount
""")
NEWEST = text("SELECT split_part(content, ' ', 1) FROM price_runs WHERE account = :account ORDER BY id DESC LIMIT 1")
TAX = {None: "", True: "included", False: "excluded"}


def take(tx: Connection, account: str, skus: Collection[str], told: Iterable[Price]) -> int:
    """Everything that the account says of these SKUs' prices, in place of what it said before; how many. A price of nothing is none.
    One that it tells again without a beginning holds since it was told first."""
    now = tx.execute(NOW).scalar_one()
    rows = [_row(account, price) for price in told if price.amount.amount > 0]
    had = {_same(row._mapping): row.since for row in tx.execute(HAD, {"account": account, "skus": sorted(skus)})}
    if rows:
        tx.execute(KEEP, [{**row, "since": had.get(_same(row), now)} for row in rows])
    return len(rows)


def _row(account: str, price: Price) -> dict[str, Any]:
    above = price.compare_at.amount if price.compare_at is not None else None
    return {
        "account": account,
        "sku": price.sku,
        "price_list": price.price_list,
        "currency": price.amount.currency,
        "min_quantity": price.min_quantity,
        "amount": price.amount.amount,
        "compare_at": above,
        "taxes_included": price.taxes_included,
        "valid_from": price.effective_from,
        "valid_until": price.effective_until,
    }


SAME = ("sku", "price_list", "currency", "min_quantity", "amount", "compare_at", "taxes_included", "valid_from")


def _same(row: Any) -> tuple[Any, ...]:
    return tuple(row[name] for name in SAME)


def begin_run(tx: Connection, account: str, name: str) -> int | None:
    """A run of prices like a file's, where they say something else than the account's newest run; None where they do not."""
    rows = tx.execute(ALL, {"account": account}).mappings().all()
    body = _table(rows)
    if not rows or tx.execute(NEWEST, {"account": account}).scalar() == sha256(body).hexdigest():
        return None
    return price_runs.begin(tx, account, name, body)


def _table(rows: Iterable[Any]) -> bytes:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in rows:
        money = (_plain(row["amount"]), row["currency"], row["price_list"], _plain(row["compare_at"]))
        dates = (_at(row["valid_from"] or row["since"]), _at(row["valid_until"]))
        table.writerow((row["sku"], *money, _plain(row["min_quantity"]), *dates, "", TAX[row["taxes_included"]]))
    return out.getvalue().encode()


def _plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():f}"


def _at(when: datetime | None) -> str:
    return "" if when is None else when.astimezone(UTC).isoformat()
