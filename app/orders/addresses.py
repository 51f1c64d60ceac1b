"""What of an order's delivery address nobody could deliver to, as the code of the field that has to be mended."""

from __future__ import annotations

from connectors.canonical.order import Order
from connectors.canonical.party import Address
from connectors.kit import regions

COUNTRY, REGION, PHONE = "address_country", "address_region", "address_phone"
# Where a carrier takes no parcel without the state, so what is told for one must be one of that country's. Elsewhere towns and postcodes do.
BY_STATE = frozenset(("US", "CA", "AU"))
DIGITS = 4  # fewer are no telephone number


def fault(order: Order) -> str:
    """The gravest fault of the delivery address: one of the codes above, else empty.

    What was left out is no fault here: the next who needs it says so.
    """
    place = order.shipping
    if place is None:
        return ""
    if place.country and not regions.country(place.country):
        return COUNTRY
    if _elsewhere(place):
        return REGION
    digits = sum(sign.isdigit() for sign in place.phone)
    return PHONE if place.phone and digits < DIGITS else ""


def _elsewhere(place: Address) -> bool:
    told = [word for word in (place.region, place.region_name) if word]
    by_state = regions.country(place.country) in BY_STATE
    return by_state and bool(told) and not any(regions.region(place.country, word) for word in told)
