"""Price marks: which prices a channel has still to be told; the newest price wins, so a mark holds none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from app.accounts import entries
from config.reader import config
from connectors.canonical.money import Money
from connectors.canonical.product import Price

MARK = text("""
INSERT INTO price_marks AS m (account, price_list, sku, currency, min_quantity) VALUES (:account, :price_list, :sku, :currency, :min_quantity)
ON CONFLICT (account, price_list, sku, currency, min_quantity) DO UPDATE SET mark = m.mark + 1, refused = ''
""")
PENDING = text("SELECT account, count(*) AS n FROM price_marks WHERE refused = '' GROUP BY account ORDER BY account")
TAKE = text("""
SELECT m.price_list, m.sku, m.currency, m.min_quantity, m.mark, p.amount, p.compare_at, p.taxes_included, p.valid_from, p.valid_until,
    p.amount IS NOT NULL AND (t.amount, t.compare_at, t.valid_until) IS NOT DISTINCT FROM
        (p.amount, p.compare_at, CASE WHEN p.compare_at IS NOT NULL THEN p.valid_until END) AS told
FROM price_marks m LEFT JOIN prices p USING (price_list, sku, currency, min_quantity)
LEFT JOIN prices_told t ON (t.account, t.price_list, t.sku, t.currency, t.min_quantity) = (m.account, m.price_list, m.sku, m.currency, m.min_quantity)
WHERE m.account = :account AND m.refused = '' ORDER BY m.since, m.sku, m.price_list, m.currency, m.min_quantity LIMIT :most
""")
MINE = "account = :account AND price_list = :price_list AND sku = :sku AND currency = :currency AND min_quantity = :min_quantity"
CLEAN = text(f"DELETE FROM price_marks WHERE {MINE} AND mark = :mark")  # noqa: S608 - constants only
REFUSE = text(f"UPDATE price_marks SET refused = :why WHERE {MINE} AND mark = :mark")  # noqa: S608
TOLD = text("""
INSERT INTO prices_told (account, price_list, sku, currency, min_quantity, amount, compare_at, valid_until)
VALUES (:account, :price_list, :sku, :currency, :min_quantity, :amount, :compare_at, :until)
ON CONFLICT (account, price_list, sku, currency, min_quantity) DO UPDATE SET amount = excluded.amount, compare_at = excluded.compare_at,
    valid_until = excluded.valid_until, at = now()
""")


class Key(NamedTuple):
    """What a price is known by."""

    price_list: str
    sku: str
    currency: str
    min_quantity: Decimal


@dataclass(frozen=True, slots=True)
class PriceMark:
    """A price to be told. `price` is None where none is in force any more; `told`: the channel knows it already."""

    key: Key
    mark: int
    price: Price | None
    told: bool

    @property
    def sku(self) -> str:
        """The mark's own name, for its item's key."""
        return "/".join(map(str, self.key))


def publishers(price_list: str) -> list[str]:
    """Accounts that are told of a list's prices: routes of kind `price` (when = { list = "..." }, or none for all lists), if they take any."""
    return sorted(name for name in _published(price_list) if "PriceTaker" in entries.manifest(name).offers)


def may_see(account: str, price_list: str) -> bool:
    """Whether a partner may ask for a list's prices: the list without a name is everybody's, others are whose channel a route tells of them."""
    return not price_list or account in _published(price_list)


def _published(price_list: str) -> set[str]:
    return {
        account
        for route in config().routes
        if route.kind == "price" and _takes(route.when, price_list)
        for account in route.roles.get("publish", ())
    }


def _takes(when: Mapping[str, object], price_list: str) -> bool:
    wanted = when.get("list", price_list)
    return price_list in wanted if isinstance(wanted, list) else wanted == price_list


def mark(tx: Connection, keys: Collection[Key]) -> None:
    """These prices changed: whoever is told of their list hears of them in its next batch. Always in the same order."""
    to = {name: publishers(name) for name in {key.price_list for key in keys}}
    rows = [{"account": account, **key._asdict()} for key in sorted(keys) for account in to[key.price_list]]
    if rows:
        tx.execute(MARK, sorted(rows, key=lambda row: (row["account"], row["price_list"], row["sku"], row["currency"])))


def pending(tx: Connection) -> dict[str, int]:
    """How many prices wait to be told, by account."""
    return {row.account: row.n for row in tx.execute(PENDING)}


def take(tx: Connection, account: str, most: int) -> Sequence[PriceMark]:
    """The next prices to tell, as they are at this moment."""
    return [_marked(row) for row in tx.execute(TAKE, {"account": account, "most": most})]


def _marked(row: object) -> PriceMark:
    at = row._mapping  # type: ignore[attr-defined]
    key = Key(at["price_list"], at["sku"], at["currency"], at["min_quantity"])
    if at["amount"] is None:
        return PriceMark(key, at["mark"], None, False)
    above = None if at["compare_at"] is None else Money(_plain(at["compare_at"]), key.currency)
    price = Price(
        key.sku,
        Money(_plain(at["amount"]), key.currency),
        above,
        key.price_list,
        at["valid_from"],
        at["valid_until"],
        at["taxes_included"],
        _plain(key.min_quantity),
    )
    return PriceMark(key, at["mark"], price, bool(at["told"]))


def _plain(number: Decimal) -> Decimal:
    """Without the zeros that a column adds: 20, not 20.0000 nor 2E+1."""
    return number.normalize() + Decimal(0)


def told(tx: Connection, account: str, marked: PriceMark) -> None:
    """The account shows this price; the mark goes unless the price changed meanwhile."""
    if marked.price is not None:
        above = marked.price.compare_at
        sums: dict[str, Any] = {
            "amount": marked.price.amount.amount,
            "compare_at": above.amount if above is not None else None,
        }
        sums["until"] = marked.price.effective_until if above is not None else None
        tx.execute(TOLD, {"account": account, **marked.key._asdict(), **sums})
    clean(tx, account, marked)


def clean(tx: Connection, account: str, marked: PriceMark) -> None:
    tx.execute(CLEAN, {"account": account, **marked.key._asdict(), "mark": marked.mark})


def refuse(tx: Connection, account: str, marked: PriceMark, why: str) -> None:
    """The account refused this price: it is not sent again until it changes or somebody mends it."""
    tx.execute(REFUSE, {"account": account, **marked.key._asdict(), "mark": marked.mark, "why": why[:300]})
