"""Buyers and addresses in Tryton's fields."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.party import Address

FIELDS = ("party_name", "street_unstructured", "city", "postal_code", "country", "subdivision")


def code(order: Order) -> str:
    """The party's code, unique in Tryton: by e-mail, so that one person is one party whatever the channel.

    Without one by the channel's customer, and a guest without either is only known by the order.
    """
    if order.email:
        return "mail-" + hashlib.sha256(order.email.strip().lower().encode()).hexdigest()[:24]
    if order.customer is not None and order.customer.id:
        return f"{order.channel}-{order.customer.id}"
    return f"{order.channel}-guest-{order.id}"


def party(order: Order, addresses: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What party.party is created with."""
    buyer = order.customer
    name = (buyer.name if buyer else "") or next((a.name for a in (order.billing, order.shipping) if a and a.name), "")
    ways = {"email": order.email.strip().lower(), "phone": buyer.phone if buyer else ""}
    values: dict[str, Any] = {
        "name": name or order.email or f"Guest of {order.channel}",
        "code": code(order),
        "addresses": [["create", addresses]],
        "contact_mechanisms": [["create", [{"type": kind, "value": said} for kind, said in ways.items() if said]]],
    }
    if buyer and buyer.tax_number:
        values["identifiers"] = [["create", [{"code": buyer.tax_number}]]]
    return values


def address(given: Address, country: int | None, subdivision: int | None) -> dict[str, Any]:
    """What party.address is created with. A region that Tryton does not know is kept beside the city."""
    region = given.region_name or given.region
    city = given.city if subdivision or not region else f"{given.city}, {region}".strip(", ")
    return {
        "party_name": ", ".join(part for part in (given.company, given.name) if part),
        "street_unstructured": "\n".join(part for part in (given.line1, given.line2, given.line3) if part),
        "city": city,
        "postal_code": given.postcode,
        "country": country,
        "subdivision": subdivision,
    }


def same(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether an address that is there says what we would write."""
    return all((row.get(name) or None) == (wanted.get(name) or None) for name in FIELDS)
