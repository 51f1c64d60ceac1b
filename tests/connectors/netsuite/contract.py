"""The NetSuite account that the inherited contract suite tries."""

from __future__ import annotations

from connectors.netsuite.simulator import DEMO_SETTINGS
from tests.connectors.netsuite.conftest import CREDENTIALS
from tests.contract import samples
from tests.contract.contract import Contract, Fixture, Token

CONTRACT = Contract(
    settings={
        **DEMO_SETTINGS,
        "deposits": "all",
        "returns": "authorization",
        "conditions": {"quarantined": "8", "scrapped": "9"},
    },
    credentials=CREDENTIALS,
    simulator={
        **CREDENTIALS,
        "items": {
            "1001": {"sku": "WB-TEE", "prices": {"1/1": {"1": "19.90"}}},
            "1002": {"sku": "WB-MUG", "prices": {"1/1": {"1": "8.50"}}},
        },
        "stock": {"1001": {"1": "7"}, "1002": {"1": "8"}},
        "concurrency": 200,
    },
    codes={
        **samples.CODES,
        "sku": {"WB-TEE": "1001", "WB-MUG": "1002"},
        "location": {"main": "1"},
        "supplier": {"maker": "71"},
    },
    fixtures=(
        Fixture("stock__whole", "stock", ("stock:1001@1",), ("item", "location", "asof")),
        Fixture("stock__whole_later", "stock", ("stock:1001@1",), ("item", "location", "asof")),
        Fixture("stock__only_on_hand", "stock", ("stock:1002@1",), ("item", "location", "asof")),
        Fixture("stock__fractions", "stock", ("stock:1003@2",), ("item", "location", "asof")),
        Fixture("other__unused", "salesorder", ("ignored",)),
    ),
    versions=(("stock__whole", "stock__whole_later"),),
    token=Token("oauth.token", lambda system: system.post("/_sim/tokens/ends")),
    version="/v1/",
    settles=0.5,
    exempt={
        "daily_quota": "NetSuite counts calls at a time, never calls a day",
        "limits": "calls at a time have no rate: tests/connectors/netsuite/test_limits.py counts them at the simulator",
        "half_an_answer": "a create or update answers 204 without a body, of which there is no half",
    },
)
