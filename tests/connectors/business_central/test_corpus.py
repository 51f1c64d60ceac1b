"""Every payload of the saved Business Central pages is read: mapped, or refused for a defect of its own, named by field."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import simplejson

from connectors.business_central import errors
from connectors.business_central.client import Client
from connectors.business_central.mapping.items import document
from connectors.business_central.mapping.rows import booked
from connectors.business_central.simulator_fields import examine
from connectors.business_central.simulator_refusals import Refused
from connectors.business_central.simulator_sums import number, reckon
from connectors.kit.account import Account
from connectors.kit.errors import Ambiguous, Rejected, Throttled, Transient, Unauthorized, Unreadable
from connectors.kit.http import Answer
from connectors.registry import read
from tests.connectors.counting import Counted, explained, reasons

SAMPLES = Path("../shared/samples/d365_business_central")
pytestmark = pytest.mark.skipif(
    not SAMPLES.exists(), reason="../shared/samples/d365_business_central is not here: no corpus to read"
)
ACCOUNT = Account("a", "business_central", "")
FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)


def payloads(text: str) -> list[Any]:
    """The JSON of a page's fenced blocks; request and status lines before it, and comments in it, are the page's own."""
    found = []
    for block in FENCED.findall(text):
        start = block.find("{\n")
        if start >= 0 and "companies({id})/\n" not in block[start:]:
            plain = re.sub(r"//.*$", "", block[start:], flags=re.MULTILINE)
            plain = re.sub(r",(\s*[}\]])", r"\1", plain)
            found.append(simplejson.loads(plain, use_decimal=True))
    return found


def placeholder(entity: str) -> Callable[[Any], str]:
    """A representation whose values are the names of types: no payload, and refused as such by field."""

    def told(payload: Any) -> str:
        assert payload["id"] == "GUID"
        body = {name: value for name, value in payload.items() if name not in ("id", "lastModifiedDateTime")}
        with pytest.raises(Refused):
            examine(
                entity, {name: value for name, value in body.items() if value in ("decimal", "boolean", "date", "GUID")}
            )
        if entity == "item":
            with pytest.raises(Unreadable) as refused:
                read(ACCOUNT, document([payload]))
            return f"refused: its own {refused.value.field} is the name of a type"
        return "refused: its values are names of types"

    return told


def request(entity: str, drop: tuple[str, ...] = ()) -> Callable[[Any], str]:
    def told(payload: Any) -> str:
        examine(entity, {name: value for name, value in payload.items() if name not in drop})
        return "mapped: a request that the simulator takes"

    return told


def order_answer(payload: Any) -> str:
    assert payload["number"]
    assert number(payload["totalAmountIncludingTax"]) == 0
    with pytest.raises(Refused) as refused:
        examine("salesOrder", {"documentLines": payload["documentLines"]})
    assert "documentLines" in refused.value.message
    return "mapped; its documentLines is no field of a sales order"


def line_answer(payload: Any) -> str:
    """Read as a booked line, and reckoned to the same amounts by the simulator's own arithmetic."""
    (line,) = booked({"salesOrderLines": [payload]})
    assert (line.number, line.quantity, line.price, line.open) == ("1996-S", 12, Decimal("1397.3"), 12)
    assert line.location == ""
    row = {"id": "1", **{name: payload[name] for name in ("quantity", "unitPrice", "discountAmount", "taxCode")}}
    record: dict[str, Any] = {}
    reckon(record, [row], {payload["taxCode"]: payload["taxPercent"]}, Decimal("0.01"))
    for field in (
        "amountExcludingTax",
        "totalTaxAmount",
        "amountIncludingTax",
        "netAmount",
        "netTaxAmount",
        "netAmountIncludingTax",
    ):
        assert Decimal(row[field]) == payload[field], field
    return "mapped: the same amounts by our arithmetic"


def memo_answer(payload: Any) -> str:
    assert (payload["id"], payload["number"]) == ("1e8cb9c0-44e3-ea11-bb43-000d3a2feca1", "1009")
    with pytest.raises(Refused) as refused:
        examine("salesCreditMemo", {"billingPostalAddress": payload["billingPostalAddress"]})
    assert "billingPostalAddress" in refused.value.message
    return "mapped; its billingPostalAddress is of v1.0"


