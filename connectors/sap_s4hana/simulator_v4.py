"""CE_SALESORDER_0001 of a company: sales orders over OData V4, as far as its contract is published."""

from __future__ import annotations

from functools import partial

from flask import Response, request

from connectors.sap_s4hana import simulator_v4_odata as odata
from connectors.sap_s4hana.door import V4
from connectors.sap_s4hana.simulator_access import Access
from connectors.sap_s4hana.simulator_company import Company
from connectors.sap_s4hana.simulator_lists import PADDED
from connectors.sap_s4hana.simulator_odata import Refused
from connectors.sap_s4hana.simulator_v4_orders import HANDLERS, LISTS

ACTS = {"POST": "create", "PATCH": "update", "DELETE": "delete", "GET": "list"}


def serve(company: Company, access: Access, most: int) -> None:
    """`most` rows stand in an answer, however many were asked for."""
    app = company.simulator.app

    @app.route(f"{V4}/", methods=["GET"], endpoint="v4_root")
    def root() -> Response:
        def act() -> Response:
            return access.refused(company.simulator, False) or access.opened()

        return company.simulator.answer("session.fetch", False, act)

    @app.route(f"{V4}/<path:path>", methods=["GET", "POST", "PATCH", "DELETE"], endpoint="v4")
    def service(path: str) -> Response:
        write = request.method != "GET"
        return company.simulator.answer(_operation(path), write, partial(_act, company, access, path, write, most))


def _operation(path: str) -> str:
    entity, *rest = path.split("/")
    keys = len(odata.KEYS.get(entity, ()))
    act = "get" if request.method == "GET" and len(rest) == keys else ACTS[request.method]
    return ".".join(("sales_order", entity, *rest[keys:], act))


def _act(company: Company, access: Access, path: str, write: bool, most: int) -> Response:
    refused = access.refused(company.simulator, write)
    if refused is not None:
        return refused
    try:
        entity, keys, navigation = odata.address(path)
        with company.simulator.memory.lock:
            if request.method == "GET" and not keys and entity in LISTS:
                return odata.listed(entity, LISTS[entity](company), PADDED, most)
            handler = HANDLERS.get((entity, navigation, request.method, bool(keys)))
            if handler is None:
                raise Refused(405, "/IWBEP/CM_V4_COS/405", f"{request.method} is not allowed for {path}")
            return handler(company, keys)
    except Refused as found:
        return odata.refusal(found)
