"""Where an OpenAPI document is served, schemathesis asks every operation of it: no 5xx, and answers as it promises."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.web.conftest import Hub

PLACES = ("/api/v1/openapi.json", "/api/openapi.json", "/openapi.json")
EXAMPLES = 200 if os.environ.get("WAYBILL_LAB") == "full" else 5


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
    place, _ = found
    schema = schemathesis.openapi.from_wsgi(place, hub.app)
    person = hub.come_in("admin")
    cookie = person.client.get_cookie("waybill")
    assert cookie is not None
    for operation in schema.get_all_operations():
        for case in _cases(operation.ok()):
            answer = case.call(headers={"Cookie": f"waybill={cookie.value}"})
            assert answer.status_code < 500, (case.method, case.formatted_path, answer.status_code)


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
