"""The Business Central company that the inherited contract suite tries."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import simplejson

from connectors.business_central.simulator import DELIVERY, DEMO_SETTINGS, MAIN
from connectors.canonical.snapshot import Pointer
from connectors.kit.manifest import Limit
from connectors.kit.receiver import Incoming
from tests.contract import samples
from tests.contract.contract import Contract, Fixture, Poll, Rate, Token, Webhooks
from tests.contract.system import System

CREDENTIALS = {"client_id": "client-1", "client_secret": "secret-of-tests", "client_state": "state-of-tests"}
ITEMS = {"WB-TEE": 7, "WB-MUG": 8}
CODES = {
    **samples.CODES,
    "sku": {"WB-TEE": "WB-TEE", "WB-MUG": "WB-MUG"},
    "location": {"main": MAIN},
    "payment_method": {"card": "bank:CARDS"},
    "shipping_method": {"standard": DELIVERY},
    "tax_code": {"standard": "VAT19"},
    "unit": {"each": "PCS"},
}


def place(system: System, times: Sequence[datetime]) -> list[str]:
    """An item for each time of change, and their SystemIds."""
    texts = [at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") for at in times]
    told = [{"number": f"P{n}-{uuid.uuid4().hex[:8]}", "lastModifiedDateTime": at} for n, at in enumerate(texts)]
    return [str(system.post("/_sim/items", one)["id"]).lower() for one in told]


def sign(topic: str, delivery_id: str, body: bytes, secret: str, at: datetime) -> Incoming:
    """A delivery as Business Central sends it: nothing is signed, each notification says the shared secret."""
    told: dict[str, Any] = simplejson.loads(body)
    values = [{**one, "clientState": secret, "subscriptionId": delivery_id} for one in told["value"]]
    raw = simplejson.dumps({"value": values}).encode()
    return Incoming("POST", "https://hub.example/hooks/books", {}, {"content-type": "application/json"}, raw)


def challenge(secret: str) -> Incoming:
    return Incoming("POST", "https://hub.example/hooks/books", {"validationToken": "token-1"}, {}, b"")


ROW = tuple(f"value[0].{name}" for name in ("id", "number", "lastModifiedDateTime"))
NOTE = tuple(f"value[0].{name}" for name in ("resource", "changeType", "lastModifiedDateTime"))
FIRST, SECOND = "11111111-aaaa-4bbb-8ccc-000000000001", "11111111-aaaa-4bbb-8ccc-000000000004"

CONTRACT = Contract(
    settings={**DEMO_SETTINGS, "payments": "all"},
    credentials=CREDENTIALS,
    simulator={**CREDENTIALS, "items": ITEMS, "at_once": 50},
    codes=CODES,
    fixtures=(
        Fixture("items__hook", "items", (f"pointer:product:{FIRST}",), ("value", *NOTE)),
        Fixture("items__hook_several", "customers,items", (f"pointer:product:{FIRST}", "ignored", "ignored"), NOTE),
        Fixture("items__hook_collection", "items", ("pointer:product:since:2026-03-02T09:00:00+00:00",), NOTE),
        Fixture("items__document", "items.document", (f"product:{FIRST}",), ("value", *ROW)),
        Fixture("items__document_later", "items.document", (f"product:{FIRST}",), ROW),
        Fixture("items__service", "items.document", (f"product:{SECOND}",), ROW),
        Fixture("customers__hook", "customers", ("ignored",)),
    ),
    versions=(("items__document", "items__document_later"),),
    webhooks=Webhooks(sign, ("state-of-tests", "state-of-old"), challenge, proof="body"),
    polls=(Poll("product", place, 3, {"page_size": 3}),),
    fetch=lambda system: Pointer("product", place(system, [samples.NOW])[0]),
    token=Token("oauth.token", lambda system: system.post("/_sim/tokens/ends")),
    rate=Rate(
        Limit("requests", "bucket", 10, rate=15),
        {"requests": 42, "window": 2.0, "at_once": 50},
        lambda connector: list(connector.prices(["WB-TEE"])),
        "items.list",
    ),
    version="/v2.0/",
    settles=0.5,
    exempt={
        "daily_quota": "Business Central counts requests in five minutes, never a day",
        "raw_body": "nothing is signed: clientState is a shared secret, and a delivery is believed for no more than where to look",
        "half_an_answer": "a bound action and a deletion answer 204 without a body, of which there is no half",
    },
)
