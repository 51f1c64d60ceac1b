"""An account's choices, as its settings give them and SAP understands them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.kit.account import Account, Codes
from connectors.kit.errors import Rejected

MOVEMENTS = {"within_plant": "311", "between_plants": "301", "scrap": "551"}


@dataclass(frozen=True)
class Policy:
    """The settings of manifest.toml [settings] with their defaults, and the cross references."""

    codes: Codes
    name: str = ""
    sales_order_api: str = "v2"
    sales_organization: str = ""
    distribution_channel: str = ""
    division: str = ""
    order_type: str = "OR"
    return_type: str = "CBAR"
    credit_type: str = "CR"
    order_reason: str = ""
    return_reason: str = ""
    credit_reason: str = ""
    rejection_reason: str = ""
    customer_match: str = "one"
    customer: str = ""
    partner_grouping: str = "BP02"
    country: str = ""
    ship_to_function: str = "SH"
    bill_to_function: str = "BP"
    location: str = ""
    quarantine: str = ""
    scrap: str = ""
    goods_receipt: str = "hub"
    movements: Mapping[str, Any] = field(default_factory=dict)
    scrap_cost_center: str = ""
    scrap_reason: str = ""
    conditions: Mapping[str, Any] = field(default_factory=dict)
    price_type: str = ""
    materials: Mapping[str, Any] = field(default_factory=dict)
    unit: str = "PC"
    shipping: str = ""
    note_text: str = "TX01"
    language: str = "EN"
    stock_types: tuple[str, ...] = ("01",)
    time_zone: str = "UTC"
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def partner_addresses(self) -> bool:
        """Whether an order's addresses are those of business partners: documents of V4 have none of their own."""
        return self.sales_order_api == "v4"

    def condition(self, name: str) -> str:
        """The condition type under which a sum is booked ("price", "shipping" ...). Raises Rejected naming the setting."""
        return str(self.conditions.get(name) or "") or self._lacked(
            f"conditions.{name}", f"a condition type for {name}"
        )

    def material(self, name: str) -> str:
        return str(self.materials.get(name) or "") or self._lacked(f"materials.{name}", f"a material for {name}")

    def wanted(self, setting: str, what: str) -> str:
        """A setting that cannot be done without. Raises Rejected naming it."""
        return str(getattr(self, setting)) or self._lacked(setting, what)

    def _lacked(self, setting: str, what: str) -> str:
        raise Rejected(
            f"The settings of {self.name} do not name {what.replace('_', ' ')}.",
            code="not_configured",
            field=f"settings.{setting}",
            remedy=f"Set `{setting}` for {self.name} in the accounts' configuration, then retry.",
            owner="integration desk",
        )

    def place(self, ours: str) -> tuple[str, str]:
        """Plant and storage location ("1710/171A", or a plant alone) of a location of ours; the account's own where none
        is named.
        """
        told = self.codes.theirs("location", ours) if ours else self.location
        plant, _, storage = told.partition("/")
        return plant, storage

    def place_of(self, condition: str, ours: str) -> tuple[str, str]:
        """Where goods that came back lie: where they were counted if they are for sale, else at the place of their condition."""
        if condition == "quarantined":
            told = self.wanted("quarantine", "the place of what is looked at before it is sold again")
        elif condition == "scrapped":
            told = self.wanted("scrap", "the place of what is thrown away")
        else:
            return self.place(ours)
        plant, _, storage = told.partition("/")
        return plant, storage

    def movement(self, name: str) -> str:
        """The movement type of a posting ("within_plant", "between_plants", "scrap"): SAP's own for stock in unrestricted use."""
        return str(self.movements.get(name) or MOVEMENTS[name])

    def measure(self, ours: str) -> str:
        return self.unit if ours in ("", "each") else self.codes.theirs("unit", ours)

    def day(self, at: datetime) -> date:
        """The date that a document bears: that of the company's own time zone."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()

    @property
    def area(self) -> dict[str, str]:
        """The sales area that every document belongs to."""
        return {
            "SalesOrganization": self.wanted("sales_organization", "the sales organization"),
            "DistributionChannel": self.wanted("distribution_channel", "the distribution channel"),
            "OrganizationDivision": self.wanted("division", "the division"),
        }


def policy(account: Account, codes: Codes) -> Policy:
    """The account's settings over the defaults; those that are not ours are left alone."""
    fields = Policy.__dataclass_fields__
    known = {
        name: value for name, value in account.settings.items() if name in fields and name not in ("codes", "name")
    }
    texts = {name: str(value) for name, value in known.items() if isinstance(fields[name].default, str)}
    return Policy(**{**known, **texts, "codes": codes, "name": account.name})
