"""Tokens of a NetSuite account: signed for, shared by all workers, bought anew once when they end."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from connectors.kit.account import Account
from connectors.kit.errors import Unauthorized
from connectors.netsuite import auth, simulator
from tests.connectors.netsuite.conftest import CREDENTIALS, KEY
from tests.connectors.netsuite.orders import ORDER


def pem(key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def test_an_expired_token_is_bought_anew_and_the_call_made_again(world):
    netsuite = world()
    netsuite.drive(netsuite.connector.book(ORDER, key="k"))
    netsuite.tell("/_sim/tokens/ends")
    assert netsuite.drive(netsuite.connector.book(ORDER, key="k")) == "SO10001"
    assert netsuite.tokens.refreshes == 2


def test_fifty_workers_that_meet_the_end_of_a_token_buy_one(world):
    netsuite = world(simulator={"concurrency": 200})
    list(netsuite.connector.stock())
    netsuite.tell("/_sim/tokens/ends")
    start = threading.Barrier(50)

    def ask(_: int) -> list[object]:
        start.wait(10)
        return list(netsuite.connector.stock())

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(ask, range(50)))
    assert netsuite.operations().count("oauth.token") == 2
    assert netsuite.tokens.refreshes == 2


def test_a_token_that_stays_refused_stops_the_account(world):
    netsuite = world(simulator={"token_seconds": 0})
    with pytest.raises(Unauthorized) as refused:
        list(netsuite.connector.stock())
    assert refused.value.code == "INVALID_LOGIN"
    assert netsuite.operations() == ["oauth.token", "suiteql", "oauth.token", "suiteql"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"certificate_id": "another"}, "invalid_grant"),
        ({"client_id": "another"}, "invalid_client"),
        ({"private_key": simulator.private_key()}, "invalid_grant"),
    ],
)
def test_a_wrong_key_client_or_certificate_is_an_account_that_may_not_in(world, change, error):
    netsuite = world(credentials={**CREDENTIALS, **change})
    with pytest.raises(Unauthorized) as refused:
        list(netsuite.connector.stock())
    assert refused.value.code == error
    assert refused.value.remedy
    assert "PRIVATE KEY" not in repr(refused.value)


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_an_assertion_is_judged_by_the_accounts_clock(world, skew):
    netsuite = world(simulator={"clock_skew": skew})
    with pytest.raises(Unauthorized):
        list(netsuite.connector.stock())


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ec.generate_private_key(ec.SECP521R1()), "ES512"),
        (rsa.generate_private_key(65537, 3072), "PS256"),
    ],
    ids=["ES256", "ES384", "ES512", "PS256"],
)
def test_the_algorithm_follows_the_key_and_netsuite_proves_each(world, key, algorithm):
    credentials = {**CREDENTIALS, "private_key": pem(key).replace("\n", "\\n")}  # as an environment variable holds it
    netsuite = world(credentials=credentials, simulator={"private_key": pem(key)})
    list(netsuite.connector.stock())
    token = auth.assertion(netsuite.account, time.time())
    assert jwt.get_unverified_header(token)["alg"] == algorithm


def test_a_key_that_is_no_key_is_told_without_showing_it():
    account = Account("books", "netsuite", "https://x.example", {**CREDENTIALS, "private_key": "not a key"})
    with pytest.raises(Unauthorized) as refused:
        auth.assertion(account, 0)
    assert refused.value.code == "bad_key"
    assert "not a key" not in refused.value.sentence


def test_no_repr_shows_the_key(world):
    netsuite = world()
    assert KEY.splitlines()[1] not in repr(netsuite.account)
