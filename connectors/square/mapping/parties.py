"""Who bought, and where the bill goes: Square keeps customers apart from orders, and many sales at a till have none."""

from __future__ import annotations

from connectors.canonical.party import Address, Party
from connectors.kit.place import Place
from connectors.square.mapping.fulfilments import Ways, address
from connectors.square.mapping.money_back import Money


def customer(body: Place, road: Ways) -> Party | None:
    """The customer's profile, else who the goods go to, else the address that the receipt went to."""
    node = body.at("customer")
    receipt = next(
        (
            one.at("buyer_email_address").text()
            for one in body.at("payments").items()
            if one.at("buyer_email_address").text()
        ),
        "",
    )
    person = next((one.address for one in road.deliveries if one.address), None)
    if node.value:
        return Party(
            id=node.at("id").text(),
            email=node.at("email_address").text() or receipt,
            phone=node.at("phone_number").text(),
            first_name=node.at("given_name").text(),
            last_name=node.at("family_name").text(),
            company=node.at("company_name").text(),
            tax_number=node.at("tax_ids").at("eu_vat").text(),
            number=node.at("reference_id").text(),
        )
    if person is not None or receipt:
        seen = person or Address()
        return Party(body.at("order").at("customer_id").text(), seen.email or receipt, seen.phone, last_name=seen.name)
    return None


def billing(money: Money, ship: Address | None) -> Address | None:
    rows = (
        {"address": one.at("billing_address").value}
        for one in money.payments.values()
        if one.at("billing_address").value
    )
    found = next(rows, None)
    return address(Place(found)) if found else ship
