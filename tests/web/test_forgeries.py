"""Forged and mutated deliveries of every system that pushes: none is accepted (10,000 in make lab-security)."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import os
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from connectors import registry
from connectors.kit.receiver import Incoming
from tests.contract.cases import Case, cases
from tests.contract.contract import Webhooks
from tests.web.conftest import Hub, _environment, _made

COUNT = 10_000 if os.environ.get("WAYBILL_LAB") == "full" else 300


@dataclass(frozen=True)
class Sender:
    """A system that pushes: how it signs, what it says, and the account that it says it to.

    `signs` is False for one that signs nothing and only says a secret that we share: then nothing but the secret can be forged.
    """

    account: str
    hooks: Webhooks
    topic: str
    body: bytes
    signs: bool = True

    def sign(self, n: int, body: bytes | None = None, secret: str = "", at: datetime | None = None) -> Incoming:
        raw = self.body if body is None else body
        signed = self.hooks.sign(
            self.topic, f"forged-{n}", raw, secret or self.hooks.secrets[0], at or datetime.now(UTC)
        )
        return replace(signed, body=raw) if self.signs else signed


def senders() -> list[Sender]:
    """Every connector with a receiver whose contract says how its deliveries are signed."""
    found: dict[str, Sender] = {}
    for case in cases(None):
        hooks = case.contract.webhooks
        if hooks is not None and registry.receiver(case.name) is not None and case.name not in found:
            found[case.name] = _sender(case, hooks)
    return list(found.values())


def _sender(case: Case, hooks: Webhooks) -> Sender:
    fixture = next(one for one in (case.contract, *case.siblings) if one.fixtures).fixtures[0]
    body = case.fixture(fixture.file).read_bytes()
    url = hooks.sign(fixture.topic, "x", body, hooks.secrets[0], datetime.now(UTC)).url
    return Sender(
        urlsplit(url).path.rpartition("/")[2], hooks, fixture.topic, body, "raw_body" not in case.contract.exempt
    )


@pytest.fixture(scope="module")
def open_door(module_database: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with an account for each of them, at the address that they sign."""
    folder: Path = tmp_path_factory.mktemp("policy")
    told, environ = "", {}
    for n, sender in enumerate(senders()):
        connector = next(c.name for c in cases(None) if c.contract.webhooks is sender.hooks)
        environ[f"FORGED_{n}"], environ[f"FORGED_{n}_ENDED"] = sender.hooks.secrets
        told += (
            f'[{sender.account}]\nconnector = "{connector}"\nbase_url = "http://127.0.0.1:1"\n'
            f'webhook_secrets = ["FORGED_{n}", "FORGED_{n}_ENDED until 2020-01-01T00:00:00Z"]\n\n'
        )
    (folder / "accounts.toml").write_text(told)
    (folder / "routes.toml").write_text("")
    public = {"PUBLIC_URL": "https://hub.example.com", "ACKS": str(folder / "acks")}
    with _environment(
        DATABASE_URL=module_database, REDIS_URL=redis_url, WAYBILL_CONFIG=str(folder), **environ, **public
    ):
        yield _made(module_database, redis_url)


def send(client: FlaskClient, sender: Sender, incoming: Incoming, method: str = "POST", **more: str) -> int:
    headers = {**incoming.headers, **more}
    path = urlsplit(incoming.url)
    address = path.path + (f"?{path.query}" if path.query else "")
    answer = client.open(
        address, method=method, data=incoming.body, headers=headers, query_string=dict(incoming.query) or None
    )
    return answer.status_code


# ---- mutations: each gives a request that its sender did not make

Mutation = Callable[[Sender, int, random.Random], Incoming]


