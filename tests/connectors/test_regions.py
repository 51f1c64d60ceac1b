"""Countries and regions by whatever name: a table of them all, and the cases in which others went wrong (pain 14)."""

from __future__ import annotations

import pycountry
import pytest

from connectors.kit.place import Place
from connectors.kit.regions import coded, country, has_regions, region

ALL = [*sorted(one.alpha_2 for one in pycountry.countries), "XK"]
SOME = sorted(pycountry.subdivisions, key=lambda sub: str(sub.code))[::13]  # of every country of more than a few
DIVIDED = [code for code in ALL if has_regions(code)]


def test_the_world_is_whole() -> None:
    assert len(ALL) == 250
    assert len(DIVIDED) == 200


@pytest.mark.parametrize("code", ALL)
def test_a_country_is_known_by_code_and_name_and_its_regions_stay_in_it(code: str) -> None:
    """Every country: its own words lead to it, its regions by code and name are its own, and nobody else's get in."""
    one = pycountry.countries.get(alpha_2=code)
    for word in (code, code.lower(), *((one.alpha_3, one.name) if one else ())):
        assert country(word) == code
    own = {sub.code.partition("-")[2]: sub for sub in pycountry.subdivisions if sub.country_code == code}
    for short, sub in own.items():
        assert region(code, short) == region(code, sub.code) == short
        assert region(code, sub.name) in own or region(code, sub.name) == ""
    assert has_regions(code) == bool(own)
    for sub in SOME:
        if sub.country_code != code:
            assert region(code, sub.code) == ""
            found = region(code, sub.code.partition("-")[2])
            assert not found or found in own or code == "US"
    assert own or region(code, "FL") == ""


def test_florida_is_never_flevoland() -> None:
    """nopCommerce 7211: a state was looked up without its country."""
    assert (region("US", "FL"), region("US", "Florida"), region("USA", "us-fl")) == ("FL", "FL", "FL")
    assert (region("NL", "FL"), region("NL", "Flevoland"), region("NL", "NL-FL")) == ("FL", "FL", "FL")
    assert region("US", "Flevoland") == region("US", "NL-FL") == region("NL", "Florida") == region("", "FL") == ""


def test_names_as_people_write_them() -> None:
    told = (
        "Türkiye",
        "turkey",
        "Czech Republic",
        " united  states ",
        "UK",
        "EL",
        "South Korea",
        "deu",
        "Côte d'Ivoire",
    )
    assert [country(word) for word in told] == ["TR", "TR", "CZ", "US", "GB", "GR", "KR", "DE", "CI"]
    assert [country(word) for word in ("", "ZZ", "Nowhere", "D", "419")] == [""] * 5
    assert (region("ES", "gerona"), region("CA", "Quebec"), region("US", "AE")) == ("GI", "QC", "AE")
    assert region("MZ", "Maputo") == "", "a town and a province: nobody guesses"


def test_a_system_that_wants_codes_is_told_what_there_is() -> None:
    assert coded("US", "", "Florida") == "FL"
    assert coded("VA", "", "") == ""
    assert coded("GB", "", "Kent and around") == "Kent and around"


def test_a_payload_with_a_strange_country_is_read() -> None:
    """One that nobody knows is kept as it was told: the order is held for it, never lost (pain 13)."""
    read = [Place({"country": word}).at("country").country() for word in ("DEU", "de", "Germany", "ZZ", "", None)]
    assert read == ["DE", "DE", "DE", "ZZ", "", ""]
