"""The OData V2 services of a company: which address does what."""

from __future__ import annotations

from functools import partial

from flask import Response, request

from connectors.sap_s4hana import simulator_flow as flow
from connectors.sap_s4hana import simulator_sales as sales
from connectors.sap_s4hana.client import WORDS
from connectors.sap_s4hana.door import ORDERS
from connectors.sap_s4hana.simulator_access import Access
from connectors.sap_s4hana.simulator_company import Company
from connectors.sap_s4hana.simulator_odata import Refused, address, refusal

ACTS = {"POST": "create", "PATCH": "update", "DELETE": "delete", "GET": "list"}
HANDLERS = {**{(ORDERS, *address): handler for address, handler in sales.HANDLERS.items()}, **flow.HANDLERS}


def serve(company: Company, access: Access) -> None:
    app = company.simulator.app

    @app.route("/sap/opu/odata/sap/<service>/", methods=["GET"])
    def root(service: str) -> Response:
        def act() -> Response:
            return access.refused(company.simulator, False) or access.opened()

        return company.simulator.answer("session.fetch", False, act)

    @app.route("/sap/opu/odata/sap/<service>/<path:path>", methods=["GET", "POST", "PATCH", "DELETE"])
    def service(service: str, path: str) -> Response:
        write = request.method != "GET"
        return company.simulator.answer(
            _operation(service, path), write, partial(_act, company, access, service, path, write)
        )


def _operation(service: str, path: str) -> str:
    entity, keys, navigation = address(path)
    act = ACTS[request.method]
    if (service, entity) in flow.FUNCTIONS:
        act = "call"
    elif request.method == "GET" and keys and not navigation:
        act = "get"
    named = WORDS.get(service, service).replace(" ", "_")
    return ".".join(filter(None, (named, entity, navigation, act)))


def _act(company: Company, access: Access, service: str, path: str, write: bool) -> Response:
    refused = access.refused(company.simulator, write)
    if refused is not None:
        return refused
    try:
        entity, keys, navigation = address(path)
        handler = flow.FUNCTIONS.get((service, entity)) or HANDLERS.get(
            (service, entity, navigation, request.method, bool(keys))
        )
        if handler is None:
            raise Refused(404, "/IWBEP/CM_MGW_RT/020", f"Resource not found for the segment {entity}")
        with company.simulator.memory.lock:
            return handler(company, keys)
    except Refused as found:
        return refusal(found)
