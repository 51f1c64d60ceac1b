"""Speaking for a location: who may say what of a request or a return there, by the location's kind and config/authority.toml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from app import cases
from app.bell import Ring
from app.journal.actions import audit
from app.orders import authority, rules
from app.orders.pickups import WRONG_CODE
from app.orders.refused import Refused

Say = Callable[[Connection, str], list[Ring]]  # (transaction, who) -> what to ring after the commit
DESK = "desk"  # the role of whoever acts in the admin
PLAYS: Mapping[str, str] = {"dc": "warehouse", "store": "store", "supplier": "supplier"}
LEAVES = frozenset(("ship", "collect"))  # told so, it is a shipment


@dataclass(frozen=True, slots=True)
class Speaker:
    """A key's partner at its locations ("*": at any), or a person at the desk, who speaks for every location."""

    name: str
    locations: frozenset[str] = frozenset()
    desk: bool = False

    def at(self, location: str) -> bool:
        return self.desk or "*" in self.locations or location in self.locations


class NotTheOwner(Refused):
    """Somebody says what is another's to say (authority.toml): it changes nothing and is a case (`note`)."""

    def __init__(self, who: str, location: str, fact: str, about: str) -> None:
        owners = authority.owners(fact)
        sentence = (
            f"{who} told {fact} of {about} for {location}, which belongs to {' or '.join(owners)} (authority.toml)."
        )
        super().__init__("not_the_owner", f"{sentence} It changed nothing.")
        self.who, self.fact, self.about, self.owners = who, fact, about, owners


def must(tx: Connection, who: Speaker, location: str, thing: str, event: str, about: str) -> None:
    """`thing` is fulfilment or return. Raises NotTheOwner."""
    played = played_by(tx, who, location)
    for fact in (f"{thing}.{event}", *(("shipment",) if thing == "fulfilment" and event in LEAVES else ())):
        if not authority.may(fact, played):
            raise NotTheOwner(who.name, location, fact, about)


def played_by(tx: Connection, who: Speaker, location: str) -> frozenset[str]:
    """The roles somebody plays there: the desk, else what the location is (a store where the rules in force do not know it); and his own name."""
    if who.desk:
        return frozenset((DESK,))
    active = rules.in_force(tx)
    known = active.rules.locations if active is not None else {}
    found = known.get(location) or next((one for one in known.values() if one.stock and one.stock[1] == location), None)
    return frozenset((PLAYS[found.kind] if found is not None else "store", who.name))


def note(tx: Connection, who: Speaker, number: str, refused: Refused) -> None:
    """What a refusal leaves behind, in a transaction of its own: a case for the owner, or that a wrong code was tried."""
    if isinstance(refused, NotTheOwner):
        cases.open_case(
            tx,
            "refused",
            "",
            "not_the_owner",
            refused.sentence,
            member=f"refused:{who.name}:{refused.fact}:{number}",
            step=refused.fact,
            role=refused.owners[0] if refused.owners else "",
            remedy="Let the owner tell it, or change the owner in config/authority.toml and say it again.",
            cause=f"{who.name}|{refused.fact}",
        )
    if refused.code == "wrong_code":
        audit(tx, who.name, WRONG_CODE, f"order:{number.partition('-')[0]}", "", after={"fulfilment": number})
