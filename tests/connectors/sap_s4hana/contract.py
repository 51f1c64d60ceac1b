"""The company of S/4HANA that the inherited contract suite tries: every order on one customer, one partner for each, and V4."""

from __future__ import annotations

from connectors.kit.manifest import Limit
from connectors.sap_s4hana.simulator import DEMO_SETTINGS, MAIN
from tests.contract import samples
from tests.contract.contract import Contract, Fixture, Rate, Token

CREDENTIALS = {"user": "WAYBILL_COMM", "password": "password-of-tests"}
ITEMS = {"TG11": 7, "TG12": 8}
CODES = {
    **samples.CODES,
    "sku": {"WB-TEE": "TG11", "WB-MUG": "TG12"},
    "location": {"main": MAIN},
    "payment_method": {"card": "card"},
    "shipping_method": {"standard": "01"},
    "tax_code": {"standard": "ZTAX"},
    "unit": {"each": "PC"},
}
EXEMPT = {
    "daily_quota": "SAP publishes no limit for these services, least of all for a day",
    "token_expiry": "a user of Basic has no token, and a CSRF token guards writes only: test_session.py has fifty writers meet its end",
    "half_an_answer": "a change answers 204 without a body, of which there is no half",
    "schema_drift": "nothing of SAP's comes as a delivery",
}
SIMULATOR = {**CREDENTIALS, "items": ITEMS, "prices": {"TG11": "19.90", "TG12": "9.90"}}
CONTRACT = Contract(
    settings=DEMO_SETTINGS,
    credentials=CREDENTIALS,
    simulator=SIMULATOR,
    codes=CODES,
    fixtures=(Fixture("event__unused", "sap.s4.beh.salesorder.v1.SalesOrder.Changed.v1", ("ignored",)),),
    rate=Rate(
        Limit("calls", "bucket", 10, rate=15),
        {"calls": 42, "window": 2.0},
        lambda connector: list(connector.stock(["WB-TEE"])),
        "stock.A_MaterialStock.list",
    ),
    version="/sap/opu/odata/sap/",
    settles=0.5,
    exempt=EXEMPT,
)
CONTRACTS = {
    "": CONTRACT,
    "partners": Contract(
        settings={**DEMO_SETTINGS, "customer_match": "email"},
        credentials=CREDENTIALS,
        simulator=SIMULATOR,
        codes=CODES,
        version="/sap/opu/odata/sap/",
        settles=0.5,
        exempt=EXEMPT,
    ),
    # as a tenant of S/4HANA Cloud: orders over V4, tokens alone let in
    "v4": Contract(
        settings={**DEMO_SETTINGS, "sales_order_api": "v4", "authentication": "oauth"},
        credentials=CREDENTIALS,
        simulator={**SIMULATOR, "logon": "oauth"},
        codes=CODES,
        token=Token("oauth.token", lambda system: system.post("/_sim/tokens/ends")),
        version="/sap/",  # deliveries, partners and stock stay V2; the token service has no version
        settles=0.5,
        exempt={part: why for part, why in EXEMPT.items() if part != "token_expiry"},
    ),
}
