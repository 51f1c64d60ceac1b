"""Materials as products, and condition records as prices. Names of fields: public copies of the services' metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.canonical.money import parse
from connectors.canonical.product import Price, Product, ProductKind
from connectors.sap_s4hana.mapping.policy import Policy
from connectors.sap_s4hana.odata import Row, decimal, instant, number, rows

GRAMS = {"G": Decimal(1), "KG": Decimal(1000), "MG": Decimal("0.001"), "TO": Decimal(1_000_000)}
SERVICES = frozenset(("DIEN", "SERV"))  # product types of what nobody counts
FOR_EVER = date(9999, 12, 31)
OF_SOME = (
    "Customer",
    "SoldToParty",
    "ShipToParty",
    "PayerParty",
    "CustomerGroup",
    "CustomerPriceGroup",
    "SalesDocument",
    "Plant",
)
PLACES = Decimal("1E-9")  # as fine as SAP's own amounts: what a third of a rate is rounded to


def product(row: Row, sku: str, unit: str, policy: Policy) -> Product:
    """A material. `unit` is ours. What is marked for deletion is sold no more."""
    service = str(row.get("ProductType") or "") in SERVICES
    country = str(row.get("CountryOfOrigin") or "")
    return Product(
        id=str(row["Product"]),
        sku=sku,
        title=_title(row, policy.language) or str(row["Product"]),
        kind=ProductKind.SERVICE if service else ProductKind.GOODS,
        barcode=str(row.get("ProductStandardID") or ""),
        unit=unit,
        weight_grams=_weight(row),
        active=not row.get("IsMarkedForDeletion"),
        updated_at=instant(row.get("LastChangeDateTime")),
        tracked=not service,
        origin_country=country if len(country) == 2 else "",
    )


def _title(row: Row, language: str) -> str:
    """In the account's language, else in the first that there is."""
    told = {
        str(one.get("Language")): str(one.get("ProductDescription") or "") for one in rows(row.get("to_Description"))
    }
    return told.get(language) or next(iter(told.values()), "")


def _weight(row: Row) -> Decimal | None:
    weight, factor = number(row.get("GrossWeight")), GRAMS.get(str(row.get("WeightUnit") or "").upper())
    return weight * factor if weight and factor else None


def prices(validity: Row, sku: str, policy: Policy) -> Iterator[Price]:
    """What a record of validity says of a price, a quantity break each; nothing where it is one customer's, deleted or not
    released. Prices are those of one base unit, as its pricing unit and conversion say.
    """
    found = validity.get("to_SlsPrcgConditionRecord")
    record: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    if not record.get("ConditionRecord") or record.get("ConditionIsDeleted") or not _for_all(validity):
        return
    since, until = _day(validity, "ConditionValidityStartDate"), _day(validity, "ConditionValidityEndDate")
    for least, rate, currency in _steps(record):
        yield Price(
            sku=sku,
            amount=parse(decimal((rate / _pieces(record)).quantize(PLACES)), currency),
            price_list=str(validity.get("PriceListType") or ""),
            effective_from=_midnight(since, policy) if since else None,
            effective_until=_midnight(until + timedelta(days=1), policy) if until and until != FOR_EVER else None,
            min_quantity=max(Decimal(1), least),
        )


def _for_all(validity: Row) -> bool:
    return not validity.get("ConditionReleaseStatus") and not any(validity.get(name) for name in OF_SOME)


def _steps(record: Mapping[str, Any]) -> Sequence[tuple[Decimal, Decimal, str]]:
    """(from how many, rate, currency): the lines of a scale by quantity, else the record itself."""
    scale = [one for one in rows(record.get("to_SlsPrcgCndnRecordScale")) if one.get("ConditionScaleQuantity")]
    if not scale:
        return [(Decimal(1), number(record.get("ConditionRateValue")), str(record.get("ConditionRateValueUnit") or ""))]
    told = [
        (
            number(one["ConditionScaleQuantity"]),
            number(one.get("ConditionRateValue")),
            str(one["ConditionRateValueUnit"]),
        )
        for one in scale
    ]
    return sorted(told)


def _pieces(record: Mapping[str, Any]) -> Decimal:
    """How many base units a rate is for: 100 pieces, or one box of 12."""
    quantity = number(record.get("ConditionQuantity")) or Decimal(1)
    upper, lower = (number(record.get(f"ConditionToBaseQty{name}")) or Decimal(1) for name in ("Nmrtr", "Dnmntr"))
    return quantity * upper / lower


def _day(validity: Row, name: str) -> date | None:
    at = instant(validity.get(name))
    return at.date() if at else None


def _midnight(day: date, policy: Policy) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(policy.time_zone)).astimezone(UTC)
