"""Who bought, and where it goes."""

from __future__ import annotations

from connectors.canonical.party import Address, Party
from connectors.kit.place import Place


def address(node: Place) -> Address | None:
    """An address of an order. A state longer than ISO 3166-2 allows is a name, not a code."""
    country, state = node.at("countryCode").country(), node.at("stateCode").text()
    code = state.upper().removeprefix(f"{country}-")
    coded = bool(country) and 0 < len(code) <= 3 and code.isascii() and code.isalnum()
    first, last = node.at("firstName").text(), node.at("lastName").text()
    further = (node.at(name).text() for name in ("suite", "postBox"))
    found = Address(
        name=node.at("fullName").text() or " ".join(part for part in (first, last) if part),
        company=node.at("companyName").text(),
        line1=node.at("address1").text(),
        line2=node.at("address2").text(),
        line3=", ".join(part for part in further if part),
        city=node.at("city").text(),
        region=code if coded else "",
        region_name="" if coded else state,
        postcode=node.at("postalCode").text(),
        country=country,
        phone=node.at("phone").text(),
        first_name=first,
        last_name=last,
        id=node.at("id").text(),
    )
    return None if found == Address() else found


def customer(order: Place) -> Party | None:
    """The buyer; a guest has no id of ours to link by, though Commerce Cloud gives each one."""
    info, bill = order.at("customerInfo"), order.at("billingAddress")
    guest = info.at("guest").flag(order.at("guest").flag())
    first, last = bill.at("firstName").text(), bill.at("lastName").text()
    if not first and not last:
        last = info.at("customerName").text()
    found = Party(
        id="" if guest else info.at("customerId").text(),
        number="" if guest else info.at("customerNo").text(),
        email=info.at("email").text(),
        phone=bill.at("phone").text(),
        first_name=first,
        last_name=last,
        company=bill.at("companyName").text(),
        locale=order.at("customerLocale").text(),
    )
    return None if found == Party() else found
