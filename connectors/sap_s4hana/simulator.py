"""A company of SAP S/4HANA over HTTP: its OData V2 services, sessions with CSRF tokens, prices by conditions, and errors."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Response, request

from connectors.kit.simulator import Memory, Simulator
from connectors.sap_s4hana import simulator_documents as documents
from connectors.sap_s4hana import simulator_odata as odata
from connectors.sap_s4hana import simulator_v4 as v4
from connectors.sap_s4hana.auth import PATH
from connectors.sap_s4hana.simulator_access import Access
from connectors.sap_s4hana.simulator_catalogue import enter, stocked
from connectors.sap_s4hana.simulator_company import Company
from connectors.sap_s4hana.simulator_effects import effects
from connectors.sap_s4hana.simulator_service import serve

MAIN, SHOP, TILL = "1710/171A", "1720/172A", "1710/171S"
HELD, GONE = "1790/QUAR", "1791/LOST"  # of returned goods: quarantine, scrap
CUSTOMER = "17100001"
CONDITIONS = {
    "price": "PMP0", "discount": "ZDSC", "tax": "ZTAX", "order_discount": "ZHDS", "shipping": "ZFRT", "fee": "ZFEE",
    "tip": "ZTIP", "duty": "ZDTY", "rounding": "ZRND", "header_tax": "ZHTX", "remitted_tax": "",
}  # fmt: skip
WHAT = {
    "PMP0": "price", "ZDSC": "net", "ZTAX": "tax", "ZHDS": "header_net", "ZFRT": "header_net", "ZFEE": "header_net",
    "ZTIP": "header_net", "ZDTY": "header_net", "ZRND": "header_net", "ZHTX": "header_tax",
}  # fmt: skip
MATERIALS = {"custom": "ZCUSTOM", "gift_card": "ZGIFT", "credit": "ZCREDIT"}
CURRENCIES = {"EUR": "0.01", "USD": "0.01", "GBP": "0.01", "JPY": "1", "KWD": "0.001"}
DEMO_SETTINGS: dict[str, Any] = {
    "sales_organization": "1710",
    "distribution_channel": "10",
    "division": "00",
    "customer": CUSTOMER,
    "country": "DE",
    "location": MAIN,
    "quarantine": HELD,
    "scrap": GONE,
    "conditions": {name: kind for name, kind in CONDITIONS.items() if kind},
    "materials": MATERIALS,
    "price_type": "PPR0",
    "rejection_reason": "50",
    "return_reason": "101",
    "credit_reason": "100",
}


def create(settings: Mapping[str, Any]) -> Simulator:
    """A simulated company.

    Settings: `user`, `password`; `path` of a memory file; `session_seconds` (1800); `logon` ("oauth": no service
    takes Basic), `token_seconds` (3600); `latency` (0 s); `items` (material -> a
    quantity in unrestricted use at the first place, or {place: quantity}); `products` (material -> fields of its record), `prices`
    (material -> a rate, or fields of condition records); `places`, `area`, `conditions` (type -> price,
    net, tax, header_net, header_tax), `currencies`, `customers`, `reasons` that exist; `refused_emails`; `calls` in
    `window` (1 s) that are taken (0: all); `rows_at_most` of an answer over OData V4 (1000).
    """
    path = settings.get("path")
    simulator = Simulator("sap_s4hana", Memory(Path(path) if path else None), error=odata.plain)
    places = tuple(settings.get("places", (MAIN, SHOP, TILL, HELD, GONE)))
    items: Mapping[str, Any] = settings.get("items", {})
    company = Company(
        simulator=simulator,
        materials={name: {"unit": "PC"} for name in (*map(str, items), *MATERIALS.values())},
        places=frozenset(places),
        area=tuple(settings.get("area", ("1710", "10", "00"))),
        conditions=dict(settings.get("conditions", WHAT)),
        currencies={code: Decimal(unit) for code, unit in settings.get("currencies", CURRENCIES).items()},
        customers=frozenset(map(str, settings.get("customers", (CUSTOMER,)))),
        reasons=frozenset(map(str, settings.get("reasons", ("50",)))),
        refused_emails=tuple(str(one).casefold() for one in settings.get("refused_emails", ())),
    )
    access = Access(
        str(settings.get("user", "user")),
        str(settings.get("password", "password")),
        float(settings.get("session_seconds", 1800)),
        float(settings.get("token_seconds", 3600)),
        settings.get("logon") == "oauth",
    )
    _stock(company, items, places[0])
    stocked(company, settings.get("products", {}), settings.get("prices", {}))
    _gate(simulator, settings)
    serve(company, access)
    v4.serve(company, access, int(settings.get("rows_at_most", 1000)))
    _control(company, access, places[0])
    return simulator


def _stock(company: Company, items: Mapping[str, Any], first: str) -> None:
    for material, told in items.items():
        for place, quantity in (told if isinstance(told, Mapping) else {first: told}).items():
            if f"{material}@{place}@01" not in company.rows("stock"):
                documents.stock(company, str(material), place, Decimal(str(quantity)))


def _gate(simulator: Simulator, settings: Mapping[str, Any]) -> None:
    """A limit where somebody set one (SAP publishes none), and the time that every call takes."""
    taken: list[float] = []
    most, window, latency = (
        float(settings.get(name, other)) for name, other in (("calls", 0), ("window", 1), ("latency", 0))
    )

    @simulator.app.before_request
    def gate() -> Response | None:
        if request.path.startswith("/_sim/"):
            return None
        if latency:
            time.sleep(latency)
        now = time.monotonic()
        with simulator.memory.lock:
            taken[:] = [at for at in taken if now - at < window]
            taken.append(now)
            over = bool(most) and len(taken) > most
        return simulator.answer("gate", False, lambda: simulator.refuse(429, "Too many requests")) if over else None


def _control(company: Company, access: Access, place: str) -> None:
    app = company.simulator.app

    @app.get("/_sim/effects")
    def told_effects() -> Response:
        with company.simulator.memory.lock:
            return Response(json.dumps(effects(company)), content_type="application/json")

    @company.simulator.operation(PATH, "oauth.token", ["POST"])
    def token() -> Response:
        return access.token()

    @app.post("/_sim/tokens/ends")
    def end_tokens() -> Response:
        return Response(json.dumps({"ended": access.end_tokens()}), content_type="application/json")

    @app.post("/_sim/sessions/ends")
    def end_sessions() -> Response:
        return Response(json.dumps({"ended": access.end_all()}), content_type="application/json")

    @app.post("/_sim/materials")
    def add_material() -> Response:
        """{"material", "stock"}: somebody enters it, with so many at the first place."""
        told = request.get_json()
        with company.simulator.memory.lock:
            enter(company, str(told["material"]))
            _stock(company, {told["material"]: told.get("stock", 0)}, place)
        return Response("{}", content_type="application/json")

    @app.post("/_sim/stock")
    def add_stock() -> Response:
        told = request.get_json()
        with company.simulator.memory.lock:
            documents.stock(
                company,
                told["material"],
                told["place"],
                Decimal(str(told["more"])),
                told.get("kind", "01"),
                told.get("batch", ""),
            )
        return Response("{}", content_type="application/json")
