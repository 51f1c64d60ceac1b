"""A NetSuite account over HTTP: its tokens, records, transforms, SuiteQL and jobs, with its limits and errors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Response

from connectors.kit.simulator import Memory, Simulator
from connectors.netsuite import simulator_errors as errors
from connectors.netsuite.simulator_access import Access, Gauge
from connectors.netsuite.simulator_answers import answer, body
from connectors.netsuite.simulator_books import Books
from connectors.netsuite.simulator_effects import effects
from connectors.netsuite.simulator_jobs import Jobs
from connectors.netsuite.simulator_service import NetSuite, perform, serve

# Items that are no products, known in every simulated account, and account settings that go with them.
SPECIAL = {
    "9001": {"sku": "DISCOUNT", "type": "Discount"},
    "9002": {"sku": "FEE", "type": "OthCharge"},
    "9003": {"sku": "TIP", "type": "OthCharge"},
    "9004": {"sku": "DUTY", "type": "OthCharge"},
    "9005": {"sku": "ROUNDING", "type": "OthCharge"},
    "9006": {"sku": "TAX", "type": "OthCharge"},
    "9007": {"sku": "REMITTED-TAX", "type": "OthCharge"},
    "9008": {"sku": "ADJUSTMENT", "type": "OthCharge"},
    "9009": {"sku": "SHIPPING", "type": "OthCharge"},
    "9010": {"sku": "CUSTOM", "type": "NonInvtPart"},
    "9011": {"sku": "GIFT-CARD", "type": "GiftCert"},
}
DEMO_SETTINGS: dict[str, Any] = {
    "subsidiary": "1",
    "base_currency": "EUR",
    "currencies": {"EUR": "1", "USD": "2", "GBP": "3", "JPY": "4", "KWD": "5"},
    "location": "1",
    "ship_method": "31",
    "tax_code": "901",
    "tax_type": "11",
    "items": {
        "discount": "9001",
        "fee": "9002",
        "tip": "9003",
        "duty": "9004",
        "rounding": "9005",
        "tax": "9006",
        "remitted_tax": "9007",
        "adjustment": "9008",
        "shipping": "9009",
        "custom": "9010",
        "gift_card": "9011",
    },
}


def create(settings: Mapping[str, Any]) -> Simulator:
    """A simulated account.

    Settings: `client_id`, `certificate_id`, and `public_key` (PEM) or `private_key` (its public part is taken);
    `path` of a memory file; `token_seconds` (3600); `clock_skew` (seconds its clock is ahead); `concurrency` (5) calls
    at a time; `busy` = "429", "400" or "both" in turn: the shape in which it refuses more; `latency` (0 s) that each
    call takes; `job_seconds` (0.2) until an asynchronous job is done;
    `items` (id -> SKU, or {sku, type, title, barcode, inactive, modified, prices};
    with them an unknown id is refused, without them any number is an item);
    `stock` (item id -> {location id: quantity});
    `subsidiaries`, `locations`, `currencies`, `vendors` (ids that exist; none given: any);
    `refused_emails` (customers that it refuses with USER_ERROR);
    `applies_deposits` (true: an invoice takes its sales order's deposits by itself);
    `bill_drift` (what it adds to the first tax of a bill, as an engine that reckons anew).
    """
    path = settings.get("path")
    simulator = Simulator(
        "netsuite", Memory(Path(path) if path else None), error=errors.plain, key_header="x-netsuite-idempotency-key"
    )
    account = NetSuite(
        simulator=simulator,
        access=Access(
            simulator.memory,
            str(settings.get("client_id", "client")),
            str(settings.get("certificate_id", "certificate")),
            str(settings.get("public_key") or public_part(str(settings["private_key"]))),
            float(settings.get("token_seconds", 3600)),
            float(settings.get("clock_skew", 0)),
        ),
        gauge=Gauge(int(settings.get("concurrency", 5))),
        books=Books(
            simulator,
            subsidiaries=_texts(settings, "subsidiaries"),
            locations=_texts(settings, "locations"),
            currencies=_texts(settings, "currencies"),
            vendors=_texts(settings, "vendors"),
            refused_emails=tuple(one.casefold() for one in _texts(settings, "refused_emails")),
            open_catalogue=not settings.get("items"),
            applies_deposits=bool(settings.get("applies_deposits")),
            bill_drift=str(settings.get("bill_drift", "")),
        ),
        jobs=Jobs(simulator.memory, float(settings.get("job_seconds", 0.2))),
        latency=float(settings.get("latency", 0)),
        busy_status=str(settings.get("busy", "both")),
    )
    _seed(account, settings)
    serve(account)
    _control(account)
    return simulator


def _texts(settings: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(str(one) for one in settings.get(name, ()))


def private_key() -> str:
    """A new EC P-256 key as PEM, for an account of a demonstration."""
    key = ec.generate_private_key(ec.SECP256R1())
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


def public_part(pem: str) -> str:
    key = serialization.load_pem_private_key(pem.replace("\\n", "\n").encode(), None)
    shape = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, shape).decode()


def _seed(account: NetSuite, settings: Mapping[str, Any]) -> None:
    memory = account.simulator.memory
    given = {
        str(key): one if isinstance(one, Mapping) else {"sku": str(one)}
        for key, one in settings.get("items", {}).items()
    }
    for key, item in {**SPECIAL, **given}.items():
        if key not in memory.table("items"):
            memory.put("items", key, {"type": "InvtPart", **item})
    for item_id, places in settings.get("stock", {}).items():
        for location, quantity in places.items():
            _put_stock(account, {"item": str(item_id), "location": str(location), "available": quantity}, keep=True)


def _put_stock(account: NetSuite, row: Mapping[str, Any], keep: bool = False) -> None:
    key, memory = f"{row['item']}@{row['location']}", account.simulator.memory
    if keep and key in memory.table("stock"):
        return
    whole = {"onhand": row["available"], "incoming": "0", "committed": "0", **row}
    memory.put("stock", key, {name: str(value) for name, value in whole.items()})


def _control(account: NetSuite) -> None:
    app = account.simulator.app

    @app.get("/_sim/effects")
    def told_effects() -> Response:
        account.jobs.run_due(lambda job: perform(account, job))
        with account.simulator.memory.lock:
            return answer(effects(account.books))

    @app.get("/_sim/concurrency")
    def concurrency() -> Response:
        return answer({"limit": account.gauge.limit, "peak": account.gauge.peak, "refused": account.gauge.refused})

    @app.post("/_sim/tokens/ends")
    def end_tokens() -> Response:
        return answer({"ended": account.access.end_all()})

    @app.post("/_sim/items")
    def add_item() -> Response:
        given = body()
        account.simulator.memory.put("items", str(given["id"]), {"type": "InvtPart", **given})
        return answer(given, 201)

    @app.post("/_sim/stock")
    def set_stock() -> Response:
        given = body()
        _put_stock(account, given)
        return answer(given, 201)
