"""What NetSuite refuses is sorted by its own code, whatever the status."""

from __future__ import annotations

import json

import pytest

from connectors.kit.errors import Ambiguous, Rejected, Throttled, Transient, Unauthorized
from connectors.kit.http import Answer
from connectors.netsuite import errors

BOTH = (400, 429)


def answer(status: int, code: str, detail: str = "Words.", write: bool = True, **more: str) -> Answer:
    body = {
        "type": "about:blank",
        "title": "T",
        "status": status,
        "o:errorDetails": [{"detail": detail, "o:errorCode": code, **more}],
    }
    return Answer(status, {}, json.dumps(body).encode(), write)


@pytest.mark.parametrize(
    ("status", "code", "write", "error"),
    [
        (400, "CONCURRENCY_LIMIT_EXCEEDED", True, Throttled),
        (429, "CONCURRENCY_LIMIT_EXCEEDED", True, Throttled),
        (400, "SSS_REQUEST_LIMIT_EXCEEDED", True, Throttled),
        (500, "WS_CONCUR_SESSION_DISALLWD", True, Throttled),
        (429, "", True, Throttled),
        (401, "INVALID_LOGIN", True, Unauthorized),
        (403, "INVALID_LOGIN_ATTEMPT", True, Unauthorized),
        (400, "USER_ERROR", True, Rejected),
        (400, "INVALID_CONTENT", True, Rejected),
        (404, "NONEXISTENT_ID", True, Rejected),
        (403, "INSUFFICIENT_PERMISSION", True, Rejected),
        (400, "UNIQUE_CUST_ID_REQD", True, Rejected),
        (400, "RCRD_HAS_BEEN_CHANGED", True, Transient),
        (500, "UNEXPECTED_ERROR", True, Ambiguous),
        (500, "UNEXPECTED_ERROR", False, Transient),
        (503, "UNEXPECTED_ERROR", True, Transient),
    ],
)
def test_the_code_decides(status, code, write, error):
    found = errors.sorted_trouble(answer(status, code, write=write), "sales order")
    assert type(found) is error
    assert found.sentence


@pytest.mark.parametrize(
    ("body", "status", "write", "error"),
    [
        (b"<html>Bad gateway</html>", 502, True, Ambiguous),
        (b"<html>Bad gateway</html>", 502, False, Transient),
        (b"", 503, True, Transient),
        (b"[]", 429, True, Throttled),
        (b'{"fault": "another shape"}', 400, True, Rejected),
        (b"<html>Sign in</html>", 401, True, Unauthorized),
    ],
)
def test_what_is_no_ns_error_is_sorted_by_its_status(body, status, write, error):
    assert type(errors.sorted_trouble(Answer(status, {}, body, write), "sales order")) is error


def test_a_refusal_names_the_field_and_what_to_do():
    path = {"o:errorPath": "item.items[0].item"}
    found = errors.sorted_trouble(answer(400, "INVALID_CONTENT", "Invalid Field Value 9999.", **path), "sales order")
    assert isinstance(found, Rejected)
    assert found.field == "item.items[0].item"
    assert found.sentence == "NetSuite does not accept a value of this sales order: Invalid Field Value 9999."
    assert found.remedy


@pytest.mark.parametrize(("part", "named"), [("o:errorQueryParam", "q"), ("o:errorHeader", "Prefer")])
def test_a_parameter_or_header_is_a_field_too(part, named):
    found = errors.sorted_trouble(answer(400, "INVALID_PARAMETER", **{part: named}), "query")
    assert isinstance(found, Rejected)
    assert found.field == named


def test_an_address_in_what_netsuite_says_is_left_out():
    found = errors.sorted_trouble(answer(400, "USER_ERROR", "A customer ana@example.com exists."), "customer")
    assert found is not None
    assert "ana@example.com" not in found.sentence


def test_an_answer_below_400_is_no_trouble():
    assert errors.sorted_trouble(Answer(204, {}, b""), "sales order") is None
