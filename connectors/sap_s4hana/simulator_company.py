"""What exists in a company of SAP S/4HANA, and what it lets stand in a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.kit.simulator import Simulator
from connectors.sap_s4hana.simulator_fields import wrong
from connectors.sap_s4hana.simulator_odata import Record, Refused


@dataclass
class Company:
    """What exists: `materials` by number, `places` ("PLANT/STORAGE"), the sales area, condition types by what they are
    ("price", "net", "tax", "header_net", "header_tax"), the smallest amount of each currency.
    """

    simulator: Simulator
    materials: dict[str, dict[str, Any]]
    places: frozenset[str]
    area: tuple[str, str, str]
    conditions: Mapping[str, str]
    currencies: Mapping[str, Decimal]
    customers: frozenset[str]
    reasons: frozenset[str]
    refused_emails: tuple[str, ...] = ()

    def rows(self, table: str) -> dict[str, Record]:
        return {key: one for key, one in self.simulator.memory.table(table).items() if one is not None}

    def keep(self, table: str, key: str, record: Record) -> Record:
        return dict(self.simulator.memory.put(table, key, record))

    def checked(self, entity: str, body: Mapping[str, Any]) -> None:
        found = wrong(entity, body)
        if found is not None:
            raise Refused(400, "/IWBEP/CM_MGW_RT/021", found[1], found[0])

    def sold_to(self, number: str) -> None:
        known = self.customers | {str(one.get("Customer")) for one in self.rows("partners").values()}
        if number not in known:
            raise Refused(400, "V1/154", f"Sold-to party {number} does not exist", "SoldToParty")

    def in_area(self, body: Mapping[str, Any]) -> None:
        told = tuple(body.get(name) for name in ("SalesOrganization", "DistributionChannel", "OrganizationDivision"))
        if told != self.area:
            raise Refused(400, "V1/313", "Sales area is not defined", "SalesOrganization")

    def material(self, number: str) -> dict[str, Any]:
        if number not in self.materials:
            raise Refused(400, "V1/382", f"Material {number} is not defined for sales org.{self.area[0]}", "Material")
        return self.materials[number]

    def place(self, plant: str, storage: str) -> None:
        known = {one.partition("/")[0] for one in self.places} if not storage else self.places
        if plant and (f"{plant}/{storage}" if storage else plant) not in known:
            raise Refused(
                400, "V1/286", f"Plant {plant} or its storage location {storage} is not defined", "ProductionPlant"
            )

    def postable(self, email: str) -> None:
        if email.casefold() in self.refused_emails:
            raise Refused(
                400, "V1/999", "The address of this partner is refused by a check of the company", "EmailAddress"
            )
