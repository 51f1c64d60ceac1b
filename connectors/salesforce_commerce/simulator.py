"""A Commerce Cloud site one can talk to: SCAPI orders and products, OCAPI stock and jobs, WebDAV, Account Manager."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Response, request

from connectors.kit.simulator import Memory, Simulator
from connectors.salesforce_commerce.auth import PATH
from connectors.salesforce_commerce.instance import DATA, IMPEX, VERSION
from connectors.salesforce_commerce.simulator_access import LIFE, Access
from connectors.salesforce_commerce.simulator_control import control
from connectors.salesforce_commerce.simulator_goods import inventory, products
from connectors.salesforce_commerce.simulator_http import said
from connectors.salesforce_commerce.simulator_imports import Imports, jobs, webdav
from connectors.salesforce_commerce.simulator_orders import Handle, operations
from connectors.salesforce_commerce.simulator_refusal import Refused, shape
from connectors.salesforce_commerce.simulator_site import Site


def create(settings: Mapping[str, Any]) -> Simulator:
    """Settings, all optional: `path` (memory file), `organization`, `site`, `client_id`, `client_secret`, `lists` (inventory
    lists), `quantity` (pieces in every record), `book` (the price book it sells by), `quota` calls in `window` seconds, `load`
    (percent), `token_seconds`, `import_seconds` (how long an import runs), `skew` (seconds its clock is ahead)."""
    path = settings.get("path")
    organization = str(settings.get("organization", "f_ecom_zzwb_001"))
    simulator = Simulator("salesforce_commerce", Memory(Path(path) if path else None), error=_error)
    site = Site(
        simulator,
        str(settings.get("site", "WaybillShop")),
        tuple(settings.get("lists", ("main",))),
        str(settings.get("book", "site-prices")),
        int(settings.get("quantity", 1000)),
        float(settings.get("skew", 0)),
        float(settings.get("import_seconds", 0)),
    )
    site.open()
    access = Access(
        str(settings.get("client_id", "waybill-client")),
        str(settings.get("client_secret", "sfcc-demo-secret")),
        organization.removeprefix("f_ecom_"),
        int(settings.get("quota", 0)),
        float(settings.get("window", 1)),
        float(settings.get("load", 20)),
        float(settings.get("token_seconds", LIFE)),
    )
    imports = Imports(site)
    for rule, name, method, write, scope, handle in table(site, imports, organization):
        simulator.operation(rule, name, [method], write)(_admitted(handle, access, scope, site.name))
    simulator.operation(PATH, "oauth.token", ["POST"])(_refusing(access.token))
    control(simulator, site, access, imports)
    simulator.app.register_error_handler(404, _nowhere)
    return simulator


def _nowhere(error: object) -> Response:
    return said(shape(request.path, 404, "There is nothing at this address."), 404)


def table(site: Site, imports: Imports, organization: str) -> list[tuple[str, str, str, bool, str, Handle]]:
    """(address, name, method, write, scope, handler) of every operation behind a token."""
    doors = (
        (f"/checkout/orders/v1/organizations/{organization}", "sfcc.orders.rw", operations(site)),
        (f"/product/products/v1/organizations/{organization}", "sfcc.products", products(site)),
        (f"/{DATA}/{VERSION}", "", [*inventory(site), *jobs(imports)]),
        (f"/{IMPEX}", "", webdav(imports)),
    )
    return [
        (f"{root}{rule}", name, method, write, scope, handle)
        for root, scope, rows in doors
        for rule, name, method, write, handle in rows
    ]


def _admitted(handle: Handle, access: Access, scope: str, site: str) -> Handle:
    """Who has no token or asks another site does not come in; every answer of SCAPI says how loaded the system is."""

    def answer(**args: Any) -> Response:
        access.admit(scope)
        if scope and request.args.get("siteId") != site:
            raise Refused(404, f"No site with ID '{request.args.get('siteId', '')}' was found.", "site-not-found")
        made = handle(**args)
        if scope:
            made.headers.update(access.headers())
        return made

    return _refusing(answer)


def _refusing(handle: Handle) -> Handle:
    def answer(**args: Any) -> Response:
        try:
            return handle(**args)
        except Refused as refused:
            made = said(shape(request.path, refused.status, refused.detail, refused.kind), refused.status)
            made.headers.update(refused.headers)
            return made

    return answer


def _error(status: int, sentence: str) -> tuple[Any, Mapping[str, str]]:
    """What the kit's bad days say, in the shape of the door."""
    return shape(request.path, status, sentence), {}
