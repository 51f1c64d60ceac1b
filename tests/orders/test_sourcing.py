"""Sourcing by rules: each rule decides, the plan is the cheapest that gives most, and nothing is promised twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.orders.places import distance, places, where
from app.orders.sourcing import Plan, kilometres, promise, score, source
from app.orders.sourcing_rules import Rules, Unusable, Weights, read, read_new
from app.orders.wants import PICKUP, Demand, Want

RULES = """
name = "tests"
[limits]
split = 2
[weights]
cost = 1
distance = 1
days = 1
load = 10
abroad = 5
split = 3
[locations.dc]
kind = "dc"
account = "warehouse"
stock = { account = "warehouse", location = "main" }
country = "DE"
at = [50.9, 6.9]
cost = "3.50"
days = 1
safety = 1
[locations.store]
kind = "store"
stock = { account = "pos", location = "store" }
country = "DE"
at = [52.5, 13.4]
cost = "5.00"
days = 2
capacity = 10
pickup = true
ships_to = ["DE"]
[locations.maker]
kind = "supplier"
account = "acme"
country = "CN"
cost = "9.00"
days = 6
excluded_skus = ["MUG"]
[[channel]]
when = { source = "marketplace" }
locations = ["dc", "maker"]
most_days = 3
[[channel]]
when = { source = "b2b" }
excluded = ["store"]
split = 1
"""


@pytest.fixture
def rules() -> Rules:
    return read(RULES)


def wants(**skus: int) -> tuple[Want, ...]:
    return tuple(Want(f"L{n}", sku, Decimal(many)) for n, (sku, many) in enumerate(skus.items(), 1))


def stock(**there: int) -> dict[tuple[str, str], Decimal]:
    """dc_TEE=3 is three tees at the distribution centre."""
    return {(name.split("_")[0], name.split("_")[1]): Decimal(many) for name, many in there.items()}


def who(plan: Plan) -> dict[str, dict[str, int]]:
    return {leg.location: {want.sku: int(want.quantity) for want in leg.wants} for leg in plan.legs}


def test_one_parcel_from_the_cheapest_that_has_it_all(rules: Rules) -> None:
    plan = source(rules, Demand(wants(TEE=2), "DE"), stock(dc_TEE=9, store_TEE=9), {})
    assert who(plan) == {"dc": {"TEE": 2}}
    assert plan.cost == Decimal("3.50")


def test_distance_beats_cost_where_the_weights_say_so(rules: Rules) -> None:
    plan = source(rules, Demand(wants(TEE=2), "DE", at=(52.5, 13.4)), stock(dc_TEE=9, store_TEE=9), {})
    assert who(plan) == {"store": {"TEE": 2}}, "Berlin is served from Berlin"
    assert distance((50.9, 6.9), (52.5, 13.4)) == pytest.approx(Decimal(480), abs=10)


def test_safety_stock_is_kept_and_an_order_is_split_over_three_kinds_of_location(rules: Rules) -> None:
    """The centre has three of which one is kept back; the store has one; the rest comes from the maker, as far as the split allows."""
    demand = Demand(wants(TEE=2, MUG=1), "DE")
    assert who(source(rules, demand, stock(dc_TEE=3, store_MUG=1), {})) == {"dc": {"TEE": 2}, "store": {"MUG": 1}}
    assert who(source(rules, demand, stock(dc_TEE=2, dc_MUG=2), {})) == {
        "dc": {"TEE": 1, "MUG": 1},
        "maker": {"TEE": 1},
    }
    plan = source(rules, Demand(wants(TEE=3, MUG=1), "DE"), stock(dc_TEE=2, store_MUG=1), {})
    assert len(plan.legs) == 2
    assert who(plan) == {"store": {"MUG": 1}, "maker": {"TEE": 3}}


def test_what_nobody_has_is_missing_and_not_promised(rules: Rules) -> None:
    plan = source(rules, Demand(wants(MUG=2), "DE"), stock(dc_MUG=2), {})
    assert who(plan) == {"dc": {"MUG": 1}}
    assert [(want.sku, want.quantity) for want in plan.missing] == [("MUG", 1)]
    whole = source(rules, Demand(wants(MUG=2), "DE", ship_complete=True), stock(dc_MUG=2), {})
    assert (whole.legs, whole.missing) == ((), wants(MUG=2))


@pytest.mark.parametrize(
    ("demand", "refused"),
    [
        (
            Demand(wants(TEE=1), "DE", facts={"source": "marketplace"}),
            {"store": "not for this channel", "maker": "too slow"},
        ),
        (Demand(wants(TEE=1), "FR"), {"store": "does not send to FR"}),
        (Demand(wants(TEE=1), "DE", facts={"source": "b2b"}), {"store": "excluded for this channel"}),
        (Demand(wants(TEE=1), "DE", tried=frozenset({"dc"})), {"dc": "tried before"}),
        (
            Demand(wants(TEE=1), "DE", method=PICKUP, pickup_at="store"),
            {"dc": "not the place it is fetched at", "maker": "not the place it is fetched at"},
        ),
        (
            Demand(wants(TEE=1), "DE", method=PICKUP, pickup_at="dc"),
            {
                "dc": "no pickup there",
                "store": "not the place it is fetched at",
                "maker": "not the place it is fetched at",
            },
        ),
    ],
    ids=["channel", "region", "exclusion", "tried", "pickup", "no pickup"],
)
def test_each_rule_says_why_a_location_is_left_out(rules: Rules, demand: Demand, refused: dict[str, str]) -> None:
    assert source(rules, demand, stock(dc_TEE=9, store_TEE=9), {}).refused == refused


def test_a_full_store_gets_nothing_and_a_busy_one_less(rules: Rules) -> None:
    berlin = Demand(wants(TEE=1), "DE", at=(52.5, 13.4))
    there = stock(dc_TEE=9, store_TEE=9)
    assert who(source(rules, berlin, there, {"store": 0})) == {"store": {"TEE": 1}}
    assert who(source(rules, berlin, there, {"store": 8})) == {"dc": {"TEE": 1}}
    assert source(rules, berlin, there, {"store": 10}).refused == {"store": "at its capacity"}


quantities = st.integers(0, 4)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from(("TEE", "MUG", "CAP")), st.integers(1, 4)), min_size=1, max_size=5),
    st.lists(quantities, min_size=6, max_size=6),
)
def test_what_is_given_and_what_is_missing_is_what_was_wanted(lines: list[tuple[str, int]], there: list[int]) -> None:
    """Whatever the stock: no location gives more than it may promise, and never in more parcels than the limit."""
    rules = read(RULES)
    places = [(where, sku) for where in ("dc", "store") for sku in ("TEE", "MUG", "CAP")]
    has = dict(zip(places, map(Decimal, there), strict=True))
    demand = Demand(tuple(Want(f"L{n}", sku, Decimal(many)) for n, (sku, many) in enumerate(lines)), "DE")
    plan = source(rules, demand, has, {})
    assert len(plan.legs) <= rules.split
    for want in demand.wants:
        pieces = [one for leg in plan.legs for one in leg.wants if one.line_id == want.line_id]
        lacking = [one for one in plan.missing if one.line_id == want.line_id]
        assert sum(one.quantity for one in (*pieces, *lacking)) == want.quantity
    for leg in plan.legs:
        for sku in {want.sku for want in leg.wants}:
            given_ = sum(want.quantity for want in leg.wants if want.sku == sku)
            assert given_ <= promise(rules.locations[leg.location], sku, has)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "name = 1\n[locations.x]\nkind = 'shed'",
        RULES.replace('["DE"]', '["Germany"]'),
        RULES + "\n[places.Germany]\n1 = [1, 1]",
        RULES + "\n[places.DE]\n1 = [100, 1]",
        RULES.replace("split = 2", "late = 1", 1),
        RULES + "\n[[channel]]\nlocations = ['nowhere']",
        "name =",
    ],
)
def test_a_rule_set_that_cannot_be_used_says_so(content: str) -> None:
    with pytest.raises(Unusable, match=r"sourcing\.toml"):
        read_new(content)


def test_an_area_that_was_kept_before_areas_were_looked_at_stops_no_order() -> None:
    kept = RULES.replace('["DE"]', '["Germany"]')
    wants = Demand((Want("L1", "TEE", Decimal(1)),), "DE")
    assert "does not send to DE" in source(read(kept), wants, {}, {}).refused.values()


def test_the_rule_set_that_is_shipped_can_be_read() -> None:
    assert read((Path(__file__).parents[2] / "config" / "sourcing.toml").read_text()).split == 3


def test_pieces_in_time_come_before_cheap_ones_and_late_ones_before_none(rules: Rules) -> None:
    """One tee can be there in time, the other cannot: both go, each from whoever is best for it."""
    now = datetime(2026, 11, 2, 8, tzinfo=UTC)
    demand = Demand(wants(TEE=2), "DE", at=(52.5, 13.4), deliver_by=now + timedelta(days=1), now=now)
    plan = source(rules, demand, stock(dc_TEE=2, store_TEE=9), {})
    assert (who(plan), plan.late) == ({"dc": {"TEE": 1}, "store": {"TEE": 1}}, 1)
    assert [leg.why.endswith("later than promised") for leg in plan.legs] == [False, True]
    in_time = source(rules, demand, stock(dc_TEE=3, store_TEE=9), {})
    assert in_time.refused == {"store": "later than promised", "maker": "later than promised"}
    assert who(source(rules, replace(demand, now=None), stock(dc_TEE=2, store_TEE=9), {})) == {"store": {"TEE": 2}}


def test_a_location_without_a_place_is_as_far_as_the_farthest(rules: Rules) -> None:
    far = kilometres(rules, Demand((), at=(50.9, 6.9)))
    assert far["dc"] == 0
    assert far["maker"] == far["store"] > 400
    assert set(kilometres(rules, Demand(())).values()) == {0}


def test_another_region_of_the_country_counts_where_both_are_told(rules: Rules) -> None:
    here = replace(rules.locations["dc"], region="NW")
    weights = Weights(cost=Decimal(0), outside=Decimal(7), abroad=Decimal(9))
    counted = [
        score(weights, here, Demand((), country, region), 0, Decimal(0))
        for country, region in (("DE", "NW"), ("DE", "BY"), ("DE", ""), ("AT", "9"))
    ]
    assert counted == [0, 7, 0, 9]


@pytest.mark.parametrize(
    ("country", "postcode", "found"),
    [
        ("DE", "10115", (1, 1)),
        ("DE", "1 9", (2, 2)),
        ("DE", "50667", (3, 3)),
        ("DE", "", (3, 3)),
        ("NL", "1011-ab", (4, 4)),
        ("NL", "9", None),
        ("AT", "1010", None),
    ],
)
def test_the_longest_beginning_of_a_postcode_says_where_it_is(
    country: str, postcode: str, found: tuple[int, int] | None
) -> None:
    table = {"DE": {"10": [1, 1], "1": [2, 2], "": [3, 3]}, "NL": {"1011 AB": [4, 4]}}
    assert where(places(table), country, postcode) == found
