"""Countries and their regions by whatever name a system gives them; a region never leaves its country.

The facts are those of ISO 3166-1 and 3166-2 as Debian's iso-codes has them (pycountry). Beside them: the words that ISO reserves and trade uses
(UK, EL), Kosovo's XK, and the three "states" of American field post (https://pe.usps.com/text/pub28/28apb.htm).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

import pycountry

BESIDE = {
    "uk": "GB",
    "great britain": "GB",
    "el": "GR",
    "xk": "XK",
    "xkx": "XK",
    "kosovo": "XK",
    "turkey": "TR",
    "russia": "RU",
    "the netherlands": "NL",
    "ivory coast": "CI",
    "cape verde": "CV",
    "swaziland": "SZ",
    "burma": "MM",
    "macau": "MO",
    "vatican city": "VA",
}
FIELD_POST = {"AA": "Armed Forces Americas", "AE": "Armed Forces Europe", "AP": "Armed Forces Pacific"}


def country(text: str) -> str:
    """ISO 3166-1 alpha-2 of a country told by alpha-2, alpha-3 or name, in any case; empty where there is no such country."""
    return _countries().get(_plain(text), "")


def region(within: str, text: str) -> str:
    """ISO 3166-2, without the country, of a region told by code (with or without its country) or by name.

    Empty where that country has none such, where two of its regions bear the name, and where the country is not known.
    """
    inside = country(within)
    return _regions(inside).get(_plain(text), "") if inside else ""


def has_regions(within: str) -> bool:
    """Whether ISO 3166-2 divides the country at all."""
    return bool(_regions(country(within)))


def coded(within: str, code: str, name: str) -> str:
    """What a system is told that wants codes: the region of this country by code or else by name, else what was told."""
    return region(within, code) or region(within, name) or code or name


def _plain(text: str) -> str:
    """Without accents, case and double spaces, as people write names."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return " ".join(bare.casefold().split())


@cache
def _countries() -> Mapping[str, str]:
    known: dict[str, str] = dict(BESIDE)
    kinds = ("alpha_2", "alpha_3", "name", "official_name", "common_name")
    for kind in reversed(kinds):  # a code goes before a name
        known |= {_plain(word): one.alpha_2 for one in pycountry.countries if (word := getattr(one, kind, None))}
    return known


@cache
def _regions(within: str) -> Mapping[str, str]:
    rows = _rows().get(within, ())
    named = [(word, code) for code, name in rows for word in _words(name)]
    often = Counter(word for word, _ in named)
    known = {word: code for word, code in named if often[word] == 1}
    for code, _ in rows:
        known |= {_plain(code): code, _plain(f"{within}-{code}"): code}
    return known


def _words(name: str) -> set[str]:
    """A name in two languages stands as "Illes Balears [Islas Baleares]"."""
    return {_plain(part) for part in name.replace("]", "").split("[")} - {""}


@cache
def _rows() -> Mapping[str, Iterable[tuple[str, str]]]:
    """Country -> its regions' codes, without the country, and names."""
    found: dict[str, list[tuple[str, str]]] = {"US": list(FIELD_POST.items())}
    for one in pycountry.subdivisions:
        found.setdefault(one.country_code, []).append((one.code.partition("-")[2], one.name))
    return found
