"""OData V2 as SAP Gateway speaks it: literals of filters and keys, dates in milliseconds, decimals as text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
Row = dict[str, Any]


def text(value: str) -> str:
    """A string of a filter or key: a quote in it is doubled."""
    return "'" + value.replace("'", "''") + "'"


def keyed(entity: str, **keys: str) -> str:
    """The address of one record: A_SalesOrderItem(SalesOrder='1',SalesOrderItem='10')."""
    return f"{entity}({','.join(f'{name}={text(value)}' for name, value in keys.items())})"


def day(at: date) -> str:
    """A calendar day as Edm.DateTime in JSON: midnight UTC in milliseconds."""
    return f"/Date({int(datetime(at.year, at.month, at.day, tzinfo=UTC).timestamp()) * 1000})/"


def instant(value: Any) -> datetime | None:
    """When an Edm.DateTime or Edm.DateTimeOffset was; None where it is empty."""
    found = DATE.fullmatch(str(value or ""))
    return datetime.fromtimestamp(int(found[1]) / 1000, UTC) if found else None


def literal(at: date) -> str:
    """A calendar day in a filter."""
    return f"datetime'{at.isoformat()}T00:00:00'"


def decimal(value: Decimal) -> str:
    """Edm.Decimal is text in JSON, without exponents or trailing zeros."""
    return f"{value.normalize():f}"


def number(value: Any) -> Decimal:
    return Decimal(str(value)) if value not in (None, "") else Decimal(0)


def rows(value: Any) -> Sequence[Row]:
    """The records behind an expanded navigation; none where it was not expanded."""
    found = value.get("results") if isinstance(value, Mapping) else value
    return found if isinstance(found, list) else ()


def etag(record: Mapping[str, Any]) -> str:
    """Of which state a change is; "*" where the service tells none."""
    told = record.get("__metadata")
    return str(told.get("etag") or "*") if isinstance(told, Mapping) else "*"
