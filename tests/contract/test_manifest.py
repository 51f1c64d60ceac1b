"""A manifest is complete, and what a contract leaves out has a reason."""

from __future__ import annotations

import re

import pytest

from connectors import registry
from connectors.kit.capabilities import CAPABILITIES
from tests.contract.bench import Bench
from tests.contract.cases import METHODS, Case
from tests.contract.contract import PARTS
from tests.contract.days import BAD_DAYS
from tests.contract.trial import Trial

TIERS = ("bronze", "silver", "gold")
ROLES = ("channel", "erp", "warehouse", "notify", "payments", "tax", "carrier", "catalogue")
SOURCE = re.compile(r"https?://|specs/|vendors/")
TOLD = {"returns"}  # documents that some sources tell with an order, others cannot
EXEMPTABLE = {*PARTS, *METHODS, *(day.name for day in BAD_DAYS)}


def test_says_what_it_is(case: Case) -> None:
    case.applies("manifest")
    manifest = case.manifest
    assert manifest.name == case.name
    assert manifest.title
    assert manifest.tier in TIERS
    assert manifest.roles
    assert set(manifest.roles) <= set(ROLES)
    assert manifest.sources
    assert all(SOURCE.search(source) for source in manifest.sources), "sources are addresses"
    assert manifest.offers
    assert set(manifest.offers) <= set(CAPABILITIES)
    assert (registry.HERE / case.name / "README.md").exists()


def test_absent_has_its_source(case: Case) -> None:
    """What the vendor's published API cannot do is said with where that stands."""
    case.applies("manifest")
    known = {method.split(".")[1] for method in METHODS}
    assert set(case.manifest.absent) <= known | TOLD, "absent names methods of capabilities, and what a source may tell"
    unsourced = [name for name, why in case.manifest.absent.items() if not SOURCE.search(why)]
    assert not unsourced, f"[capabilities.absent] says no source for {unsourced}"


# What each role is asked for: who does not offer it says why not, and what to do instead.
ASKED = {
    "channel": ("SalesChannel", "SaleCanceller", "Capturer", "Voider", "Charger", "Refunder", "PriceTaker"),
    "erp": (
        "OrderKeeper",
        "ReturnKeeper",
        "PaymentKeeper",
        "PurchaseKeeper",
        "Ledger",
        "StockKeeper",
        "CatalogueSource",
    ),
    "warehouse": ("Fulfiller", "RestCanceller", "StockKeeper"),
    "notify": ("Notifier",),
}
# Asked of nobody, since a system may well be without.
LEFT_OPEN = {
    "Supplier": "a warehouse need not sell us anything",
    "EventSink": "who is a partner of our own API is told of events; a vendor is not",
    "ShipmentLedger": "books whose list of shipments nobody has verified are proved by their orders alone, and their README says so",
    "FileSource": "files are laid by whoever has no API",
    **dict.fromkeys(
        ("Fetcher", "Poller", "QueueFed", "Subscriber"),
        "each source is heard in its own way, by one of these or several",
    ),
}


def test_every_capability_is_asked_of_a_role_or_left_open() -> None:
    asked = {name for names in ASKED.values() for name in names}
    assert asked | set(LEFT_OPEN) == set(CAPABILITIES)
    assert not asked & set(LEFT_OPEN)


def test_what_its_role_is_asked_for_is_offered_or_absent(case: Case) -> None:
    case.applies("manifest")
    asked = {name for role in case.manifest.roles for name in ASKED.get(role, ())} - set(case.manifest.offers)
    wanted = {method.split(".")[1] for method in METHODS if method.split(".")[0] in asked}
    assert wanted <= set(case.manifest.absent), "say why it is absent, and the way instead"


def test_writes_have_rules(case: Case) -> None:
    case.applies("manifest")
    for name, rule in case.manifest.writes.items():
        assert rule.once_by in ("key", "unique", "neither"), name
        assert rule.settles_after > 0, name
        assert rule.window or rule.once_by != "neither", f"{name} is protected by neither: say what window remains"
    assert set(case.manifest.batch) <= {method.split(".")[1] for method in METHODS}


def test_limits_are_declared(case: Case) -> None:
    case.applies("limits")
    assert case.manifest.limits, "declare the vendor's [[limits]], or say why it has none (exempt 'limits')"


def test_polls_are_declared(case: Case) -> None:
    """A source that is polled says how often, how far back, and how long the newest may be missing."""
    if "Poller" not in case.manifest.offers:
        pytest.skip(f"{case.name}: not offered, says the manifest")
    assert case.manifest.polls
    for kind, poll in case.manifest.polls.items():
        assert {"every", "lookback", "settling_delay"} <= set(poll), kind


def test_plays_what_it_offers(case: Case, trial: Trial) -> None:
    """Capabilities are protocols: what is offered can be called."""
    for name in case.manifest.offers:
        assert isinstance(trial.connector, CAPABILITIES[name]), f"{case.name} offers {name} but does not play it"


def test_connecting_asks_nothing(case: Case, trial: Trial) -> None:
    """A worker makes a connector for every step: that costs no call."""
    assert isinstance(trial.bench, Bench)
    assert trial.connector is not None
    assert not trial.bench.exchanges


def test_exemptions_have_reasons(case: Case) -> None:
    for name, reason in case.contract.exempt.items():
        part, _, method = name.partition(":")
        assert part in EXEMPTABLE, f"{name} is no part of the suite (tests/contract/contract.py PARTS)"
        assert not method or method in METHODS, name
        assert len(reason) > 15, f"{name}: a reason is a sentence"


def test_exempt(case: Case) -> None:
    """Reported: all that the contract leaves out, with the reasons."""
    if case.contract.exempt:
        pytest.skip("exempt: " + "; ".join(f"{name}: {why}" for name, why in case.contract.exempt.items()))
