"""Business partners and the addresses of documents as SAP keeps them."""

from __future__ import annotations

from typing import Any

from connectors.canonical.order import Order
from connectors.canonical.party import Address, Party
from connectors.kit import names
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.odata import Row

PERSON, ORGANISATION = "1", "2"
ROLES = ("FLCU00", "FLCU01")  # customer of accounting, customer of sales


def identity(order: Order, policy: Policy) -> str:
    """The search term (20 characters) of a business partner under the account's rule; a guest without an address is the
    partner of one order.
    """
    own = names.customer_number("order", order.channel, order.id)
    buyer = order.customer.id if order.customer else ""
    channels = names.customer_number("customer", order.channel, buyer) if buyer else ""
    mailed = names.customer_number("email", names.plain_email(order.email)) if order.email else ""
    rules = {"email": mailed or channels, "external_id": channels or mailed, "always_new": own}
    return rules.get(policy.customer_match, mailed) or own


def business_partner(order: Order, policy: Policy) -> dict[str, Any]:
    """Who ordered."""
    place = order.billing or order.shipping or Address()
    return _body(order, order.customer or Party(), place, identity(order, policy), policy)


def places(order: Order, policy: Policy) -> dict[str, dict[str, Any]]:
    """Partner function -> the partner whose address is that of this order; one for one address, whoever orders to it."""
    wanted = {policy.ship_to_function: order.shipping, policy.bill_to_function: order.billing}
    return {function: place_partner(order, place, policy) for function, place in wanted.items() if place is not None}


def place_partner(order: Order, place: Address, policy: Policy) -> dict[str, Any]:
    """The partner of an address. Its search term is a mark of all that stands in it, so that another address is another."""
    mark = names.customer_number("address", *addressed(place, order.email).values())
    return _body(order, Party(), place, mark, policy)


def _body(order: Order, party: Party, place: Address, mark: str, policy: Policy) -> dict[str, Any]:
    """A partner in the roles of a customer, with its address and the sales area of our orders: one deep insert."""
    company = party.company or place.company
    names_ = _organisation(company) if company else _person(party, place)
    body = {
        "BusinessPartnerCategory": ORGANISATION if company else PERSON,
        "BusinessPartnerGrouping": policy.partner_grouping,
        "SearchTerm1": mark,
        **names_,
        "to_BusinessPartnerRole": {"results": [{"BusinessPartnerRole": role} for role in ROLES]},
        "to_BusinessPartnerAddress": {"results": [_stored(place, order.email, policy)]},
        "to_Customer": {"to_CustomerSalesArea": {"results": [_area(order, policy)]}},
    }
    return {name: value for name, value in body.items() if value}


def _organisation(company: str) -> dict[str, str]:
    return {"OrganizationBPName1": company[:40], "OrganizationBPName2": company[40:80]}


def _person(party: Party, place: Address) -> dict[str, str]:
    """A person needs a last name: where names are not told apart, the whole name is that."""
    last = party.last_name or place.last_name or (party.name or place.name or "Guest")
    first = party.first_name or place.first_name
    return {"FirstName": first[:40] if first != last else "", "LastName": last[:40]}


def _area(order: Order, policy: Policy) -> dict[str, str]:
    area = policy.area
    return {
        "SalesOrganization": area["SalesOrganization"],
        "DistributionChannel": area["DistributionChannel"],
        "Division": area["OrganizationDivision"],
        "Currency": order.totals.total.in_role(order.money_role).currency,
    }


def _stored(place: Address, email: str, policy: Policy) -> dict[str, Any]:
    """An address of the partner itself. SAP wants a country: who bought at a till or by mail alone has the account's own."""
    told: dict[str, Any] = {**_street(place), "Language": policy.language}
    told["Country"] = place.country or policy.wanted("country", "the country of a partner without an address")
    if email:
        told["to_EmailAddress"] = {"results": [{"EmailAddress": names.plain_email(email)[:241]}]}
    return {name: value for name, value in told.items() if value}


def partners(order: Order, policy: Policy, customer: str) -> list[dict[str, Any]]:
    """Ship-to and bill-to of an order with the addresses of this order alone; the partner's own stay as they are."""
    wanted = ((policy.ship_to_function, order.shipping), (policy.bill_to_function, order.billing))
    return [_partner(function, place, customer, order) for function, place in wanted if place is not None]


def _partner(function: str, place: Address, customer: str, order: Order) -> dict[str, Any]:
    address = {**addressed(place, order.email), "PartnerFunction": function}
    filled = {name: value for name, value in address.items() if value} | {"AddressRepresentationCode": ""}
    return {"PartnerFunction": function, "Customer": customer, "to_Address": {"results": [filled]}}


def addressed(place: Address, email: str = "") -> dict[str, str]:
    """An address of a document (A_SalesOrderPartnerAddress). A part that it has not is empty, as a new address may have
    fewer.
    """
    return {
        "AddresseeFullName": (place.name or place.company)[:80],
        "OrganizationName1": (place.company or place.name)[:40],
        "OrganizationName2": place.name[:40] if place.company else "",
        **_street(place),
        "EmailAddress": names.plain_email(place.email or email)[:241],
        "PhoneNumber": _phone(place.phone),
    }


def _street(place: Address) -> dict[str, str]:
    """Street 60, town 40, postcode 10, country as ISO code of two letters, region of three."""
    return {
        "StreetName": place.line1[:60],
        "StreetSuffixName1": place.line2[:40],
        "StreetSuffixName2": place.line3[:40],
        "DistrictName": place.district[:40],
        "CityName": place.city[:40],
        "PostalCode": place.postcode[:10],
        "Country": place.country,
        "Region": place.region[:3],
    }


def _phone(number: str) -> str:
    return number[:30] if not any(sign.isalpha() for sign in number) else ""


def moved(record: Row, place: Address, email: str) -> dict[str, str]:
    """What of a document's address is to be changed."""
    return {name: value for name, value in addressed(place, email).items() if (record.get(name) or "") != value}
