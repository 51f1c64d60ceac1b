"""Who bought and where it goes."""

from __future__ import annotations

import re

from connectors.canonical.party import Address, Party
from connectors.kit.place import Place

CODE = re.compile(r"[A-Z]{2,3}")
CODED = ("US", "CA", "AU", "BR", "MX", "IN", "IT")  # where Amazon writes regions as their codes


def address(node: Place) -> Address | None:
    """A delivery address; the region as a code where it is one. None where it is empty."""
    region, country = node.at("stateOrRegion").text(), node.at("countryCode").country()
    coded = country in CODED and CODE.fullmatch(region) is not None
    kind = node.at("addressType").text().upper()
    found = Address(
        name=node.at("name").text(),
        company=node.at("companyName").text(),
        line1=node.at("addressLine1").text(),
        line2=node.at("addressLine2").text(),
        line3=node.at("addressLine3").text(),
        city=node.at("city").text() or node.at("municipality").text(),
        region=region if coded else "",
        region_name="" if coded else region,
        postcode=node.at("postalCode").text(),
        country=country,
        phone=node.at("phone").text(),
        residential={"RESIDENTIAL": True, "COMMERCIAL": False}.get(kind),
        district=node.at("districtOrCounty").text() or node.at("extendedFields").at("neighborhood").text(),
    )
    return None if found == Address() else found


def customer(order: Place) -> Party | None:
    """The buyer, whose name Amazon does not tell apart; the address is one of Amazon's own, that forwards. None without
    one (the role is missing, or Amazon fulfils)."""
    buyer, registered = order.at("buyer"), order.at("tax").at("taxRegistrations").items()
    numbers = (one.at("taxRegistrationNumber").text() for one in registered if one.at("entityType").text() == "BUYER")
    found = Party(
        email=buyer.at("buyerEmail").text(),
        last_name=buyer.at("buyerName").text(),
        company=buyer.at("buyerCompanyName").text(),
        tax_number=next(numbers, ""),
    )
    return None if found == Party() else found