def flipped(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def grown(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice((b" ", b"\n", b"\x00", b"0", b"{}", b"\xff")) + data[at:]


def swapped(data: bytes, chance: random.Random) -> bytes:
    """Amounts are what a forger would change."""
    digits = [at for at, byte in enumerate(data) if chr(byte).isdigit()]
    at = chance.choice(digits)
    return data[:at] + bytes([48 + (data[at] - 48 + chance.randint(1, 9)) % 10]) + data[at + 1 :]


def body_of(change: Callable[[bytes, random.Random], bytes]) -> Mutation:
    """A good signature over another body."""

    def mutated(sender: Sender, n: int, chance: random.Random) -> Incoming:
        return replace(sender.sign(n), body=change(sender.body, chance))

    return mutated


def proofs(incoming: Incoming) -> list[str]:
    """The headers that prove: those whose value changes with the secret."""
    return [
        name
        for name in incoming.headers
        if any(word in name for word in ("signature", "hmac", "hash", "authorization"))
    ]


def signature_of(change: Callable[[str, random.Random], str]) -> Mutation:
    def mutated(sender: Sender, n: int, chance: random.Random) -> Incoming:
        good = sender.sign(n)
        changed = {name: change(good.headers[name], chance) for name in proofs(good)}
        return replace(good, headers={**good.headers, **changed})

    return mutated


def other_letter(text: str, chance: random.Random) -> str:
    places = [at for at, letter in enumerate(text) if letter.isalnum()][4:]  # not the scheme's own name
    at = chance.choice(places or list(range(len(text))))
    letters = [
        one
        for one in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        if one.lower() != text[at].lower()
    ]
    return text[:at] + chance.choice(letters) + text[at + 1 :]


def without_proof(sender: Sender, n: int, chance: random.Random) -> Incoming:
    good = sender.sign(n)
    return replace(good, headers={name: value for name, value in good.headers.items() if name not in proofs(good)})


def of_another_secret(sender: Sender, n: int, chance: random.Random) -> Incoming:
    secret = sender.hooks.secrets[0]
    other = (
        "whsec_" + base64.b64encode(chance.randbytes(24)).decode()
        if secret.startswith("whsec_")
        else chance.randbytes(16).hex()
    )
    return sender.sign(n, secret=other)


def of_an_ended_secret(sender: Sender, n: int, chance: random.Random) -> Incoming:
    return sender.sign(n, secret=sender.hooks.secrets[1])


def of_another_delivery(sender: Sender, n: int, chance: random.Random) -> Incoming:
    """The proof of a body that was really signed, on another one."""
    other = sender.sign(n, body=swapped(sender.body, chance))
    return replace(other, body=sender.body)


def by_the_wrong_art(sender: Sender, n: int, chance: random.Random) -> Incoming:
    good = sender.sign(n)
    key = sender.hooks.secrets[0].encode()
    arts: Mapping[str, Any] = {
        "sha1": hmac.new(key, sender.body, hashlib.sha1).digest(),
        "md5": hmac.new(key, sender.body, hashlib.md5).digest(),
        "no key": hashlib.sha256(sender.body).digest(),
        "empty key": hmac.new(b"", sender.body, hashlib.sha256).digest(),
        "key behind": hashlib.sha256(sender.body + key).digest(),
    }
    made = arts[chance.choice(sorted(arts))]
    text = chance.choice((base64.b64encode(made).decode(), made.hex(), "v1," + base64.b64encode(made).decode()))
    return replace(good, headers={**good.headers, **dict.fromkeys(proofs(good), text)})


def of_garbage(sender: Sender, n: int, chance: random.Random) -> Incoming:
    good = sender.sign(n)
    junk = (
        "",
        " ",
        "v1,",
        "none",
        "null",
        "0",
        "=" * 44,
        "v1," * 2000,
        "\u00ff" * 44,
        "A" * 44,
        "sha256=",
        "Bearer x",
        "true",
    )
    return replace(good, headers={**good.headers, **dict.fromkeys(proofs(good), chance.choice(junk))})


def long_ago(sender: Sender, n: int, chance: random.Random) -> Incoming:
    """A fresh stamp over an old proof, where the system stamps; else only another body tells."""
    old = sender.sign(n, at=datetime.now(UTC) - timedelta(days=1))
    new = sender.sign(n)
    stamps = [name for name in new.headers if "timestamp" in name]
    if not stamps:
        return replace(new, body=flipped(sender.body, chance))
    return replace(old, headers={**old.headers, **{name: new.headers[name] for name in stamps}})


MUTATIONS: dict[str, Mutation] = {
    "a bit of the body flipped": body_of(flipped),
    "the body cut": body_of(cut),
    "the body grown": body_of(grown),
    "an amount changed": body_of(swapped),
    "no body": body_of(lambda data, chance: b""),
    "a letter of the signature changed": signature_of(other_letter),
    "the signature cut": signature_of(lambda text, chance: text[: chance.randrange(max(1, len(text.rstrip("=")) - 1))]),
    "the signature twice": signature_of(lambda text, chance: text + text),
    "the signature backwards": signature_of(lambda text, chance: text[::-1]),
    "no signature": without_proof,
    "another secret": of_another_secret,
    "a secret that has ended": of_an_ended_secret,
    "the proof of another delivery": of_another_delivery,
    "another algorithm": by_the_wrong_art,
    "garbage for a signature": of_garbage,
    "an old proof under a new stamp": long_ago,
}


def with_secret(change: Callable[[str, random.Random], str]) -> Mutation:
    """Another word where the shared secret stood."""

    def mutated(sender: Sender, n: int, chance: random.Random) -> Incoming:
        good, secret = sender.sign(n), sender.hooks.secrets[0]
        return replace(good, body=good.body.replace(secret.encode(), change(secret, chance).encode()))

    return mutated


# Of a system that signs nothing: whoever knows the secret is believed, whatever the body says (docs/security.md).
OF_A_SECRET: dict[str, Mutation] = {
    "another secret": of_another_secret,
    "a secret that has ended": of_an_ended_secret,
    "no body": body_of(lambda data, chance: b""),
    "a letter of the secret changed": with_secret(other_letter),
    "the secret cut": with_secret(lambda text, chance: text[: chance.randrange(len(text))]),
    "the secret twice": with_secret(lambda text, chance: text + text),
    "no secret": with_secret(lambda text, chance: ""),
}


def test_every_sender_is_tried() -> None:
    pushing = {name for name in registry.manifests() if registry.receiver(name) is not None}
    tried = {case.name for case in cases(None) if case.contract.webhooks is not None}
    assert pushing <= tried
    assert len(senders()) == len(pushing)


def test_what_is_really_signed_is_accepted(open_door: Hub) -> None:
    """Else the test below could not fail."""
    client = open_door.app.test_client()
    for sender in senders():
        assert send(client, sender, sender.sign(1)) in (200, 202), sender.account


def test_no_forgery_is_accepted(open_door: Hub) -> None:
    """Whatever a forger does to a delivery: no event, no 5xx, and each refusal is counted."""
    chance, client = random.Random(20261125), open_door.app.test_client()
    everybody = senders()
    events = open_door.one("SELECT count(*) FROM events")
    counted = open_door.one("SELECT coalesce(sum(count), 0) FROM refusals")
    accepted: list[tuple[str, str, int]] = []
    for n in range(COUNT):
        sender = everybody[n % len(everybody)]
        ways = list((MUTATIONS if sender.signs else OF_A_SECRET).items())
        way, mutate = ways[n // len(everybody) % len(ways)]
        status = send(client, sender, mutate(sender, n + 10, chance))
        if not 400 <= status < 500:
            accepted.append((sender.account, way, status))
    assert not accepted
    assert open_door.one("SELECT count(*) FROM events") == events
    assert open_door.one("SELECT sum(count) FROM refusals") == counted + COUNT
    print(f"{COUNT} forged and mutated deliveries of {len(everybody)} senders in {len(MUTATIONS)} ways: 0 accepted")


def test_a_proof_is_of_one_account(open_door: Hub) -> None:
    """A delivery that one system really signed is a forgery at another's address."""
    client = open_door.app.test_client()
    for sender in senders():
        for other in senders():
            if other.account != sender.account:
                stolen = replace(sender.sign(2), url=other.sign(2).url)
                assert send(client, other, stolen) == 401, (sender.account, other.account)


def test_a_compressed_forgery_is_one_too(open_door: Hub) -> None:
    client = open_door.app.test_client()
    for sender in senders():
        mutate = body_of(flipped) if sender.signs else with_secret(other_letter)
        packed = mutate(sender, 3, random.Random(1))
        packed = replace(packed, body=gzip.compress(packed.body, mtime=0))
        assert send(client, sender, packed, **{"content-encoding": "gzip"}) == 401
