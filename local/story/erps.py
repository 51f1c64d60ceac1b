"""Which ERP keeps the orders of the demonstration: one that we play, or a Tryton that none of us wrote. Those that kept the orders of an
earlier day keep them: an order stays where it was booked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from local.errors import ServerError
from local.ports import LOCALHOST, Ports
from local.story.addresses import Addresses
from local.story.catalogue import STOCK, Article
from local.story.desk import Desk
from local.story.facts import Books
from local.story.outsiders import business_central, netsuite, sap_s4hana


def _nothing() -> None:
    return None


def _nobody(article: Article) -> None:
    return None


@dataclass(frozen=True)
class Erp:
    """`account` keeps the orders; `books` asks it what it holds; `desk` sets its bad days (None: it has only its own).

    `played` is where its simulator answers, empty for a real one. `former`: those that kept orders before it.
    """

    account: str
    books: Callable[[], Books]
    desk: Desk | None
    variables: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    played: str = ""
    patience: float = 60.0
    prepare: Callable[[], None] = _nothing
    enters: Callable[[Article], None] = _nobody  # somebody enters an article there
    former: tuple[Erp, ...] = ()

    @property
    def everyone(self) -> tuple[Erp, ...]:
        """All that keep orders, those of earlier days first."""
        return (*self.former, self)

    def held(self) -> dict[str, Books]:
        """What each of them holds, by its account."""
        return {one.account: one.books() for one in self.everyone}

    def environment(self) -> dict[str, str]:
        """The variables of all; new orders are this one's."""
        return {name: value for one in self.everyone for name, value in one.variables.items()}


# What its effects (GET /_sim/effects) say in the words that the judge shares with all; what else is needed to read them,
# the shop and the warehouse are asked for.
PLAYED: dict[str, Callable[[Mapping[str, Any], Mapping[str, Desk]], Books]] = {
    "netsuite": lambda effects, _: netsuite(effects),
    "business_central": business_central,
    "sap_s4hana": sap_s4hana,
}
# Entering an article, at the desk of each.
ENTERED: dict[str, Callable[[Desk, Article], object]] = {
    "netsuite": lambda desk, one: desk.post(
        "items", {"id": one.erp, "sku": one.sku, "modified": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"}
    ),
    "business_central": lambda desk, one: desk.post("items", {"number": one.sku, "inventory": STOCK, "unitPrice": 0}),
    "sap_s4hana": lambda desk, one: desk.post("materials", {"material": one.sku, "stock": STOCK}),
}
# these wait a minute before a lost write that is not found is made again
PATIENCE = {"business_central": 150.0, "sap_s4hana": 150.0}


def chosen(
    name: str, where: Addresses, database_url: str, ports: Ports, stack: ExitStack, keepers: Iterable[str] = ()
) -> Erp:
    """The ERP that ERP=... names; NetSuite without. `keepers` are accounts with orders of earlier days. Raises ServerError for one that
    there is not."""
    new = _named(name or "netsuite", where, database_url, ports, stack)
    known = {_account(one): one for one in (*PLAYED, "tryton")}
    earlier = [known[account] for account in keepers if account in known and account != new.account]
    return replace(new, former=tuple(_named(one, where, database_url, ports, stack) for one in earlier))


def _entered(desk: Desk, name: str, article: Article) -> None:
    ENTERED[name](desk, article)


def _account(name: str) -> str:
    return f"{name.replace('_', '-')}-main"


def _named(name: str, where: Addresses, database_url: str, ports: Ports, stack: ExitStack) -> Erp:
    if name == "tryton":
        from local.story.tryton import tryton

        return tryton(database_url, _desks(where), ports, stack)
    if name not in PLAYED:
        raise ServerError(f"There is no ERP {name!r}: choose {', '.join(sorted((*PLAYED, 'tryton')))}.")
    return _played(name, where, ports)


def _desks(where: Addresses) -> dict[str, Desk]:
    return {name: Desk(address) for name, address in where.played.items()}


def _played(name: str, where: Addresses, ports: Ports) -> Erp:
    """One whose simulator joins the play by having an address."""
    url = f"http://{LOCALHOST}:{ports.get(f'sim-{name}')}"
    desk, others = Desk(url), _desks(where)
    account = _account(name)
    return Erp(
        account=account,
        books=lambda: PLAYED[name](desk.get("effects"), others),
        desk=desk,
        variables={"ERP_ACCOUNT": account, f"{name.upper()}_MAIN_URL": url},
        addresses={name: f"{url}/_sim/state"},
        played=url,
        patience=PATIENCE.get(name, 60.0),
        enters=lambda article: _entered(desk, name, article),
    )
