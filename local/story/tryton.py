"""Tryton as the demonstration's ERP: started, told of our articles, and asked for what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

from local.ports import Ports
from local.story.catalogue import ARTICLES, NEW
from local.story.erps import Erp
from local.story.facts import Books
from local.story.judge import CHANNEL
from local.tryton import TrytonServer, start
from local.tryton_count import count

PRICE = "10.00"  # the order's own prices are booked, never this one


def tryton(database_url: str, ports: Ports, stack: ExitStack) -> Erp:
    """A running Tryton over its own database on our PostgreSQL."""
    running = stack.enter_context(start(port=ports.get("tryton"), database_url=database_url))
    return Erp(
        account="tryton-main",
        books=lambda: books(_count(running)),
        desk=None,
        variables={
            "ERP_ACCOUNT": "tryton-main",
            "TRYTON_MAIN_URL": running.url,
            "TRYTON_MAIN_DATABASE": running.database,
            "TRYTON_MAIN_USER": running.user,
            "TRYTON_MAIN_PASSWORD": running.password,
            "SIMULATORS_WITHOUT": "netsuite",
        },
        addresses={"tryton": f"{running.url} (database {running.database}, login {running.user}, password {running.password})"},
        without=("netsuite",),
        patience=280.0,
        prepare=lambda: running.add_goods({article.sku: PRICE for article in (*ARTICLES, NEW) if article.ships}),
    )


def _count(running: TrytonServer) -> Mapping[str, Any]:
    return count(running.url, running.database, running.user, running.password, f"{CHANNEL}-")


def books(told: Mapping[str, Any]) -> Books:
    """Tryton's own count, by the references that the hub gave it."""
    return Books(
        orders=told["sales_order"],
        totals={order: Decimal(amount) for order, amount in told["total"].items()},
        cancelled=frozenset(told["cancelled"]),
        fulfilments={_named(reference): n for reference, n in told["shipment"].items()},
        refunds=_refunds(told["refund"]),
    )


def _named(reference: str) -> tuple[str, str]:
    """(order, shipment id) of a shipment's reference."""
    order, _, rest = reference.partition("/")
    return order, rest.rpartition(":")[2].rpartition("/")[2]


def _refunds(told: Mapping[str, str]) -> dict[tuple[str, str], dict[str, Decimal]]:
    """(order, refund id) -> tender -> amount, of payments named order/refund/tender."""
    found: dict[tuple[str, str], dict[str, Decimal]] = {}
    for reference, amount in told.items():
        order, refund, tender = (*reference.split("/", 2), "", "")[:3]
        found.setdefault((order, refund), {})[tender] = Decimal(amount)
    return found
