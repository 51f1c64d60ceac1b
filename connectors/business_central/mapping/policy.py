"""An account's choices, as its settings give them and Business Central understands them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.kit.account import Account, Codes
from connectors.kit.errors import Rejected


@dataclass(frozen=True)
class Policy:
    """The settings of manifest.toml [settings] with their defaults, and the cross references."""

    codes: Codes
    name: str = ""
    customer_match: str = "email"
    customer: str = ""
    customer_numbers: str = "ours"
    currencies: Mapping[str, str] = field(default_factory=dict)
    base_currency: str = ""
    location: str = ""
    shipment_method: str = ""
    accounts: Mapping[str, Any] = field(default_factory=dict)
    tax: str = "lines"
    no_tax: str = ""
    tax_code: str = ""
    payments: str = "none"
    payment_journal: str = ""
    refund_journal: str = ""
    stock_location: str = ""
    quarantine: str = ""
    scrap: str = ""
    stock_api: str = ""
    time_zone: str = "UTC"
    renew_before: int = 24  # hours
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reckons(self) -> bool:
        """Whether Business Central reckons the taxes by itself."""
        return self.tax == "engine"

    def account(self, name: str) -> str:
        """The G/L account for what is no product ("shipping", "tip" ...). Raises Rejected naming the setting."""
        return str(self.accounts.get(name) or "") or self._lacked(f"accounts.{name}", f"a G/L account for every {name}")

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

    def currency(self, code: str) -> str:
        return str(self.currencies.get(code, code))

    def place(self, ours: str) -> str:
        """The SystemId of a location of ours; the account's own where none is named."""
        return self.codes.theirs("location", ours) if ours else self.location

    def place_of(self, condition: str, ours: str) -> str:
        """Where goods that came back lie: for sale where they were counted, else at the location that stands for their condition."""
        if condition == "quarantined":
            return self.wanted("quarantine", "the location of what is looked at before it is sold again")
        if condition == "scrapped":
            return self.wanted("scrap", "the location of what is thrown away")
        return self.place(ours)

    def day(self, at: datetime) -> str:
        """The date that a document bears: that of the company's own time zone."""
        day: date = at.astimezone(ZoneInfo(self.time_zone)).date()
        return day.isoformat()


def policy(account: Account, codes: Codes) -> Policy:
    """The account's settings over the defaults; those that are not ours are left alone."""
    fields = Policy.__dataclass_fields__
    known = {
        name: value for name, value in account.settings.items() if name in fields and name not in ("codes", "name")
    }
    texts = {name: str(value) for name, value in known.items() if isinstance(fields[name].default, str)}
    return Policy(**{**known, **texts, "codes": codes, "name": account.name})
