"""Tryton's clothes: what goes out comes back, and a moment is the same moment in the zone of its database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.kit.account import Account
from connectors.tryton.ledger import Ledger
from connectors.tryton.wire import dressed, undressed

AT = datetime(2026, 11, 25, 23, 30, 15, 123456, UTC)


@pytest.mark.parametrize("value", [AT, date(2026, 3, 29), Decimal("19.90"), [{"a": [AT, None, "x"]}]])
def test_what_goes_out_comes_back(value: Any) -> None:
    assert undressed(dressed(value)) == value


def test_a_moment_goes_out_as_trytons_json_names_its_parts() -> None:
    """trytond/protocols/jsonrpc.py reads every part by name; another zone is the same moment."""
    wanted = {"year": 2026, "month": 11, "day": 25, "hour": 23, "minute": 30, "second": 15, "microsecond": 123456}
    for at in (AT, AT.astimezone(timezone(timedelta(hours=5, minutes=30)))):
        assert dressed(at) == {"__class__": "datetime", **wanted}


class Sales:
    """What the client would answer, and what it was asked."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.held, self.asked = rows, []  # type: list[dict[str, Any]], list[Any]

    def rows(self, model: str, domain: Any, *fields: str, limit: int) -> list[dict[str, Any]]:
        self.asked.append(domain)
        after = domain[-1][2]
        return [row for row in self.held if row["id"] > after][:limit]


def listed(count: int, **settings: Any) -> tuple[list[Any], Sales]:
    rows = [
        {"id": n, "reference": f"shop-{n}", "total_amount": Decimal(n), "currency.": {"code": "EUR"}, "create_date": AT}
        for n in range(1, count + 1)
    ]
    ledger, sales = Ledger(), Sales(rows)
    ledger.connection = SimpleNamespace(account=Account("t", "tryton", "", settings=settings))  # type: ignore[assignment]
    ledger.client = sales  # type: ignore[assignment]
    return list(ledger.booked(AT - timedelta(hours=1), AT)), sales


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
def test_sales_are_listed_by_id_page_after_page(count: int) -> None:
    found, sales = listed(count, page=2)
    assert [one.id for one in found] == [str(n) for n in range(1, count + 1)]
    assert [domain[-1] for domain in sales.asked] == [["id", ">", n] for n in range(0, count + 1, 2)]
    assert all(["origin", "=", None] in domain for domain in sales.asked)


def test_the_databases_zone_is_the_lists() -> None:
    found, sales = listed(1, time_zone="Asia/Kolkata")
    kept = AT.astimezone(timezone(timedelta(hours=5, minutes=30))).replace(tzinfo=UTC)
    assert sales.asked[0][1] == ["create_date", "<=", kept]
    assert found[0].at.utcoffset() == timedelta(hours=5, minutes=30)
