"""The API's document against a partner with a channel, an order and a till: no 5xx, and answers as it promises."""

from __future__ import annotations

from collections import Counter

from tests.api.conftest import Market, order
from tests.api.houses import RULES
from tests.api.test_tills import sale, tell
from tests.orders.places import in_force
from tests.web.test_openapi import PLACES, _cases, promised

STORE = """
INSERT INTO shelves (account, sku, location, told, version) VALUES ('pos', 'WB-TEE', 'alpha', 9, '1'), ('pos', 'WB-MUG', 'alpha', 9, '1')
"""


def test_every_operation_answers_as_the_document_says(market: Market) -> None:
    import schemathesis

    from app.database import transaction

    in_force(RULES)
    with transaction() as tx:
        tx.exec_driver_sql(STORE)
    partner = market.partner("schemathesis", "market", per_minute=100_000, locations=("*",))
    waybill = market.mine.place(order())
    market.world.pump()
    tell(market, sale(1), first=1)
    schema = schemathesis.openapi.from_wsgi(PLACES[0], market.app)
    seen: Counter[int] = Counter()
    closed = 0  # lists of prices that this channel is told nothing of
    for operation in schema.get_all_operations():
        for n, case in enumerate(_cases(operation.ok())):
            letter = "F" if "/fulfilments/" in operation.ok().path else "R"
            known = {"waybill": waybill, "till": "T1", "number": f"{waybill}-{letter}1"}
            if n % 2:  # half of them are about something that is there
                case.path_parameters = {
                    name: known.get(name, word) for name, word in (case.path_parameters or {}).items()
                }
            answer = case.call(headers={"Authorization": f"Bearer {partner.token}"})
            closed += answer.status_code == 403 and answer.json()["type"].endswith(":price_list")
            seen[answer.status_code] += 1
            assert answer.status_code < 500, (case.method, case.formatted_path, answer.status_code)
            case.validate_response(answer, checks=promised(schemathesis))
    assert seen[401] + seen[403] == closed, seen
    assert seen[200] > 0, seen
    assert seen[422] > 0, seen


def test_the_document_tells_every_resource_and_every_field_of_an_order(market: Market) -> None:
    from dataclasses import fields

    from app.orders.todo import SAYINGS
    from connectors.canonical.order import Order

    told = market.app.test_client().get("/api/v1/openapi.json").json
    paths = {path.removeprefix("/api/v1/") for path in told["paths"]}
    assert {
        "orders",
        "orders/{waybill}",
        "orders/{waybill}/cancellations",
        "returns/of/{waybill}",
        "returns/{number}",
        "fulfilments",
        *(f"fulfilments/{{number}}/{word}" for word in SAYINGS),
        "tills/{till}/sales",
        "tills/{till}/voids",
        "tills/{till}",
        "prices",
        "webhooks",
        "webhooks/{name}/secrets",
        "webhooks/{name}/events",
        "webhooks/{name}/replays",
    } <= paths
    shape = told["components"]["schemas"]["OrderTold"]
    assert set(shape["properties"]) == {one.name for one in fields(Order)} - {"channel"}
    assert {"id", "number", "placed_at", "currency", "lines", "totals"} == set(shape["required"])
