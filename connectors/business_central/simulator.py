"""A company of Business Central over HTTP: Microsoft Entra's tokens, API v2.0, its limits, webhooks and errors."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Response, request

from connectors.business_central import simulator_refusals as refusals
from connectors.business_central.simulator_access import Access, Gate
from connectors.business_central.simulator_books import Books
from connectors.business_central.simulator_effects import effects
from connectors.business_central.simulator_hooks import Hooks
from connectors.business_central.simulator_pages import Company
from connectors.business_central.simulator_service import answer, serve
from connectors.kit.simulator import Memory, Simulator

TENANT = "7b1f3a52-6a3f-4a0e-9d0c-0d6f5d0e7a11"
COMPANY = "f64eba74-dacd-4854-a584-1834f68cfc3a"
MAIN, SHOP = "26814998-936a-401c-81c1-0e848a64971d", "130bbd17-dbb9-4790-9b12-2b0e9c9d22c3"
HELD, GONE = "5f2f6c8e-41c2-4b0e-9c61-7d0a5b3f9e11", "5f2f6c8e-41c2-4b0e-9c61-7d0a5b3f9e12"  # quarantine, scrap
PAYMENTS, REFUNDS = "4b4f31f0-dc1c-4033-b2aa-ab03ca1d6ebc", "5cdba574-5f69-4167-a43e-fb975045de15"
DELIVERY = "774c550b-593f-4e11-be74-6045bdc8c285"
ACCOUNTS = {
    "discount": "40910", "fee": "40420", "tip": "22850", "duty": "22760", "rounding": "69010", "tax": "22700",
    "remitted_tax": "22710", "adjustment": "40900", "shipping": "40410", "custom": "40100", "gift_card": "22800",
    "credit": "40920",
}  # fmt: skip
RATES = {"NOTAX": "0", "VAT19": "19", "VAT7": "7", "VAT25": "25", "VAT81": "8.1"}
CURRENCIES = {"EUR": "0.01", "USD": "0.01", "GBP": "0.01", "JPY": "1", "KWD": "0.001"}
DEMO_SETTINGS: dict[str, Any] = {
    "tenant": TENANT,
    "company": COMPANY,
    "base_currency": "EUR",
    "location": MAIN,
    "shipment_method": DELIVERY,
    "accounts": ACCOUNTS,
    "no_tax": "NOTAX",
    "refund_journal": REFUNDS,
    "payment_journal": PAYMENTS,
    "stock_location": "main",
    "quarantine": HELD,
    "scrap": GONE,
}


def create(settings: Mapping[str, Any]) -> Simulator:
    """A simulated company.

    Settings: `tenant`, `client_id`, `client_secret`, `environment` (Production), `company` (GUID); `path` of a memory
    file; `token_seconds` (3599); `requests` (6000) in `window` (300 s), `at_once` (5), `queue` (95); `retry_after` (0: a 429
    names none); `latency` (0 s); `items` (number -> {inventory, unitPrice ...} or a quantity); `rates` (tax code -> per
    cent), `vat_rounding` (nearest, down, up), `currencies` (code -> smallest amount), `accounts`, `locations`, `journals`
    that exist; `stock_page` ("publisher/group/version/entitySet") with `stock` (item -> {location code: quantity});
    `manual_numbers` (true); `refused_emails`; `subscription_days` (3).
    """
    path = settings.get("path")
    simulator = Simulator("business_central", Memory(Path(path) if path else None), error=refusals.plain)
    company = Company(
        simulator=simulator,
        access=Access(
            simulator.memory,
            str(settings.get("tenant", TENANT)),
            str(settings.get("client_id", "client")),
            str(settings.get("client_secret", "secret")),
            float(settings.get("token_seconds", 3599)),
        ),
        gate=Gate(
            int(settings.get("requests", 6000)),
            float(settings.get("window", 300)),
            int(settings.get("at_once", 5)),
            int(settings.get("queue", 95)),
        ),
        books=_books(simulator, settings),
        hooks=Hooks(simulator.memory, float(settings.get("subscription_days", 3))),
        company=str(settings.get("company", COMPANY)),
        environment=str(settings.get("environment", "Production")),
        latency=float(settings.get("latency", 0)),
        retry_after=int(settings.get("retry_after", 0)),
        stock_page=str(settings.get("stock_page", "")),
    )
    _seed(company, settings)
    serve(company)
    _control(company)
    return simulator


def _books(simulator: Simulator, settings: Mapping[str, Any]) -> Books:
    return Books(
        simulator,
        rates={code: Decimal(str(rate)) for code, rate in settings.get("rates", RATES).items()},
        currencies={code: Decimal(str(unit)) for code, unit in settings.get("currencies", CURRENCIES).items()},
        accounts=frozenset(map(str, settings.get("accounts", ACCOUNTS.values()))),
        locations=frozenset(str(one).lower() for one in settings.get("locations", (MAIN, SHOP, HELD, GONE))),
        journals=frozenset(str(one).lower() for one in settings.get("journals", (PAYMENTS, REFUNDS))),
        refused_emails=tuple(str(one).casefold() for one in settings.get("refused_emails", ())),
        rounding=str(settings.get("vat_rounding", "nearest")),
        manual_numbers=bool(settings.get("manual_numbers", True)),
    )


def _seed(company: Company, settings: Mapping[str, Any]) -> None:
    for number, told in settings.get("items", {}).items():
        if company.books.by_number("items", str(number)) is None:
            _item(company, {"number": str(number), **(told if isinstance(told, Mapping) else {"inventory": told})})
    for item, places in settings.get("stock", {}).items():
        for place, quantity in places.items():
            row = {"itemNumber": str(item), "locationCode": place, "inventory": Decimal(str(quantity))}
            company.simulator.memory.put("stock", f"{item}@{place}", row)


def _item(company: Company, told: Mapping[str, Any]) -> dict[str, Any]:
    """An item of the company; `lastModifiedDateTime` may be given for a story."""
    whole = {
        "type": "Inventory", "blocked": False, "inventory": "0", "unitPrice": "10", "priceIncludesTax": False, "unitCost": "4",
        "displayName": told["number"], "baseUnitOfMeasureCode": "PCS", "taxGroupCode": "", "gtin": "",
    }  # fmt: skip
    record = {
        **whole,
        **{
            name: str(one) if isinstance(one, int | float | Decimal) and not isinstance(one, bool) else one
            for name, one in told.items()
        },
    }
    stamp = record.pop("lastModifiedDateTime", None)
    old = company.books.by_number("items", record["number"].upper())
    own = {"id": old["id"] if old else record.get("id", str(uuid.uuid4())), "number": record["number"].upper()}
    return company.books.keep("items", {**record, **own, "_stamp": stamp})


def _control(company: Company) -> None:
    app = company.simulator.app

    @app.get("/_sim/effects")
    def told_effects() -> Response:
        with company.simulator.memory.lock:
            return answer(effects(company.books))

    @app.get("/_sim/gate")
    def gate() -> Response:
        told = {"peak": company.gate.peak, "refused": company.gate.refused, "requests": len(company.gate.times)}
        return answer(told)

    @app.post("/_sim/tokens/ends")
    def end_tokens() -> Response:
        return answer({"ended": company.access.end_all()})

    @app.post("/_sim/items")
    def add_item() -> Response:
        return answer({"id": _item(company, request.get_json())["id"]}, 201)

    @app.post("/_sim/notify")
    def notify() -> Response:
        told = json.loads(request.get_data() or b"{}")
        statuses = company.hooks.notify(told["entity"], told["id"], company.company, told.get("change", "updated"))
        return answer({"statuses": statuses})
