"""Who may tell what of an order (config/authority.toml): a fact from anyone else is dropped as an echo, or refused for a person to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.orders.difference import changed
from app.orders.merge import echo_of
from config.reader import config
from connectors.canonical.order import Order
from connectors.canonical.returns import Refund, Return
from connectors.canonical.shipment import Shipment

Roles = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A fact that was told by somebody who does not own it. `what` as people say it, `owners` the roles that may."""

    fact: str
    what: str
    owners: tuple[str, ...]


def roles_of(account: str, roles: Roles, channel: str) -> frozenset[str]:
    """The roles that an account plays for an order; the one it was placed in is its channel."""
    played = {role for role, who in roles.items() if who == account or (isinstance(who, list) and account in who)}
    return frozenset(played | ({"channel"} if account == channel else set()))


def owners(fact: str) -> tuple[str, ...]:
    """Who owns a fact ("refund") or a single move ("order.cancel"); empty where nobody is named: then anybody may."""
    policy = config().authority
    named = policy.get("transitions", {}).get(fact) if "." in fact else policy.get(fact, {}).get("owner")
    named = named if named is not None or "." not in fact else policy.get(fact.partition(".")[0], {}).get("owner")
    return (named,) if isinstance(named, str) else tuple(named or ())


def may(fact: str, played: frozenset[str]) -> bool:
    allowed = owners(fact)
    return not allowed or bool(played & frozenset(allowed))


def child(piece: Shipment | Refund | Return, account: str, roles: Roles, channel: str) -> Refusal | None:
    """Whether a shipment, refund or return told by itself may be taken; None when it may."""
    fact = FACT_OF[type(piece)]
    if may(fact, roles_of(account, roles, channel)):
        return None
    return Refusal(fact, f"{fact} {piece.id}", owners(fact))


FACT_OF: Mapping[type, str] = {Shipment: "shipment", Refund: "refund", Return: "return"}


def screen(
    old: Order | None, new: Order, account: str, roles: Roles, channel: str, links: Mapping[str, str]
) -> tuple[Order, list[Refusal]]:
    """A snapshot less what its teller does not own. What says nothing new is dropped without a word: it is an echo.

    `links` maps the teller's shipment ids to those of ours that they echo.
    """
    played = roles_of(account, roles, channel)
    if old is not None and not may("order", played):
        return _children(old, new, played)
    refused: list[Refusal] = []
    for fact, tells, without in MOVES if old is not None else ():
        if old is not None and not may(fact, played) and tells(old, new):
            refused.append(Refusal(fact, fact.replace(".", " "), owners(fact)))
            new = without(old, new)
    ours = {s.id for s in new.shipments if echo_of(old, s, account, links) is not None}
    return _screened(old, new, played, refused, ours)


def _children(old: Order, new: Order, played: frozenset[str]) -> tuple[Order, list[Refusal]]:
    """Of a teller that does not own the order only the children are read."""
    facets = changed(old, new) - {"pieces", "more"}  # a refund's, whose owner is asked beside it
    refused = [Refusal("order", f"order ({', '.join(sorted(facets))})", owners("order"))] if facets else []
    kept = replace(
        old, shipments=new.shipments, refunds=new.refunds, returns=new.returns, payments=new.payments, cancelled_at=None
    )
    return _screened(old, kept, played, refused, set())


def _screened(
    old: Order | None, new: Order, played: frozenset[str], refused: list[Refusal], ours: set[str]
) -> tuple[Order, list[Refusal]]:
    for fact, field, without in FIELDS:
        if may(fact, played):
            continue
        known = {piece.id for piece in getattr(old, field)} if old is not None else set()
        unknown = [piece.id for piece in getattr(new, field) if piece.id not in known | ours]
        refused += [Refusal(fact, f"{fact} {name}", owners(fact)) for name in unknown]
        new = without(new)
    return new, refused


FIELDS: tuple[tuple[str, str, Callable[[Order], Order]], ...] = (
    ("shipment", "shipments", lambda order: replace(order, shipments=())),
    ("refund", "refunds", lambda order: replace(order, refunds=())),
    ("return", "returns", lambda order: replace(order, returns=())),
    ("payment", "payments", lambda order: replace(order, payments=())),
)


def _cancels(old: Order, new: Order) -> bool:
    return old.cancelled_at is None and new.cancelled_at is not None


def _edits(old: Order, new: Order) -> bool:
    return "lines" in changed(old, new)


Tells = Callable[[Order, Order], bool]
Without = Callable[[Order, Order], Order]
MOVES: tuple[tuple[str, Tells, Without], ...] = (
    ("order.cancel", _cancels, lambda old, new: replace(new, cancelled_at=None)),
    ("line.edit", _edits, lambda old, new: replace(new, lines=old.lines, totals=old.totals)),
)
