"""Customers and addresses as Business Central keeps them."""

from __future__ import annotations

from typing import Any

from connectors.business_central.mapping.policy import Policy
from connectors.canonical.order import Order
from connectors.canonical.party import Address, Party
from connectors.kit import names


def identity(order: Order, policy: Policy) -> str:
    """The customer's number under the account's rule; guests without an address are customers of their one order."""
    own = names.customer_number("order", order.channel, order.id)
    buyer = order.customer.id if order.customer else ""
    channels = names.customer_number("customer", order.channel, buyer) if buyer else ""
    mailed = names.customer_number("email", names.plain_email(order.email)) if order.email else ""
    rules = {"email": mailed or channels, "external_id": channels or mailed, "always_new": own}
    return rules.get(policy.customer_match, mailed) or own


def customer(order: Order, policy: Policy) -> dict[str, Any]:
    """The body of a customer: a company where there is one, else a person; the only name there is stands in, else Guest."""
    party, place = order.customer or Party(), order.billing or order.shipping or Address()
    company = party.company or place.company
    body = {
        "number": identity(order, policy) if policy.customer_numbers == "ours" else "",
        "displayName": (company or party.name or place.name or "Guest")[:100],
        "type": "Company" if company else "Person",
        "email": names.plain_email(order.email)[:80],
        "phoneNumber": _phone(party.phone or place.phone),
        "taxRegistrationNumber": party.tax_number[:20],
        **_address(place, ("addressLine1", "addressLine2", "city", "state", "postalCode", "country")),
    }
    return {name: value for name, value in body.items() if value}


SHIP_TO = tuple(f"shipTo{part}" for part in ("AddressLine1", "AddressLine2", "City", "State", "PostCode", "Country"))
SELL_TO = tuple(f"sellTo{part}" for part in ("AddressLine1", "AddressLine2", "City", "State", "PostCode", "Country"))


def ship_to(place: Address | None) -> dict[str, str]:
    """Where it goes. A part that the address has not is sent empty, as a new address may have fewer."""
    if place is None:
        return {}
    names_ = {
        "shipToName": (place.company or place.name)[:100],
        "shipToContact": place.name[:100] if place.company else "",
    }
    return {**names_, **_address(place, SHIP_TO)}


def sell_to(place: Address | None) -> dict[str, str]:
    """The billing address: API v2.0 lets only the sell-to address of an order be written."""
    return {} if place is None else _address(place, SELL_TO)


def _address(place: Address, fields: tuple[str, ...]) -> dict[str, str]:
    """Two lines of 100 and 50 characters, city and state of 30, postcode of 20, country as ISO code."""
    more = ", ".join(part for part in (place.line2, place.line3, place.district) if part)
    parts = (
        place.line1[:100],
        more[:50],
        place.city[:30],
        (place.region or place.region_name)[:30],
        place.postcode[:20],
        place.country,
    )
    return dict(zip(fields, parts, strict=True))


def _phone(number: str) -> str:
    """Thirty characters and no letter: Business Central refuses letters in a telephone number."""
    return number[:30] if not any(sign.isalpha() for sign in number) else ""
