"""Which ERP keeps the orders of the demonstration: one that we play, or a Tryton that none of us wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from local.errors import ServerError
from local.ports import LOCALHOST, Ports
from local.story.addresses import Addresses
from local.story.desk import Desk
from local.story.facts import Books
from local.story.outsiders import business_central, netsuite, sap_s4hana


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Erp:
    """`account` keeps the orders; `books` asks it what it holds; `desk` sets its bad days (None: it has only its own).

    `played` is where its simulator answers, empty for a real one.
    """

    account: str
    books: Callable[[], Books]
    desk: Desk | None
    variables: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    played: str = ""
    patience: float = 60.0
    prepare: Callable[[], None] = _nothing


# What its effects (GET /_sim/effects) say in the words that the judge shares with all; what else is needed to read them,
# the shop and the warehouse are asked for.
PLAYED: dict[str, Callable[[Mapping[str, Any], Mapping[str, Desk]], Books]] = {
    "netsuite": lambda effects, _: netsuite(effects),
    "business_central": business_central,
    "sap_s4hana": sap_s4hana,
}
# these wait a minute before a lost write that is not found is made again
PATIENCE = {"business_central": 150.0, "sap_s4hana": 150.0}


def chosen(name: str, where: Addresses, database_url: str, ports: Ports, stack: ExitStack) -> Erp:
    """The ERP that ERP=... names; NetSuite without. Raises ServerError for one that there is not."""
    if name == "tryton":
        from local.story.tryton import tryton

        return tryton(database_url, _desks(where), ports, stack)
    if (name or "netsuite") not in PLAYED:
        raise ServerError(f"There is no ERP {name!r}: choose {', '.join(sorted((*PLAYED, 'tryton')))}.")
    return _played(name or "netsuite", where, ports)


def _desks(where: Addresses) -> dict[str, Desk]:
    return {name: Desk(address) for name, address in where.played.items()}


def _played(name: str, where: Addresses, ports: Ports) -> Erp:
    """One whose simulator joins the play by having an address."""
    url = f"http://{LOCALHOST}:{ports.get(f'sim-{name}')}"
    desk, others = Desk(url), _desks(where)
    account = f"{name.replace('_', '-')}-main"
    return Erp(
        account=account,
        books=lambda: PLAYED[name](desk.get("effects"), others),
        desk=desk,
        variables={"ERP_ACCOUNT": account, f"{name.upper()}_MAIN_URL": url},
        addresses={name: f"{url}/_sim/state"},
        played=url,
        patience=PATIENCE.get(name, 60.0),
    )
