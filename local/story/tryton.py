"""Tryton as the demonstration's ERP: started, told of our articles, and asked for what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

from local.ports import Ports
from local.story.catalogue import ARTICLES, LIFE, PRICED, Article
from local.story.channels import CHANNELS
from local.story.desk import Desk
from local.story.erps import Erp
from local.story.facts import Books
from local.story.judge import CHANNEL, WAREHOUSE
from local.tryton import TrytonServer, start
from local.tryton_count import count

HOUSES = (WAREHOUSE, "maker-main", "store-koeln")  # who sends for us
PRICE = "10.00"  # that add_goods wants; taken away again


def tryton(database_url: str, desks: Mapping[str, Desk], ports: Ports, stack: ExitStack) -> Erp:
    """A running Tryton over its own database on our PostgreSQL."""
    running = stack.enter_context(start(port=ports.get("tryton"), database_url=database_url))
    return Erp(
        account="tryton-main",
        books=lambda: books(_count(running), _tenders(desks)),
        desk=None,
        variables={
            "ERP_ACCOUNT": "tryton-main",
            "TRYTON_MAIN_URL": running.url,
            "TRYTON_MAIN_DATABASE": running.database,
            "TRYTON_MAIN_USER": running.user,
            "TRYTON_MAIN_PASSWORD": running.password,
        },
        addresses={
            "tryton": f"{running.url} (database {running.database}, login {running.user}, password {running.password})"
        },
        patience=120.0,
        prepare=lambda: _prepared(running),
        enters=lambda article: _entered(running, article),
    )


def _prepared(running: TrytonServer) -> None:
    goods = (article.sku for article in (*ARTICLES, *LIFE) if article.ships)
    running.add_goods({**dict.fromkeys(goods, PRICE), **PRICED})
    _unpriced(running)


def _entered(running: TrytonServer, article: Article) -> None:
    running.add_goods({article.sku: PRICE})
    _unpriced(running)


def _unpriced(running: TrytonServer) -> None:
    """The list price of all goods but a few is left open: the order's own prices are booked, and the shops keep theirs."""
    rpc = running.rpc()
    rows = rpc.rows("product.product", [["type", "=", "goods"], ["code", "not in", list(PRICED)]], "template")
    rpc.model("product.template", "write", [row["template"] for row in rows], {"list_price": None})


def _count(running: TrytonServer) -> Mapping[str, Any]:
    return count(
        running.url,
        running.database,
        running.user,
        running.password,
        *(f"{one}-" for one in (CHANNEL, *(channel.account for channel in CHANNELS))),
    )


def _tenders(desks: Mapping[str, Desk]) -> dict[str, str]:
    """The channels' own word on which tender each payment of a refund went through."""
    orders = desks["shopify"].get("state").get("orders", {}).values()
    given = [one for order in orders for refund in order["refunds"] for one in refund["transactions"]]
    found = {str(one["id"]): str(one["gateway"]) for one in given}
    for channel in (one for one in CHANNELS if one.system in desks):
        found.update(channel.payments(desks[channel.system]))
    return found


def books(told: Mapping[str, Any], tenders: Mapping[str, str]) -> Books:
    """Tryton's own count, by the references that the hub gave it; it names a shipment without its order."""
    return Books(
        orders=told["sales_order"],
        totals={order: Decimal(amount) for order, amount in told["total"].items()},
        cancelled=frozenset(told["cancelled"]),
        fulfilments={("", _sent(str(reference))): n for reference, n in told["shipment"].items()},
        refunds=_refunds(told["refund"], tenders),
    )


def _sent(reference: str) -> str:
    """A shipment's number where it was sent; what a channel sends itself keeps the channel's name before it."""
    house = next((one for one in HOUSES if reference.startswith(f"{one}-")), "")
    return reference.removeprefix(f"{house}-")


def _refunds(told: Mapping[str, str], tenders: Mapping[str, str]) -> dict[tuple[str, str], dict[str, Decimal]]:
    """(order, refund id) -> tender -> amount, of payments named order/refund/payment."""
    found: dict[tuple[str, str], dict[str, Decimal]] = {}
    for reference, amount in told.items():
        order, _, rest = reference.partition("/")
        refund, _, payment = rest.rpartition("/")
        moved = found.setdefault((order, refund), {})
        tender = tenders.get(payment) or tenders.get(
            refund, payment
        )  # the channel may know a refund of ours, not our payment of it
        moved[tender] = moved.get(tender, Decimal(0)) + Decimal(amount)
    return found
