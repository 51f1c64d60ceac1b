"""Times, sums and versions as BigCommerce writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime

from connectors.canonical.money import Money, MoneyBag, minor_unit
from connectors.kit.place import Place

# https://developer.bigcommerce.com/docs/rest-management/orders/order-status
INCOMPLETE, PENDING, SHIPPED, PARTIALLY_SHIPPED, REFUNDED, CANCELLED, DECLINED = range(7)
AWAITING_PAYMENT, VERIFICATION, DISPUTED, PARTIALLY_REFUNDED = 7, 12, 13, 14
GONE = (CANCELLED, DECLINED)


def moment(place: Place) -> datetime | None:
    """v2 writes RFC 2822 ("Tue, 05 Mar 2019 21:40:11 +0000"), v3 ISO 8601, both in UTC; "" is no time."""
    text = place.text()
    if not text:
        return None
    if text[0].isdigit():
        return place.time()
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        raise place.fault("should be a time (RFC 2822 or ISO 8601)") from None
    if found.tzinfo is None:
        raise place.fault("should be a time with its offset")
    return found.astimezone(UTC)


def instant(place: Place) -> datetime:
    found = moment(place)
    if found is None:
        raise place.fault("is missing")
    return found


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of one order: all in the transactional currency (default_currency_code), v2 as text with four decimals."""

    currency: str

    def bag(self, amount: Decimal) -> MoneyBag:
        """In whole minor units where it is such, else with its own decimals (prices without tax may have four)."""
        rounded = amount.quantize(minor_unit(self.currency))
        return MoneyBag(Money(rounded if rounded == amount else amount.normalize(), self.currency))

    def zero(self) -> MoneyBag:
        return self.bag(Decimal(0))

    def sum(self, bags: list[MoneyBag]) -> MoneyBag:
        return sum(bags, start=self.zero())

    def rounded(self, amount: Decimal) -> Decimal:
        return Money(amount, self.currency).rounded().amount


def sums_of(order: Place) -> Sums:
    """Raises Unreadable where the transactional currency is missing or none."""
    place = order.at("default_currency_code")
    code = place.needed().text().upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise place.fault(f"is {code!r}, not a currency (ISO 4217)")
    return Sums(code)


def amount(node: Place, name: str) -> Decimal:
    """A sum that a payload may leave out or leave empty: then it is nothing."""
    place = node.at(name)
    return Decimal(0) if place.value in (None, "") else place.number()


def version(at: datetime) -> str:
    """An instant as a version: UTC, microseconds, so that text order is time order."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def order_version(order: Place) -> str:
    """Told alike by the order and by its row in a list. date_modified has whole seconds, and much can happen in one:
    what seldom goes back (cancelled, pieces shipped, refunded) fills the microseconds."""
    status = int(order.at("status_id").number(default=Decimal(0)))
    shipped = int(order.at("items_shipped").number(default=Decimal(0)))
    refunded = {"partially refunded": 1, "refunded": 2}.get(order.at("payment_status").text().lower(), 0)
    rank = 500_000 * (status in GONE) + 1_000 * min(shipped, 400) + refunded
    return version(instant(order.at("date_modified")).replace(microsecond=rank))
