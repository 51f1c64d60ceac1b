"""Which ERP keeps the orders of the demonstration: the NetSuite that we play, or a Tryton that none of us wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from local.ports import Ports
from local.story.addresses import Addresses
from local.story.facts import Books
from local.story.outsiders import Desk, netsuite


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Erp:
    """`account` keeps the orders; `books` asks it what it holds; `desk` sets its bad days (None: it has only its own)."""

    account: str
    books: Callable[[], Books]
    desk: Desk | None
    variables: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    patience: float = 60.0
    prepare: Callable[[], None] = _nothing


def chosen(name: str, where: Addresses, database_url: str, ports: Ports, stack: ExitStack) -> Erp:
    """The ERP that ERP=... names; NetSuite without."""
    if name == "tryton":
        from local.story.tryton import tryton

        return tryton(database_url, Desk(where.systems["shopify"]), ports, stack)
    desk = Desk(where.systems["netsuite"])
    return Erp("netsuite-main", lambda: netsuite(desk.get("effects")), desk, {"ERP_ACCOUNT": "netsuite-main"})
