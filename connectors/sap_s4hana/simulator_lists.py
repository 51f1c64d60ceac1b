"""What every service of a company does alike: records that a search sees, filtered and in pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, request

from connectors.sap_s4hana.simulator_company import Company
from connectors.sap_s4hana.simulator_odata import Record, answer, chosen, paged

Keys = dict[str, str]
Handler = Callable[[Company, Keys], Response]
PADDED = (
    "SalesOrder", "SalesOrderItem", "DeliveryDocument", "BusinessPartner", "CreditMemoRequest", "CustomerReturn",
    "MaterialDocument", "ReferenceSDDocument",
)  # fmt: skip


def seen(company: Company, table: str) -> list[Record]:
    return [one for key, one in company.rows(table).items() if company.simulator.indexed(table, key)]


def listed(rows: list[Record]) -> Response:
    found = chosen(rows, request.args.get("$filter", ""), PADDED)
    told: dict[str, Any] = {"results": paged(found, PADDED)}
    if request.args.get("$inlinecount") == "allpages":
        told["__count"] = str(len(found))
    return answer(told)
