"""Customers and addresses as NetSuite keeps them."""

from __future__ import annotations

from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.party import Address, Party
from connectors.netsuite.mapping import names
from connectors.netsuite.mapping.policy import Policy


def customer_name(order: Order, policy: Policy) -> str:
    """The customer's external id under the account's rule; guests without an address are customers of their
    one order.
    """
    own = names.external_id("c", order.channel, order.id)
    channels = names.external_id("c", order.channel, order.customer.id) if order.customer and order.customer.id else ""
    mailed = names.of_email(order.email) if order.email else ""
    rules = {"email": mailed or channels, "external_id": channels or mailed, "always_new": own}
    return rules.get(policy.customer_match, mailed) or own


def customer(order: Order, external_id: str, policy: Policy) -> dict[str, Any]:
    """The body of a customer. A person needs a last name: the only name there is stands in for it, else "Guest"."""
    party = order.customer or Party()
    first, last = _names(party, order.billing or order.shipping or Address())
    body = {
        "externalId": external_id,
        "isPerson": True,
        "firstName": first[:32],
        "lastName": last[:32],
        "companyName": party.company[:83],
        "email": names.plain_email(order.email) if order.email else "",
        "phone": party.phone,
        "subsidiary": {"id": policy.subsidiary} if policy.subsidiary else None,
    }
    return {name: value for name, value in body.items() if value not in ("", None)}


def _names(party: Party, address: Address) -> tuple[str, str]:
    for one in (party, address):
        if one.last_name:
            return one.first_name, one.last_name
    whole = party.name or address.name or address.company or "Guest"
    first, _, last = whole.rpartition(" ")
    return first, last


def address(place: Address | None) -> dict[str, Any] | None:
    """An address subrecord; None where there is none. A company is the addressee and the person its attention."""
    if place is None:
        return None
    body = {
        "addressee": place.company or place.name,
        "attention": place.name if place.company else "",
        "addr1": place.line1,
        "addr2": place.line2,
        "addr3": place.line3 or place.district,
        "city": place.city,
        "state": place.region or place.region_name,
        "zip": place.postcode,
        "country": {"id": place.country} if place.country else "",
        "addrPhone": place.phone,
    }
    return {name: value for name, value in body.items() if value} or None
