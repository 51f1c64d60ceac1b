"""A line of a price file: read, and held against what a price must be like; pure.

Columns by name, in any order: sku, price, currency; and where they are wanted list, compare_at, min_quantity, from, until, promotion, tax
(included or excluded). Comma or semicolon between them, a point before decimals, UTF-8. Dates are ISO 8601; without an offset they are local
times of the feed's zone, a date alone is its first instant. `until` is the first instant at which the price holds no more.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from connectors.canonical.money import minor_unit

NEEDED = ("sku", "price", "currency")
KNOWN = (*NEEDED, "list", "compare_at", "min_quantity", "from", "until", "promotion", "tax")
MOST = Decimal("99999999999")
TAXES = {"": None, "included": True, "excluded": False}


class Unreadable(ValueError):
    """The file as a whole is none of prices: says why."""


class Refused(ValueError):
    """A line that is not taken: `code` for programs, the words for people."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True, slots=True)
class Line:
    """`amount` and `compare_at` in major units of `currency`; in force from `valid_from` until `valid_until` (open where None)."""

    sku: str
    price_list: str
    currency: str
    min_quantity: Decimal
    amount: Decimal
    compare_at: Decimal | None
    taxes_included: bool | None
    valid_from: datetime
    valid_until: datetime | None
    promotion: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What a feed's lines are held against (config/prices.toml). `now` dates a line that says no beginning."""

    zone: ZoneInfo
    currencies: frozenset[str]
    now: datetime


def rows(body: bytes) -> Sequence[Mapping[str, str]]:
    """The file's lines by column. Raises Unreadable for what is no table of prices, or has none."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"The file is not UTF-8 (byte {error.start}).") from None
    if "\x00" in text:
        raise Unreadable("The file has NUL bytes.")
    head = text.split("\n", 1)[0]
    try:
        reader = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in head else ",", restkey="", strict=True)
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        found = list(reader)
    except csv.Error as error:
        raise Unreadable(f"The file is no CSV: {error}.") from None
    missing = [name for name in NEEDED if name not in names]
    if missing or len(set(names)) < len(names):
        raise Unreadable(f"The first line must name the columns {', '.join(NEEDED)}, each once; it says: {head[:200]}")
    if not found:
        raise Unreadable("The file has no lines.")
    return found


def line(row: Mapping[str, str | None], policy: Policy) -> Line:
    """One line. Raises Refused."""
    said = {name: (row.get(name) or "").strip() for name in KNOWN}
    if row.get("", None) is not None or any(row.get(name) is None for name in NEEDED):
        raise Refused("columns", "The line has another number of columns than the first.")
    sku = _name("sku", said["sku"], needed=True)
    currency = said["currency"].upper()
    _in_currency(currency, policy)
    amount = _money("price", said["price"], currency)
    above = _money("compare_at", said["compare_at"], currency) if said["compare_at"] else None
    if above is not None and above <= amount:
        raise Refused("compare_at", "compare_at is what the price is reduced from: it must be above it.")
    begins, ends = _when("from", said["from"], policy) or policy.now, _when("until", said["until"], policy)
    if ends is not None and ends <= policy.now:
        raise Refused("over", "The price has ended already.")
    if ends is not None and ends <= begins:
        raise Refused("dates", "The price ends before it begins.")
    if said["tax"].lower() not in TAXES:
        raise Refused("tax", "tax is included or excluded.")
    pieces = _number("min_quantity", said["min_quantity"] or "1")
    if pieces <= 0:
        raise Refused("min_quantity", "min_quantity is above nothing.")
    return Line(
        sku,
        _name("list", said["list"]),
        currency,
        pieces,
        amount,
        above,
        TAXES[said["tax"].lower()],
        begins,
        ends,
        _name("promotion", said["promotion"]),
    )


def sku_of(row: Mapping[str, str | None]) -> str:
    """The SKU that a refused line is about, as far as it says one."""
    return (row.get("sku") or "").strip()[:200]


def list_of(row: Mapping[str, str | None]) -> str:
    return (row.get("list") or "").strip()[:100]


def _name(column: str, word: str, *, needed: bool = False) -> str:
    if needed and not word:
        raise Refused(column, f"{column} is missing.")
    if len(word) > 200 or not (word.isprintable() or not word):
        raise Refused(column, f"{column} is too long, or has characters that cannot be seen.")
    return word


def _in_currency(currency: str, policy: Policy) -> None:
    if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
        raise Refused("currency", f"{currency[:10] or 'nothing'} is no currency (ISO 4217).")
    if policy.currencies and currency not in policy.currencies:
        raise Refused("currency", f"Prices in {currency} are not taken (config/prices.toml).")


def _money(column: str, word: str, currency: str) -> Decimal:
    amount = _number(column, word)
    if amount <= 0:
        raise Refused(column, f"{column} is above nothing: what is free is no price.")
    if amount != amount.quantize(minor_unit(currency)):
        raise Refused(column, f"{column} {word} is finer than {currency} can be paid.")
    return amount


def _number(column: str, word: str) -> Decimal:
    try:
        found = Decimal(word) if word.isascii() and "_" not in word else None
    except InvalidOperation:
        found = None
    if found is None or not found.is_finite() or abs(found) > MOST or found != round(found, 4):
        raise Refused(column, f"{column} {word[:40]!r} is no number (write 1234.50).")
    return found


def _when(column: str, word: str, policy: Policy) -> datetime | None:
    if not word:
        return None
    try:
        at = datetime.combine(date.fromisoformat(word), time()) if len(word) == 10 else datetime.fromisoformat(word)
        return (at if at.tzinfo is not None else at.replace(tzinfo=policy.zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("dates", f"{column} {word[:40]!r} is no date (write 2026-12-01 or 2026-12-01T08:00).") from None


def numbered(found: Sequence[Mapping[str, str]], after: int, most: int) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The next lines after one, with the numbers that they have in the file (the first line names the columns)."""
    yield from ((n + 2, found[n]) for n in range(after, min(after + most, len(found))))
