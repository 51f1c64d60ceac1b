"""Where an OpenAPI document is served, schemathesis asks every operation of it: no 5xx, and answers as it promises."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest

from tests.web.conftest import Hub

PLACES = ("/api/v1/openapi.json", "/api/openapi.json", "/openapi.json")
EXAMPLES = 200 if os.environ.get("WAYBILL_LAB") == "full" else 6


def document(hub: Hub) -> tuple[str, dict[str, Any]] | None:
    """The first document that is served, to whoever asks or to an administrator."""
    for client in (hub.app.test_client(), hub.come_in("admin").client):
        for place in PLACES:
            answer = client.get(place)
            if answer.status_code == 200 and answer.json and "openapi" in answer.json:
                return place, answer.json
    return None


def test_no_operation_answers_with_a_5xx(hub: Hub) -> None:
    found = document(hub)
    if found is None:
        pytest.skip(f"no OpenAPI document is served at {', '.join(PLACES)}: there is no API yet (docs/security.md)")
    schemathesis = pytest.importorskip(
        "schemathesis", reason="schemathesis is not installed: add it to requirements/test.in"
    )
    from app.database import transaction
    from app.web import keys

    place, _ = found
    schema = schemathesis.openapi.from_wsgi(place, hub.app)
    with transaction() as tx:
        token = keys.make(tx, "schemathesis", "tests", scopes=keys.SCOPES, per_minute=100_000)
    seen: Counter[int] = Counter()
    closed = 0  # lists of prices that this channel is told nothing of
    for operation in schema.get_all_operations():
        for case in _cases(operation.ok()):
            answer = case.call(headers={"Authorization": f"Bearer {token}"})
            closed += answer.status_code == 403 and answer.json()["type"].endswith(":price_list")
            seen[answer.status_code] += 1
            assert answer.status_code < 500, (case.method, case.formatted_path, answer.status_code)
            case.validate_response(answer, checks=promised(schemathesis))
    assert seen[200] + seen[201] > 0, seen
    assert seen[401] + seen[403] == closed, seen


def promised(schemathesis: Any) -> list[Any]:
    """What an answer is held against: its status, type, headers and shape are the document's."""
    checks = schemathesis.checks.CHECKS.get_all()
    wanted = {
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "not_a_server_error",
    }
    return [check for check in checks if getattr(check, "__name__", "") in wanted]


def _cases(operation: Any) -> list[Any]:
    from hypothesis import HealthCheck, Phase, given, settings

    made: list[Any] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        database=None,
    )
    @given(case=operation.as_strategy())
    def collect(case: Any) -> None:
        made.append(case)

    collect()
    return made