def batch_request(payload: Any) -> str:
    asked = payload["requests"]
    assert {name for one in asked for name in one} == {"method", "url", "headers", "body"}
    assert {one["headers"]["If-Match"] for one in asked} == {"*"}
    with pytest.raises(Refused):
        examine("item", asked[2]["body"])
    return "mapped: the shape of our own batches; its third is refused, as the page says"


def batch_answer(payload: Any) -> str:
    with pytest.raises(Rejected) as refused:
        Client._parts(Client.__new__(Client), payload["responses"], 3, True, "item")
    assert refused.value.code == "Unknown"
    assert "CorrelationId" not in refused.value.sentence
    return "mapped: the refusal of its third"


READERS: dict[str, tuple[Callable[[Any], str], ...]] = {
    "dynamics_customerpayment.md": (placeholder("customerPayment"),),
    "dynamics_item.md": (placeholder("item"),),
    "dynamics_salesorderline.md": (placeholder("salesOrderLine"),),
    "dynamics_salesCreditMemo_create.md": (request("salesCreditMemo"), memo_answer),
    "dynamics_salesOrderLine_create.md": (request("salesOrderLine"), line_answer),
    "dynamics_salesOrder_create.md": (request("salesOrder"), order_answer),
    "use-odata-batch.md": (batch_request, batch_answer),
}
SORTED = {
    "Authentication_": Unauthorized,
    "Internal_ServerError": Transient,
    "Internal_Tenant": Transient,
    "Request_": Transient,
}


def error_codes(path: Path) -> list[str]:
    """Each error of the page, as it would come, is sorted; each in a sentence without what the message held of an address."""
    rows = re.findall(r"^\|\s*(\w+Exception|Any)\s*\|\s*(\w+)\s*\|(.*)\|$", path.read_text(), re.MULTILINE)
    assert len(rows) > 25
    kinds: dict[str, int] = {}
    for _, code, message in rows:
        status = 401 if code.startswith("Authentication_") else 409 if code.startswith("Request_") else 400
        body = simplejson.dumps({"error": {"code": code, "message": message.strip()}}).encode()
        found = errors.sorted_trouble(Answer(status, {}, body, write=True), "sales order")
        wanted = next((kind for start, kind in SORTED.items() if code.startswith(start)), Rejected)
        assert type(found) is wanted, code
        explained(found)
        kinds[type(found).__name__] = kinds.get(type(found).__name__, 0) + 1
    assert not {Throttled.__name__, Ambiguous.__name__} & set(kinds)
    return [f"sorted: as {kind}" for kind, count in sorted(kinds.items()) for _ in range(count)]


@pytest.mark.counting
def test_every_stored_payload_is_read_or_refused_for_its_own_defect(counted: Counted):
    table: list[tuple[str, str]] = []
    for path in sorted(one for one in SAMPLES.iterdir() if one.name != "SOURCES.md"):
        if path.name == "dynamics-error-codes.md":
            table += [(path.name, told) for told in error_codes(path)]
            continue
        assert path.name in READERS, f"{path.name} is new: say how it is read"
        told = payloads(path.read_text())
        assert len(told) == len(READERS[path.name]), f"{path.name} holds {len(told)} payloads"
        table += [(path.name, reader(one)) for reader, one in zip(READERS[path.name], told, strict=True)]
    print()
    for name, verdict in table:
        print(f"{name:40} {verdict}")
    assert len({name for name, _ in table}) == 8
    counted("payloads", Counter(VERDICTS[re.split("[:;]", verdict)[0]] for _, verdict in table))
    refused = [(name, verdict) for name, verdict in table if verdict.startswith("refused")]
    reasons(counted, (("page", name, "refused", f": {verdict.partition(': ')[2]}") for name, verdict in refused))


VERDICTS = {"mapped": "read", "refused": "refused", "sorted": "sorted"}
