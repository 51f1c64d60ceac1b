"""A buyer is one party whatever the channel, and an address loses nothing on its way."""

from dataclasses import replace

from connectors.canonical.party import Address, Party
from connectors.tryton import parties
from tests.contract.samples import ADDRESSES, HOME, ORDER


def test_one_buyer_is_one_party() -> None:
    elsewhere = replace(ORDER, channel="market", customer=Party("M-9", "ANA@example.com"), id="77")
    assert parties.code(ORDER) == parties.code(elsewhere)


def test_a_buyer_without_mail_and_a_guest() -> None:
    silent = replace(ORDER, customer=Party("C-9"), billing=None, shipping=None)
    guest = replace(silent, customer=None)
    assert parties.code(silent) == "shop-C-9"
    assert parties.code(guest) == "shop-guest-1001"
    assert parties.party(guest, [])["name"] == "Guest of shop"


def test_an_address_loses_nothing() -> None:
    for given in ADDRESSES:
        said = " ".join(str(value) for value in parties.address(given, 1, None).values())
        parts = (given.name, given.company, given.line1, given.line2, given.city, given.postcode)
        assert all(part in said for part in parts)


def test_a_region_that_tryton_does_not_know_stands_beside_the_city() -> None:
    assert parties.address(ADDRESSES[2], 1, None)["city"] == "Miami, Florida"
    assert parties.address(ADDRESSES[2], 1, 5)["city"] == "Miami"


def test_the_same_address_is_recognised() -> None:
    wanted = parties.address(HOME, 1, None)
    assert parties.same({**wanted, "subdivision": None}, wanted)
    assert not parties.same({**wanted, "city": "Bonn"}, wanted)
    assert parties.same(dict.fromkeys(parties.FIELDS), parties.address(Address(), None, None))
