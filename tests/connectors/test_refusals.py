"""Whatever an answer refuses, and in whichever words: a person reads what happened, what to do, and whose it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import simplejson

from connectors.amazon.refusals import sorted_out as amazon
from connectors.bigcommerce.refusals import sorted_out as bigcommerce
from connectors.business_central.errors import sorted_trouble as business_central
from connectors.kit.errors import Rejected, Trouble, Unauthorized
from connectors.kit.http import Answer
from connectors.kit.verdicts import trouble
from connectors.netsuite.errors import sorted_trouble as netsuite
from connectors.salesforce_commerce.refusals import sorted_out as salesforce_commerce
from connectors.sap_s4hana.errors import sorted_trouble as sap_s4hana
from connectors.shipbob.refusals import sorted_out as shipbob
from connectors.shopify.client import _sorted, refused
from connectors.shopify.documents import ORDER
from connectors.square.refusals import sorted_out as square
from tests.connectors.counting import explained


def raised(answer: Answer) -> Trouble | None:
    try:
        shipbob(answer, lambda seconds: None)
    except (Rejected, Unauthorized) as found:
        return found
    return None


SORTERS: dict[str, Callable[[Answer], Trouble | None]] = {
    "kit": trouble,
    "amazon": amazon,
    "bigcommerce": bigcommerce,
    "business_central": lambda answer: business_central(answer, "sales order"),
    "netsuite": lambda answer: netsuite(answer, "sales order"),
    "salesforce_commerce": salesforce_commerce,
    "sap_s4hana": lambda answer: sap_s4hana(answer, "sales order"),
    "shipbob": raised,
    "square": square,
}
REFUSED = (400, 401, 402, 403, 404, 405, 409, 410, 412, 422, 451)
BODIES = (
    None,
    [],
    "text",
    {},
    {"errors": [{"code": "NEW", "message": "Words.", "category": "NEW", "detail": "Words.", "field": "amount"}]},
    {"title": "Words.", "status": 400, "type": "https://example.com/new"},
    {"fault": {"type": "NewException", "message": "Words."}},
    {"error": {"code": "NEW/1", "message": {"lang": "en", "value": "Words."}}},
    {"error": {"code": "New_Thing", "message": "Words."}},
    {"o:errorDetails": [{"detail": "Words.", "o:errorCode": "NEW"}]},
    {"existing ReferenceId": ["Words."]},
)


@pytest.mark.parametrize("system", SORTERS)
def test_every_refusal_says_what_to_do_and_whose_it_is(system: str) -> None:
    bodies = [simplejson.dumps(one).encode() for one in BODIES] + [b"", b"<html>Sign in</html>"]
    found = [SORTERS[system](Answer(status, {}, body, write=True)) for status in REFUSED for body in bodies]
    refusals = [one for one in found if isinstance(one, Rejected | Unauthorized)]
    assert {type(one) for one in refusals} == {Rejected, Unauthorized}
    for one in refusals:
        explained(one)


def test_every_refusal_of_shopify_says_what_to_do_and_whose_it_is() -> None:
    explained(refused({"message": "Words.", "field": ["input", "0"]}, "the order"))
    for code in ("", "ACCESS_DENIED", "SHOP_INACTIVE", "NEW"):
        explained(_sorted(ORDER, [{"message": "Words.", "extensions": {"code": code}}], 1.0))


@pytest.mark.parametrize("kind", [Rejected, Unauthorized])
def test_a_refusal_that_names_no_remedy_has_the_general_one(kind: type[Rejected] | type[Unauthorized]) -> None:
    assert kind("Words.").remedy
    assert kind("Words.", remedy="Own.").remedy == "Own."
