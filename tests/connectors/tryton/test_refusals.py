"""What Tryton answers under HTTP 200 is sorted by what the hub must do."""

import pytest

from connectors.kit.errors import Rejected, Transient, Trouble, Unauthorized
from connectors.tryton.refusals import refusal
from connectors.tryton.wire import dressed, undressed

UNIQUE = "The code on party must be unique."
REQUIRED = 'A value is required for field "Party" in "Sale".'
DOMAIN = [[["closed", "!=", True]], {"closed": {"type": "boolean"}}]

ERRORS = [
    (["UserError", [REQUIRED, "", None]], Rejected, "user_error", ""),
    (["UserError", ["Not valid.", "Look there.", DOMAIN]], Rejected, "user_error", "closed"),
    (["UserError", [UNIQUE, "", None]], Rejected, "not_unique", ""),
    (["UserWarning", ["sale_late", "It is late.", ""]], Rejected, "user_warning", "sale_late"),
    (["ConcurrencyException", "Records were modified in the meanwhile"], Transient, "concurrency", ""),
    (["LoginException", ["password", "again", "password"]], Unauthorized, "login", ""),
    (["could not serialize access due to concurrent update", ""], Transient, "database_busy", ""),
    (["'sale.nope'", ""], Rejected, "tryton_failed", ""),
    ([], Rejected, "tryton_failed", ""),
]


@pytest.mark.parametrize(("error", "kind", "code", "field"), ERRORS)
def test_each_refusal_has_its_verdict(error: list[object], kind: type[Trouble], code: str, field: str) -> None:
    found = refusal(error)
    assert type(found) is kind
    assert found.code == code
    assert getattr(found, "field", "") == field
    assert found.sentence


def test_decimals_and_dates_in_their_clothes() -> None:
    from datetime import date
    from decimal import Decimal

    value = {"price": Decimal("19.90"), "on": date(2026, 11, 21), "lines": [["create", [{"n": 1}]]], "none": None}
    assert undressed(dressed(value)) == value
    assert dressed(Decimal("19.90")) == {"__class__": "Decimal", "decimal": "19.90"}
