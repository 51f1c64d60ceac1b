"""Who bought and where it goes."""

from __future__ import annotations

from connectors.canonical.party import Address, Party
from connectors.kit.place import Place


def address(node: Place) -> Address | None:
    """A billing address or a shipping consignment; the region is told by its name only. None where it is empty."""
    first, last = node.at("first_name").text(), node.at("last_name").text()
    found = Address(
        name=f"{first} {last}".strip(),
        company=node.at("company").text(),
        line1=node.at("street_1").text(),
        line2=node.at("street_2").text(),
        city=node.at("city").text(),
        region_name=node.at("state").text(),
        postcode=node.at("zip").text(),
        country=node.at("country_iso2").country(),
        phone=node.at("phone").text(),
        email=node.at("email").text(),
        first_name=first,
        last_name=last,
    )
    return None if found == Address() else found


def location(node: Place) -> Address | None:
    """The address of a place where orders are picked up."""
    found = Address(
        name=node.at("name").text(),
        line1=node.at("address_line_1").text(),
        line2=node.at("address_line_2").text(),
        city=node.at("city").text(),
        region_name=node.at("state").text(),
        postcode=node.at("postal_code").text(),
        country=node.at("country_alpha2").country(),
        phone=node.at("phone").text(),
        email=node.at("email").text(),
    )
    return None if found == Address() else found


def customer(order: Place) -> Party | None:
    """The buyer by the billing address; customer_id 0 is a guest."""
    bill, number = order.at("billing_address"), order.at("customer_id").text("0")
    found = Party(
        id="" if number == "0" else number,
        email=bill.at("email").text(),
        phone=bill.at("phone").text(),
        first_name=bill.at("first_name").text(),
        last_name=bill.at("last_name").text(),
        company=bill.at("company").text(),
        locale=order.at("customer_locale").text(),
    )
    return None if found == Party(locale=found.locale) else found
