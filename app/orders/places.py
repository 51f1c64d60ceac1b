"""Places: where a postcode lies, as the rule set's table says it, and how far that is from a location."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt
from typing import Any

from app.units import Degrees

Point = tuple[Degrees, Degrees]  # latitude, longitude
Places = Mapping[str, Mapping[str, Point]]  # country -> start of a postcode -> where that is


def places(table: Mapping[str, Mapping[str, Any]]) -> Places:
    """The table `[places.COUNTRY]` of a rule set; an empty prefix is the whole country. Raises ValueError."""
    wrong = [country for country in table if not re.fullmatch(r"[A-Z]{2}", country)]
    if wrong:
        raise ValueError(f"places: {', '.join(wrong)} is no country of two capital letters")
    return {
        country: {_plain(prefix): place(at, f"places {country} {prefix}") for prefix, at in rows.items()}
        for country, rows in table.items()
    }


def place(at: Sequence[Any], name: str) -> Point:
    """Latitude and longitude in degrees. Raises ValueError."""
    if len(at) != 2 or abs(at[0]) > 90 or abs(at[1]) > 180:
        raise ValueError(f"{name}: a place is [latitude, longitude] in degrees")
    return Degrees(at[0]), Degrees(at[1])


def where(known: Places, country: str, postcode: str) -> Point | None:
    """The place of the longest prefix that the postcode begins with; None where none fits."""
    rows, code = known.get(country, {}), _plain(postcode)
    fitting = (code[:length] for length in range(len(code), -1, -1))
    return next((rows[prefix] for prefix in fitting if prefix in rows), None)


def _plain(postcode: str) -> str:
    """Blanks and hyphens say nothing, and `sw1a 1aa` is SW1A1AA."""
    return re.sub(r"[\s-]", "", postcode).upper()


def distance(one: Point, other: Point) -> Decimal:
    """Whole kilometres as the crow flies (haversine, mean radius 6,371 km)."""
    (lat1, lon1), (lat2, lon2) = [(radians(lat), radians(lon)) for lat, lon in (one, other)]
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return Decimal(round(2 * 6371 * asin(sqrt(half))))
