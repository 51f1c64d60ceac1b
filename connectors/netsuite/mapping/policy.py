"""An account's choices, as its settings give them and NetSuite understands them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.canonical.money import minor_unit
from connectors.kit.account import Account, Codes
from connectors.kit.errors import Rejected

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Policy:
    """The settings of manifest.toml [settings] with their defaults, and the cross references."""

    codes: Codes
    account: str = ""
    subsidiary: str = ""
    customer_match: str = "email"
    customer: str = ""
    base_currency: str = ""
    currencies: Mapping[str, Any] = field(default_factory=dict)
    order_status: str = "B"
    location: str = ""
    ship_method: str = ""
    items: Mapping[str, Any] = field(default_factory=dict)
    tax: str = "details"
    tax_code: str = ""
    tax_type: str = ""
    gift_cards: str = "deposit"
    deposits: str = "gift_cards"
    billing: str = "netsuite"
    returns: str = "credit"
    conditions: Mapping[str, Any] = field(default_factory=dict)
    price_level: str = "1"
    dropship_location: str = ""
    line_field: str = ""
    number: str = "tranId"
    package_weight: str = "1"
    time_zone: str = "UTC"
    respond_async: bool = False
    page_size: int = 1000
    list_margin: str = "14"
    fields: Mapping[str, Any] = field(default_factory=dict)

    def item(self, name: str) -> str:
        """The configured item that is no product ("discount", "tip" ...). Raises Rejected naming the setting."""
        if not self.items.get(name):
            raise self.lacking(f"items.{name}", f"an item for every {name.replace('_', ' ')}")
        return str(self.items[name])

    def currency(self, code: str) -> dict[str, str] | None:
        """NetSuite's currency; None for the one that is not named. Raises Rejected: money is never booked as
        another currency's.
        """
        if code in self.currencies:
            return {"id": str(self.currencies[code])}
        if code == self.base_currency:
            return None
        raise self.lacking(f"currencies.{code}", f"NetSuite's currency for {code} (or base_currency)")

    def iso(self, number: str) -> str:
        """The ISO 4217 code of NetSuite's currency; the base currency's where it is none of the configured."""
        codes = {str(theirs): code for code, theirs in self.currencies.items()}
        return codes.get(number, self.base_currency)

    def lacking(self, setting: str, what: str) -> Rejected:
        return Rejected(
            f"The settings of {self.account} do not name {what}.",
            code="not_configured",
            field=f"settings.{setting}",
            remedy=f"Set `{setting}` for {self.account} in the accounts' configuration, then retry.",
            owner="integration desk",
        )

    def day(self, at: datetime) -> str:
        """The date that a document bears: that of the account's own time zone."""
        day: date = at.astimezone(ZoneInfo(self.time_zone)).date()
        return day.isoformat()


def policy(account: Account, codes: Codes) -> Policy:
    """The account's settings over the defaults; those that are not ours are left alone."""
    known = {name: value for name, value in account.settings.items() if name in Policy.__dataclass_fields__}
    texts = {
        name: str(value) for name, value in known.items() if isinstance(Policy.__dataclass_fields__[name].default, str)
    }
    return Policy(**{**known, **texts, "codes": codes, "account": account.name})


def unit_of(currency: str) -> Decimal:
    """The smallest amount NetSuite keeps: its currencies have two decimals or none, also where ISO 4217 has three."""
    return max(minor_unit(currency), CENT)
