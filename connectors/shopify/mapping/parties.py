"""Who bought and where it goes."""

from __future__ import annotations

from connectors.canonical.party import Address, Party
from connectors.shopify.mapping.values import Place


def address(node: Place) -> Address | None:
    """A postal address; None where there is none or every field of it is empty (a POS sale)."""
    if node.value is None:
        return None
    first, last = node.at("first_name").text(), node.at("last_name").text()
    found = Address(
        name=node.at("name").text() or f"{first} {last}".strip(),
        company=node.at("company").text(),
        line1=node.at("address1").text(),
        line2=node.at("address2").text(),
        city=node.at("city").text(),
        region=node.at("province_code").text(),
        region_name=node.at("province").text(),
        postcode=node.at("zip").text(),
        country=node.at("country_code").country(),
        phone=node.at("phone").text(),
    )
    return None if found == Address() else found


def customer(order: Place) -> Party | None:
    """The customer record, the order's own e-mail and phone before the record's. None when nobody is named."""
    record = order.at("customer")
    bill = order.at("billing_address")
    found = Party(
        id=record.at("id").id(),
        email=order.at("email").text() or order.at("contact_email").text() or record.at("email").text(),
        phone=order.at("phone").text() or record.at("phone").text(),
        first_name=record.at("first_name").text() or bill.at("first_name").text(),
        last_name=record.at("last_name").text() or bill.at("last_name").text(),
        company=bill.at("company").text(),
        tax_exempt=order.at("tax_exempt").flag() or record.at("tax_exempt").flag(),
        locale=order.at("customer_locale").text(),
    )
    return None if found == Party(locale=found.locale) else found
