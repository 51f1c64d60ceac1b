"""A party is who buys, pays or receives, and an address is where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as the source gave it; `country` is ISO 3166-1 alpha-2, `region` ISO 3166-2 without the country.
    A country that is none stands as it was told.

    `name` is as given; `first_name` and `last_name` only where the source tells them apart (splitting is guessing).
    `district` is the part of a town or the county that a postman needs; `id` the source's id of a stored address.
    """

    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    line3: str = ""
    city: str = ""
    region: str = ""
    region_name: str = ""
    postcode: str = ""
    country: str = ""
    phone: str = ""
    email: str = ""
    residential: bool | None = None
    first_name: str = ""
    last_name: str = ""
    district: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """The buyer as the channel knows them; `id` is empty for a guest, `number` what people call the customer by."""

    id: str = ""
    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    tax_number: str = ""
    group: str = ""
    tax_exempt: bool = False
    locale: str = ""
    number: str = ""

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.company
