"""What must be asked of a booked sales order so that it becomes what it should be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.sap_s4hana.mapping import items, parties
from connectors.sap_s4hana.mapping.asks import ADDRESS, ORDER, PARTNER, TEXT, Ask, Standing
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.mapping.sales_order import Document, text
from connectors.sap_s4hana.odata import etag, rows

FIXED = frozenset(
    "SalesOrderType SalesOrganization DistributionChannel OrganizationDivision PurchaseOrderByCustomer TransactionCurrency "
    "CustomerPurchaseOrderDate PricingDate".split()
)


def towards(there: Standing, wanted: Document, policy: Policy) -> list[Ask]:
    """The requests that bring an order to a document; empty when it stands so already. Raises Rejected("shipped")."""
    return [
        *items.towards(there, wanted, policy),
        *_header(there, wanted),
        *_partners(there, wanted),
        *_addresses(there, wanted, policy),
        *_note(there, wanted, policy),
    ]


def _header(there: Standing, wanted: Document) -> Iterator[Ask]:
    told = {name: value for name, value in wanted.header.items() if name not in FIXED}
    patch = {name: value for name, value in told.items() if not _same(there.header.get(name), value)}
    if patch:
        yield Ask("PATCH", ORDER, there.keys, patch, etag(there.header))


def _same(told: Any, wanted: Any) -> bool:
    return (told or "") == (wanted or "")


def _partners(there: Standing, wanted: Document) -> Iterator[Ask]:
    """Whom it is shipped and billed to, where addresses are those of partners: another address is another partner."""
    mine = {str(one["PartnerFunction"]): one for one in rows(there.header.get("to_Partner"))}
    for function, customer in wanted.places.items():
        found = mine.get(function)
        if found is None:
            yield Ask(
                "POST", ORDER, there.keys, {"PartnerFunction": function, "Customer": customer}, below="to_Partner"
            )
        elif found.get("Customer") != customer:
            yield Ask(
                "PATCH", PARTNER, {**there.keys, "PartnerFunction": function}, {"Customer": customer}, etag(found)
            )


def _addresses(there: Standing, wanted: Document, policy: Policy) -> Iterator[Ask]:
    order = wanted.order
    places = {policy.ship_to_function: order.shipping, policy.bill_to_function: order.billing}
    for one in there.addresses:
        place = places.get(str(one["PartnerFunction"]))
        patch = parties.moved(one, place, order.email) if place is not None else {}
        if patch:
            names = ("SalesOrder", "PartnerFunction", "AddressRepresentationCode")
            yield Ask("PATCH", ADDRESS, {name: str(one.get(name) or "") for name in names}, patch, etag(one))


def _note(there: Standing, wanted: Document, policy: Policy) -> Iterator[Ask]:
    note = wanted.order.note
    mine = [one for one in rows(there.header.get("to_Text")) if one.get("LongTextID") == policy.note_text]
    if not policy.note_text or (mine[0].get("LongText") if mine else "") == note:
        return
    if not mine:
        yield Ask("POST", ORDER, there.keys, text(note, policy), below="to_Text")
        return
    keys = {name: str(mine[0][name]) for name in ("Language", "LongTextID")}
    yield Ask("PATCH", TEXT, {**there.keys, **keys}, {"LongText": note}, etag(mine[0]))
