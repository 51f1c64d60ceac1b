"""Times, sums and versions as BigCommerce writes them: sums are all in the transactional currency, in v2 as text."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime

from connectors.kit.place import Place
from connectors.kit.sums import Sums
from connectors.kit.versions import version

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


def sums_of(order: Place) -> Sums:
    """Raises Unreadable where the transactional currency is missing or none."""
    return Sums(order.at("default_currency_code").currency())


def amount(node: Place, name: str) -> Decimal:
    """A sum that a payload may leave out or leave empty: then it is nothing."""
    place = node.at(name)
    return Decimal(0) if place.value in (None, "") else place.number()


def order_version(order: Place) -> str:
    """Told alike by the order and by its row in a list. date_modified has whole seconds, and much can happen in one:
    what seldom goes back (cancelled, pieces shipped, refunded) fills the microseconds."""
    status = int(order.at("status_id").number(default=Decimal(0)))
    shipped = int(order.at("items_shipped").number(default=Decimal(0)))
    refunded = {"partially refunded": 1, "refunded": 2}.get(order.at("payment_status").text().lower(), 0)
    rank = 500_000 * (status in GONE) + 1_000 * min(shipped, 400) + refunded
    return version(instant(order.at("date_modified")).replace(microsecond=rank))
