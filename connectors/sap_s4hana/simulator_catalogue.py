"""Materials and condition records of a company, as its product and pricing services list them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from connectors.sap_s4hana import simulator_views as views
from connectors.sap_s4hana.client import PRICES, PRODUCTS
from connectors.sap_s4hana.simulator_company import Company
from connectors.sap_s4hana.simulator_lists import Keys, listed
from connectors.sap_s4hana.simulator_odata import Record, day

SINCE, UNTIL = datetime(2020, 1, 1, tzinfo=UTC).date(), datetime(9999, 12, 31, tzinfo=UTC).date()
SCALE = "to_SlsPrcgCndnRecordScale"


def stocked(company: Company, products: Mapping[str, Mapping[str, Any]], prices: Mapping[str, Any]) -> None:
    """What is sold, a record each, and what it costs: a rate in EUR, or the fields of one or several records."""
    for material in (
        *company.materials,
        *company.rows("products"),
    ):  # those of before, and those that somebody entered since
        enter(company, material, products.get(material, {}))
    if company.rows("prices"):
        return
    for material, told in prices.items():
        for one in _records(told):
            _price(company, material, one)


def enter(company: Company, material: str, told: Mapping[str, Any] | None = None) -> None:
    """A material that there was not; `told` are the fields of its record that differ."""
    company.materials.setdefault(material, {"unit": "PC"})
    if material not in company.rows("products"):
        changed = f"/Date({int(datetime.now(UTC).timestamp() * 1000)}+0000)/"
        own: Record = {"Product": material, "ProductType": "HAWA", "BaseUnit": "PC", "LastChangeDateTime": changed}
        own |= {"GrossWeight": "0.250", "WeightUnit": "KG", "IsMarkedForDeletion": False, "ProductStandardID": ""}
        company.keep("products", material, own | dict(told or {}))


def _records(told: Any) -> Iterable[Mapping[str, Any]]:
    if isinstance(told, Mapping):
        return (told,)
    return told if isinstance(told, list) else ({"ConditionRateValue": str(told)},)


def _price(company: Company, material: str, told: Mapping[str, Any]) -> None:
    number = f"{company.simulator.memory.next_id('prices', 1):010d}"
    organization, channel, _ = company.area
    standard = {
        "ConditionRecord": number,
        "ConditionType": "PPR0",
        "Material": material,
        "SalesOrganization": organization,
        "DistributionChannel": channel,
        "ConditionValidityStartDate": day(SINCE),
        "ConditionValidityEndDate": day(UNTIL),
        "ConditionReleaseStatus": "",
        "ConditionRateValueUnit": "EUR",
        "ConditionQuantity": "1",
        "ConditionQuantityUnit": "PC",
        "ConditionToBaseQtyNmrtr": "1",
        "ConditionToBaseQtyDnmntr": "1",
        "ConditionIsDeleted": False,
        "scale": [],
    }
    company.keep("prices", number, standard | dict(told))


def list_products(company: Company, keys: Keys) -> Response:
    return listed([_product(one) for one in company.rows("products").values()])


def _product(one: Record) -> Record:
    number = one["Product"]
    told = {"Product": number, "Language": "EN", "ProductDescription": one.get("description") or f"Material {number}"}
    fields = {name: value for name, value in one.items() if name != "description"}
    return views.behind(views.told(PRODUCTS, "A_Product", f"'{number}'", fields, one), "to_Description", [told])


RECORD = (
    "ConditionRecord ConditionType ConditionRateValue ConditionRateValueUnit ConditionQuantity ConditionQuantityUnit "
    "ConditionToBaseQtyNmrtr ConditionToBaseQtyDnmntr ConditionIsDeleted ConditionReleaseStatus"
).split()
NOT_OF_VALIDITY = {*RECORD[2:-1], "scale"}


def list_prices(company: Company, keys: Keys) -> Response:
    return listed([_validity(one) for one in company.rows("prices").values()])


def _validity(one: Record) -> Record:
    key = f"ConditionRecord='{one['ConditionRecord']}',ConditionValidityEndDate=datetime'9999-12-31T00:00:00'"
    fields = {name: value for name, value in one.items() if name not in NOT_OF_VALIDITY}
    found = views.told(PRICES, "A_SlsPrcgCndnRecdValidity", key, fields, one)
    record = views.told(
        PRICES, "A_SlsPrcgConditionRecord", f"'{one['ConditionRecord']}'", {name: one.get(name) for name in RECORD}, one
    )
    asked = request.args.get("$expand", "").split(",")
    whole = f"to_SlsPrcgConditionRecord/{SCALE}" in asked
    deferred = {"__deferred": {"uri": f"{record['__metadata']['uri']}/{SCALE}"}}
    record[SCALE] = {"results": one["scale"]} if whole else deferred
    if not whole and "to_SlsPrcgConditionRecord" not in asked:
        record = {"__deferred": {"uri": f"{found['__metadata']['uri']}/to_SlsPrcgConditionRecord"}}
    return {**found, "to_SlsPrcgConditionRecord": record}
