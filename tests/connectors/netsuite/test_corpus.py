"""Every stored NetSuite payload is read: as ours, or named as another protocol's."""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any

import jwt
import pytest

from connectors.kit.errors import Rejected, Throttled
from connectors.kit.http import Answer
from connectors.kit.writes import Job
from connectors.netsuite import auth, errors
from connectors.netsuite.client import Client
from connectors.netsuite.mapping.names import external_id
from tests.connectors.counting import VERDICTS, Counted, explained, reasons
from tests.connectors.netsuite.conftest import CODES, CREDENTIALS, connected, played_with

SAMPLES = Path("../shared/samples/netsuite")
pytestmark = pytest.mark.skipif(
    not SAMPLES.exists(), reason="../shared/samples/netsuite is not here: no corpus to read"
)


def duplicate_job(path: Path) -> str:
    """The answer to a key that was used before stands for its first job."""
    told = json.loads(path.read_text())["response"]
    headers = {name.lower(): value for name, value in told["headers"].items()}
    answer = Answer(told["status"], headers, json.dumps(told["body"]).encode(), write=True)
    said = errors.refusal(answer)
    assert said is not None
    assert said.code == errors.SAME_KEY
    world = connected(played_with({}), "http://127.0.0.1:9", {}, CODES, 1.0, None, CREDENTIALS)
    running = Answer(200, {}, b'{"id": "123456", "completed": false}')
    world.connection.http.call = lambda *_, **asked: answer if asked.get("write") else running  # type: ignore[method-assign]
    world.tokens.held["access"] = "t"
    assert Client(world.connection).upsert("salesOrder", "x-1", {}, job_key="k") == Job("123456")
    return "read: the first job, 123456"


def token_request(path: Path) -> str:
    """Our token request has the documented path, form, header and claims; the simulator's answer its fields."""
    told = json.loads(path.read_text())
    played = played_with({})
    with played.served() as address:
        world = connected(played, address, {}, CODES, 5.0, None, CREDENTIALS)
        sent: dict[str, Any] = {}
        call = world.connection.http.call
        world.connection.http.call = lambda *args, **more: sent.update(args=args, **more) or call(*args, **more)  # type: ignore[method-assign, func-returns-value]
        token, seconds = auth.access_token(world.connection.http, world.account)
        answered = world.post(told["request"]["path"], sent["form"])
    assert token
    assert 0 < seconds < 3600
    assert sent["args"] == (told["request"]["method"], told["request"]["path"])
    assert set(sent["form"]) == set(told["request"]["form"])
    assert {name: sent["form"][name] for name in ("grant_type", "client_assertion_type")} == {
        name: told["request"]["form"][name] for name in ("grant_type", "client_assertion_type")
    }
    made = auth.assertion(world.account, time.time())
    header, claims = jwt.get_unverified_header(made), jwt.decode(made, options={"verify_signature": False})
    assert set(header) == set(told["jwt"]["header"])
    assert header["alg"] in told["jwt"]["header"]["alg"].split("|")
    assert set(claims) == set(told["jwt"]["payload"])
    assert claims["aud"].endswith(told["request"]["path"])
    assert claims["exp"] < claims["iat"] + 3600
    assert set(answered) == {one.split(" ")[0] for one in told["response_fields"]}
    return "read: form, header and claims are ours"


def tutorial(path: Path) -> str:
    """A tutorial's own command, no payload of the API: its external ids are such as ours may be."""
    told = json.loads(path.read_text())
    names = [value for name, value in told.items() if name.endswith("ExternalId")]
    assert names
    assert all(external_id(name) == name for name in names)
    return "not ours: a tutorial's own input (its external ids are safe ones)"


def soap(path: Path) -> str:
    """SOAP is another protocol, which ends with 2028.2; its codes would still be sorted as they should."""
    root = ET.fromstring(path.read_text())
    codes = {one.text or "" for one in root.iter() if one.tag.rpartition("}")[2] == "code"}
    codes |= {one.get("code", "") for one in root.iter() if one.tag.rpartition("}")[2] == "statusDetail"} - {""}
    for code in codes:
        body = {"o:errorDetails": [{"detail": "Words.", "o:errorCode": code}]}
        found = errors.sorted_trouble(Answer(400, {}, json.dumps(body).encode(), write=True), "record")
        assert isinstance(found, Throttled if code in errors.BUSY else Rejected)
        explained(found)
    return f"not ours: SOAP{' (codes ' + ', '.join(sorted(codes)) + ')' if codes else ''}"


READERS = {
    "async_idempotent_duplicate_400.json": duplicate_job,
    "m2m_token_request.json": token_request,
    "ch15-returns-fixture.json": tutorial,
}


@pytest.mark.counting
def test_every_stored_payload_is_read_or_named(counted: Counted):
    table: list[tuple[str, str]] = []
    for path in sorted(one for one in SAMPLES.rglob("*") if one.is_file() and one.name != "SOURCES.md"):
        reader = soap if path.suffix == ".xml" else READERS.get(path.name)
        assert reader is not None, f"{path.name} is new: say how it is read"
        table.append((path.name, reader(path)))
    assert len(table) >= 9
    print()
    for name, verdict in table:
        print(f"{name:45} {verdict}")
    found = Counter(verdict.partition(":")[0] for _, verdict in table)
    counted("payloads", {VERDICTS.get(verdict, verdict): number for verdict, number in found.items()})
    reasons(counted, (("file", name, *verdict.partition(": ")[::2]) for name, verdict in table))
